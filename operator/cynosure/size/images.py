"""An image classifier under load: one batch at a time, made of what waits when the one before ends.

The batch settles where as many images arrive during a batch as it holds (b = r·latency(b)); an arrival waits for the
rest of the batch in service, which is uniform over its latency, and then for its own (bulk service, Bailey, 1954).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cynosure.model.profile import Point
from cynosure.model.service import Target

_FIXED_POINT_ROUNDS = 60
_MOST_OF_MEASURED = 0.95
_SPREAD = 2.0
"""Batches are planned at mean plus this many standard deviations of a Poisson count."""


@dataclass(frozen=True, slots=True)
class ImageReplica:
    """``points`` are those of one partition, by rising batch."""

    points: Sequence[Point]

    @property
    def largest_batch(self) -> int:
        return self.points[-1].batch

    @property
    def measured_rps(self) -> float:
        return max(point.batch / point.latency_seconds for point in self.points)

    def attainment(self, target: Target, rps: float) -> float:
        """Return the share within an end-to-end target; a classifier has no tokens, so others are not met."""
        if target.metric != "e2e" or rps >= _MOST_OF_MEASURED * self.measured_rps:
            return 0.0
        own = self._latency(self._planned(rps))
        busy = min(1.0, rps * own / self._planned(rps))
        left = target.milliseconds / 1000 - own
        if left < 0:
            return 0.0
        return 1 - busy + busy * min(1.0, left / own)

    def floor_milliseconds(self, target: Target) -> float:
        return 1000 * self._latency(1.0)

    def batch_at(self, rps: float) -> float:
        batch = 1.0
        for _ in range(_FIXED_POINT_ROUNDS):
            batch = min(max(1.0, rps * self._latency(batch)), float(self.largest_batch))
        return batch

    def _planned(self, rps: float) -> float:
        mean = self.batch_at(rps)
        crowd = mean + _SPREAD * mean**0.5 if mean > 1 else mean
        return min(crowd, float(self.largest_batch))

    def _latency(self, batch: float) -> float:
        sizes = [point.batch for point in self.points]
        return float(np.interp(batch, sizes, [point.latency_seconds for point in self.points]))
