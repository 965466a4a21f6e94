"""Drives a batching machine in real time: one timer for the next event, one queue for each request."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from serving.batching import Progress

TIMER_SECONDS = 0.001
"""Event loops keep time in whole milliseconds: an event that is due within this is taken as due."""


class Work(Protocol):
    @property
    def id(self) -> str: ...


WorkT = TypeVar("WorkT", bound=Work)
WorkT_contra = TypeVar("WorkT_contra", bound=Work, contravariant=True)


class Machine(Protocol[WorkT_contra]):
    """What ContinuousBatch and DynamicBatch have in common."""

    slowdown: float

    @property
    def next_event(self) -> float | None: ...
    @property
    def running(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    def submit(self, request: WorkT_contra, now: float) -> None: ...
    def cancel(self, request_id: str, now: float) -> None: ...
    def advance(self, now: float) -> list[Progress]: ...
    def postpone(self, until: float) -> None: ...


class Engine(Generic[WorkT]):
    """Runs on the event loop that calls it. Deadlines are absolute, so a late timer delays one event, not the rest."""

    def __init__(self, machine: Machine[WorkT], clock: Callable[[], float] = time.monotonic) -> None:
        self.machine = machine
        self._clock = clock
        self._progress: dict[str, asyncio.Queue[Progress]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._hangs = False

    @contextmanager
    def serve(self, request: WorkT) -> Iterator["asyncio.Queue[Progress]"]:
        """Submit the request and hand out its progress; leaving early cancels it and frees its place."""
        queue = self._progress[request.id] = asyncio.Queue()
        self._advance(0.0)
        self.machine.submit(request, self._clock())
        self._arm()
        try:
            yield queue
        finally:
            del self._progress[request.id]
            self.machine.cancel(request.id, self._clock())
            self._arm()

    def disturb(self, *, slowdown: float, hangs: bool) -> None:
        """Stretch what begins from now on, or stand still until called again."""
        if self._hangs and not hangs:
            self.machine.postpone(self._clock())
        self.machine.slowdown, self._hangs = slowdown, hangs
        self._arm()

    def _wake(self) -> None:
        self._timer = None
        self._advance(TIMER_SECONDS)
        self._arm()

    def _advance(self, tolerance_seconds: float) -> None:
        if self._hangs:
            return
        for progress in self.machine.advance(self._clock() + tolerance_seconds):
            if queue := self._progress.get(progress.id):
                queue.put_nowait(progress)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._hangs and (at := self.machine.next_event) is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, at - self._clock()), self._wake)
