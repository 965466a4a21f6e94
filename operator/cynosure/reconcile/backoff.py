"""How long to wait after the nth failure in a row."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Backoff(Generic[K]):
    """Doubles for each key from ``first`` to ``longest`` seconds."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._failures: dict[K, int] = {}

    def failed(self, key: K) -> float:
        n = self._failures[key] = self._failures.get(key, 0) + 1
        return min(self._longest, self._first * 2.0 ** min(n - 1, 32))

    def succeeded(self, key: K) -> None:
        self._failures.pop(key, None)
