"""A client-side rate limit, so that a bug here never becomes an outage of the API server."""

import asyncio
import time
from collections.abc import Callable


class TokenBucket:
    """At most ``burst`` calls at once and ``per_second`` in the long run; the caller waits its turn."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    async def take(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second) - 1
        self._at = now
        if self._tokens < 0:  # a debt keeps the order of those who wait
            await asyncio.sleep(-self._tokens / self._per_second)
