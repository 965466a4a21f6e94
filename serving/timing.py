"""How long work takes on a partition, by a profile's measurements. Pure: no clock, no HTTP."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise


class TimingError(ValueError):
    """The measured points do not make a curve, or a question lies outside of it."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Seconds by the number of things worked on together: linear between the measured points.

    Below the first point its value holds; above the last one nothing is known and nothing is answered.
    """

    sizes: tuple[int, ...]
    seconds: tuple[float, ...]

    @classmethod
    def through(cls, points: Iterable[tuple[int, float]]) -> "Curve":
        ordered = sorted(points)
        sizes = tuple(size for size, _ in ordered)
        for size, following in pairwise(sizes):
            if size == following:
                raise TimingError(f"points: two measurements at concurrency or batch {size}; keep one")
        if not sizes:
            raise TimingError("points: none to draw a curve through")
        return cls(sizes, tuple(seconds for _, seconds in ordered))

    @property
    def largest(self) -> int:
        return self.sizes[-1]

    def at(self, size: int) -> float:
        if size > self.largest:
            raise TimingError(f"{size} at once was not measured; the largest measured point is {self.largest}")
        upper = bisect_left(self.sizes, size)
        if upper == 0 or self.sizes[upper] == size:
            return self.seconds[upper]
        left, right = self.sizes[upper - 1], self.sizes[upper]
        share = (size - left) / (right - left)
        return self.seconds[upper - 1] * (1 - share) + self.seconds[upper] * share


@dataclass(frozen=True, slots=True)
class DecoderTiming:
    """A text generator: prefill is proportional to the prompt, a decode step depends on the batch."""

    prefill_per_token: Curve
    step: Curve
    kv_cache_tokens: int

    @property
    def max_concurrency(self) -> int:
        return self.step.largest

    def prefill_seconds(self, tokens: int, concurrency: int) -> float:
        """Prefill of ``tokens`` while ``concurrency`` requests run, those being prefilled included."""
        return tokens * self.prefill_per_token.at(concurrency)

    def step_seconds(self, batch: int) -> float:
        """One more token for each of ``batch`` running requests."""
        return self.step.at(batch)


@dataclass(frozen=True, slots=True)
class ClassifierTiming:
    """An image classifier: one batch at a time."""

    batch: Curve

    @property
    def max_batch(self) -> int:
        return self.batch.largest

    def batch_seconds(self, images: int) -> float:
        return self.batch.at(images)
