"""Dynamic batching of a classifier, as a machine that is stepped with the time given to it.

Works like Triton's dynamic batcher: one batch runs at a time; the next one starts when it is full, or when its
oldest request has waited for the batching window.
"""

from collections import deque
from dataclasses import dataclass

from serving.batching import Progress
from serving.timing import ClassifierTiming

BATCHING_WINDOW_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Classification:
    """A request of ``images`` images, which stay together in one batch."""

    id: str
    images: int = 1


class DynamicBatch:
    """The batcher. Times are seconds on whatever clock the caller reads; they must not go back."""

    def __init__(
        self, timing: ClassifierTiming, slowdown: float = 1.0, window_seconds: float = BATCHING_WINDOW_SECONDS
    ) -> None:
        self.timing = timing
        self.slowdown = slowdown
        self._window_seconds = window_seconds
        self._waiting: deque[tuple[float, Classification]] = deque()
        self._running: dict[str, Classification] = {}
        self._ends_at: float | None = None

    @property
    def next_event(self) -> float | None:
        """When the running batch ends, else when the next one starts; None while idle."""
        if self._ends_at is not None:
            return self._ends_at
        return self._waiting[0][0] + self._window_seconds if self._waiting else None

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def submit(self, request: Classification, now: float) -> None:
        """Queue a request, which the caller knows not to exceed the largest batch."""
        self._waiting.append((now, request))
        self._begin_if_due(now)

    def cancel(self, request_id: str, now: float) -> None:
        """Forget a request. A running batch is not shortened by it."""
        self._running.pop(request_id, None)
        self._waiting = deque(entry for entry in self._waiting if entry[1].id != request_id)
        self._begin_if_due(now)

    def advance(self, now: float) -> list[Progress]:
        """What happened up to ``now``."""
        happened: list[Progress] = []
        while (at := self.next_event) is not None and at <= now:
            if self._ends_at is not None:
                happened.extend(Progress(key, at, finished=True) for key in self._running)
                self._running.clear()
                self._ends_at = None
            self._begin_if_due(at)
        return happened

    def postpone(self, until: float) -> None:
        """Nothing ends or begins earlier than ``until``: the engine stood still."""
        if self._ends_at is not None:
            self._ends_at = max(self._ends_at, until)
        earliest = until - self._window_seconds
        self._waiting = deque((max(since, earliest), request) for since, request in self._waiting)

    def _begin_if_due(self, now: float) -> None:
        if self._ends_at is not None or not self._waiting:
            return
        images, fitting = self._next_batch()
        full = fitting < len(self._waiting) or images == self.timing.max_batch
        if not full and now < self._waiting[0][0] + self._window_seconds:
            return
        batch = [self._waiting.popleft()[1] for _ in range(fitting)]
        self._running = {request.id: request for request in batch}
        self._ends_at = now + self.timing.batch_seconds(images) * self.slowdown

    def _next_batch(self) -> tuple[int, int]:
        """(images, requests) at the head of the queue that fit one batch."""
        images = fitting = 0
        for _, request in self._waiting:
            if images + request.images > self.timing.max_batch:
                break
            images += request.images
            fitting += 1
        return images, fitting
