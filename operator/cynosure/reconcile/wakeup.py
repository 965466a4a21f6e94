"""A coalescing wake-up: many edges in, one level-triggered pass out."""

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Wakeup(Generic[K]):
    """Collects dirty keys and releases them as one batch.

    A batch closes after ``idle`` seconds of silence, or ``longest`` seconds after its first key, or ``resync``
    seconds after the last batch (empty batch: a periodic full pass). Firing never blocks and never loses a key:
    keys fired while a pass is running belong to the next batch. Call it from the event loop's thread only.
    """

    def __init__(
        self, *, idle: float, longest: float, resync: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._idle, self._longest, self._resync = idle, longest, resync
        self._clock = clock
        self._keys: set[K] = set()
        self._oldest: float | None = None
        self._fired = asyncio.Event()

    def fire(self, key: K) -> None:
        if self._oldest is None:
            self._oldest = self._clock()
        self._keys.add(key)
        self._fired.set()

    def fire_later(self, key: K, delay: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay, self.fire, key)

    @property
    def age_seconds(self) -> float:
        """How long the oldest dirty key has been waiting."""
        return 0.0 if self._oldest is None else self._clock() - self._oldest

    async def batch(self) -> frozenset[K]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._resync):
                await self._fired.wait()
        except TimeoutError:
            return frozenset()
        closes = loop.time() + self._longest
        while (left := closes - loop.time()) > 0:
            self._fired.clear()
            try:
                async with asyncio.timeout(min(self._idle, left)):
                    await self._fired.wait()
            except TimeoutError:
                break
        self._fired.clear()
        keys, self._keys, self._oldest = frozenset(self._keys), set(), None
        return keys
