"""What will be: calibrated quantiles of the demand over a horizon."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.model.signals import Floats

COVERED: Final = 0.9
"""The quantile whose coverage is told: the one that replicas are planned for most of the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Request rate (rps) as quantiles: ``values[step, level]`` holds for step ``made_at + (step+1)·step_seconds``.

    ``levels``, two or more, rise in (0, 1). ``history_seconds`` is what there was to learn from and ``wanted_seconds``
    what similar seasons need; ``method`` is the one with the largest say, ``reason`` names all that had one and why.
    ``backtest_wape`` is the weighted absolute percentage error of the median over the newest season, every step of it
    forecast from what was known before, and ``backtest_coverage`` the share of those steps at or below their quantile
    ``COVERED``; None when too little was known.
    """

    made_at_seconds: float
    step_seconds: float
    levels: tuple[float, ...]
    values: Floats
    method: str
    reason: str
    history_seconds: float
    wanted_seconds: float
    backtest_wape: float | None = None
    backtest_coverage: float | None = None

    def peak_rps(self, level: float, from_seconds: float, until_seconds: float) -> float:
        """The largest ``level`` quantile between two Unix times; levels between are interpolated.

        Times outside the horizon use its nearest step.
        """
        first = self._step(from_seconds)
        last = max(first, self._step(until_seconds))
        upper = min(max(bisect_left(self.levels, level), 1), len(self.levels) - 1)
        below, above = self.levels[upper - 1], self.levels[upper]
        share = min(max((level - below) / (above - below), 0.0), 1.0)
        window = self.values[first : last + 1]
        return float(((1 - share) * window[:, upper - 1] + share * window[:, upper]).max())

    def _step(self, at_seconds: float) -> int:
        step = int(np.ceil((at_seconds - self.made_at_seconds) / self.step_seconds)) - 1
        return min(max(step, 0), len(self.values) - 1)
