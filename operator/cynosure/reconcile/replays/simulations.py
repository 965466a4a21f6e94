"""Replays in the twin: each simulated beside the rounds, and looked at in them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from cynosure.api.slo import Slo
from cynosure.model.service import ServiceKey
from loadgen.outcomes import Outcomes
from loadgen.schedule import Schedule

Play = Callable[[Schedule, int], Awaitable[Sequence[Outcomes]]]
"""Plays a schedule, by a seed, to each service; cancelling it ends it. Raises ``BadInput`` or ``Unavailable``."""
Twin = Callable[[Sequence[ServiceKey]], Play]
"""Takes services as they are now. Raises ``BadInput`` for what cannot be simulated, ``Unavailable`` too early."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """``slo`` is what it will be judged by, whatever becomes of its target meanwhile."""

    task: asyncio.Future[Sequence[Outcomes]]
    slo: Slo | None


class Simulations:
    """By the uid of their TrafficReplay, one at a time. Nothing of one that is lost with its process was kept."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._known: dict[str, Simulation] = {}
        self._turn = asyncio.Lock()

    def begin(self, uid: str, playing: Callable[[], Awaitable[Sequence[Outcomes]]], slo: Slo | None) -> None:
        task = asyncio.create_task(self._played(playing), name=f"simulation {uid}")
        task.add_done_callback(lambda _: self._ended())
        self._known[uid] = Simulation(task, slo)

    def of(self, uid: str) -> Simulation | None:
        return self._known.get(uid)

    def end(self, uid: str) -> None:
        if known := self._known.pop(uid, None):
            known.task.cancel()

    def keep(self, uids: Collection[str]) -> None:
        """End those of all other replays."""
        for uid in self._known.keys() - set(uids):
            self.end(uid)

    async def _played(self, playing: Callable[[], Awaitable[Sequence[Outcomes]]]) -> Sequence[Outcomes]:
        async with self._turn:
            return await playing()
