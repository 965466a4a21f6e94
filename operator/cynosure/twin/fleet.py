"""The replicas of a service: created, ready after the lead time, drained, released, and paid for in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.model.mig import geometry_of
from cynosure.model.signals import Floats
from cynosure.twin.curves import Curves
from cynosure.twin.engine import Arrivals, serve, settle
from cynosure.twin.machines import IDLE, machines, reset, with_more_replicas, with_more_slots
from cynosure.twin.tally import Integers, Tally

_HOUR_SECONDS: Final = 3600.0
_NOTHING: Final = Arrivals(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


@dataclass(slots=True, eq=False)
class Replica:
    """``row`` is its place in the engine's arrays, which is used again after its release."""

    row: int
    kind: int
    created_at: float
    ready_at: float
    drained_at: float | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """Where replicas stand. ``gpus``: the room for them, None as many as are asked for."""

    product: str
    partitions: tuple[str, ...]
    curves: Curves
    gpus: float | None
    lead_time_seconds: float
    least_loaded: bool = False

    def room(self, partition: str) -> float:
        """Part of a GPU that one of these keeps others from."""
        profile = geometry_of(self.product).profile(partition)
        return 1 / profile.most if profile else 1.0


class Fleet:
    """Kubernetes removes those first that are not ready, then the newest; a drained one finishes what it has.

    A change of partition starts the new replicas first, and drains the old ones once as many as wanted are ready.
    """

    def __init__(
        self,
        ground: Ground,
        tally: Tally,
        arrivals: Iterator[Arrivals],
        partition: str,
        replicas: int,
        starting: int = 0,
    ) -> None:
        self.ground = ground
        self.tally = tally
        self.partition = partition
        self.wanted = replicas + starting
        self.scale_actions = 0
        self._now = 0.0
        self._arrivals = arrivals
        self._chunk, self._next = _NOTHING, 0
        self._state = machines(64, int(ground.curves.largest_batch.max()), 4096)
        self._free = list(range(63, -1, -1))
        self._replicas: list[Replica] = []
        self._gpu_seconds = self._joules = 0.0
        for _ in range(replicas):
            self._create(self._kind, ready_at=0.0)
        for _ in range(starting):
            self._create(self._kind, ready_at=ground.lead_time_seconds)

    @property
    def ready(self) -> list[Replica]:
        """Those that get requests, of whatever partition."""
        return [r for r in self._replicas if r.drained_at is None and r.ready_at <= self._now]

    def counts(self) -> tuple[int, int]:
        """Return how many of the wanted partition are ready, and how many start."""
        mine = self._current()
        ready = sum(r.ready_at <= self._now for r in mine)
        return ready, len(mine) - ready

    def scale(self, replicas: int, partition: str) -> None:
        self.scale_actions += (replicas, partition) != (self.wanted, self.partition)
        self.wanted, self.partition = replicas, partition
        self._converge()

    def run_until(self, until: float) -> None:
        """Serve, and let replicas become ready on the way."""
        while self._now < until:
            coming = [r.ready_at for r in self._replicas if r.drained_at is None and r.ready_at > self._now]
            self._serve_until(min([until, *coming]))
            self._converge()

    @property
    def gpu_hours(self) -> float:
        """Paid so far."""
        share = self.ground.curves.gpu_share
        standing = sum(float(share[r.kind]) * (self._now - r.created_at) for r in self._replicas)
        return (self._gpu_seconds + standing) / _HOUR_SECONDS

    def finish(self, grace_seconds: float) -> tuple[float, float]:
        """Stop paying; give requests in flight time to end. Return GPU-hours and joules."""
        for replica in list(self._replicas):
            self._release(replica, self._now)
        rows = _rows(self._replicas)
        settle(self._state, self.ground.curves, self.tally, rows, self._now + grace_seconds)
        return self._gpu_seconds / _HOUR_SECONDS, self._joules

    def sums(self, replicas: Sequence[Replica]) -> Floats:
        """Running, waiting, KV usage and busy, each summed over time so far: a row for each replica."""
        found = self._state.replicas[_rows(replicas)]
        return np.column_stack([found[f"{name}_seconds"] for name in ("running", "waiting", "kv_usage", "busy")])

    @property
    def _kind(self) -> int:
        return self.ground.partitions.index(self.partition)

    def _current(self) -> list[Replica]:
        return [r for r in self._replicas if r.kind == self._kind and r.drained_at is None]

    def _serve_until(self, until: float) -> None:
        ready, curves, least_loaded = _rows(self.ready), self.ground.curves, self.ground.least_loaded
        while True:
            chunk = self._chunk
            self._next = serve(self._state, curves, self.tally, chunk, self._next, until, ready, least_loaded)
            if self._next >= len(chunk.at_seconds):
                following = next(self._arrivals, None)
                if following is None:
                    break
                self._chunk, self._next = following, 0
            elif chunk.at_seconds[self._next] >= until:
                break
            else:
                self._state = with_more_slots(self._state)
        settle(self._state, curves, self.tally, _rows(self._replicas), until)
        self._now = until

    def _converge(self) -> None:
        """Towards what is wanted, as far as there is room."""
        mine = self._current()
        surplus = len(mine) - self.wanted
        for replica in sorted(mine, key=lambda r: (r.ready_at <= self._now, -r.created_at))[: max(0, surplus)]:
            replica.drained_at = self._now
        for _ in range(min(-surplus, self._room()) if surplus < 0 else 0):
            self._create(self._kind, self._now + self.ground.lead_time_seconds)
        if self.counts()[0] >= self.wanted:
            for replica in self._replicas:
                if replica.kind != self._kind and replica.drained_at is None:
                    replica.drained_at = self._now
        self._release_drained()

    def _release_drained(self) -> None:
        for replica in [r for r in self._replicas if r.drained_at is not None and self._is_empty(r)]:
            emptied = float(self._state.replicas["idle_since"][replica.row])
            self._release(replica, max(replica.drained_at or 0.0, emptied))
            self._replicas.remove(replica)
            self._free.append(replica.row)

    def _room(self) -> int:
        if self.ground.gpus is None:
            return self.wanted
        room, names = self.ground.room, self.ground.partitions
        taken = sum(room(names[replica.kind]) for replica in self._replicas)
        return max(0, int((self.ground.gpus - taken) / room(self.partition) + 1e-9))

    def _create(self, kind: int, ready_at: float) -> None:
        if not self._free:
            size = len(self._state.replicas)
            self._state = with_more_replicas(self._state)
            self._free = list(range(2 * size - 1, size - 1, -1))
        row = self._free.pop()
        reset(self._state, row, kind, self._now)
        self._replicas.append(Replica(row, kind, self._now, ready_at))

    def _is_empty(self, replica: Replica) -> bool:
        r = self._state.replicas[replica.row]
        return bool(r["mode"] == IDLE and r["queued"] == 0)

    def _release(self, replica: Replica, at: float) -> None:
        self._gpu_seconds += float(self.ground.curves.gpu_share[replica.kind]) * (at - replica.created_at)
        self._joules += float(self._state.replicas["joules"][replica.row])


def _rows(replicas: Sequence[Replica]) -> Integers:
    return np.array([replica.row for replica in replicas], np.int64)
