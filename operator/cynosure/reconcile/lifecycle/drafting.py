"""Reading the text of intents, beside everything else: a slow language model never holds up a round."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cynosure.api import ScalingIntent
from cynosure.api.intent_status import GroundedDirective, Refusal
from cynosure.intents.facts import Facts
from cynosure.model.condition import Condition

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Texts that are read at the same time; a local model on a CPU gains nothing from more."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the text was taken to mean: directives, a question, or a refusal."""

    directives: tuple[GroundedDirective, ...] = ()
    question: str | None = None
    refusal: Refusal | None = None
    engine: str | None = None
    model_available: Condition | None = None


Drafter = Callable[[ScalingIntent, Facts], Awaitable[Drafted]]
"""Reads the text of an intent and the answers to its question; raises nothing that it can foresee."""


class Drafts:
    """Drafts in the making, by intent and generation; ``ready`` is called whenever one is done."""

    def __init__(self, drafter: Drafter, ready: Callable[[], None]) -> None:
        self._drafter = drafter
        self._ready = ready
        self._tasks: dict[tuple[str, int], asyncio.Task[Drafted]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    def of(self, intent: ScalingIntent, facts: Facts) -> Drafted | None:
        """The draft when it is there; otherwise it is begun. One that failed is begun again."""
        if intent.spec.directives is not None:
            return Drafted(tuple(GroundedDirective.model_validate(d.model_dump()) for d in intent.spec.directives))
        place = (intent.metadata.uid, intent.metadata.generation)
        task = self._tasks.get(place)
        if task is None or not task.done():
            if task is None:
                self._tasks[place] = asyncio.create_task(self._read(intent, facts))
            return None
        del self._tasks[place]
        if task.cancelled() or task.exception() is not None:
            log.error("the text of %s could not be read", intent.metadata.name, exc_info=task.exception())
            return None
        return task.result()

    async def _read(self, intent: ScalingIntent, facts: Facts) -> Drafted:
        try:
            async with self._turn:
                return await self._drafter(intent, facts)
        finally:
            self._ready()

    async def settle(self) -> None:
        """Wait for all drafts that are in the making."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await self.settle()
        self._tasks.clear()
