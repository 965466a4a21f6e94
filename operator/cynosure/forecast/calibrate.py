"""Quantiles that hold under drift: each is moved after every outcome until it is missed as often as it should be.

Conformal quantile tracking (Angelopoulos, Candès and Tibshirani, Conformal PID Control for Time Series Prediction,
NeurIPS 2023, section 2.1; a step in probability is a step of adaptive conformal inference, Gibbs and Candès, NeurIPS
2021). Whatever the series does, the share of misses stays within O(1/steps) of its level. Scores are errors in units of
what errors are like just now, so a burst widens the band at once and a calm hour narrows it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.forecast.scale import scales
from cynosure.forecast.windows import Indices
from cynosure.model.signals import Floats

LEVELS: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)

_LEVELS: Final = np.array(LEVELS)
_NORMAL: Final = np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326]) * 1.253
"""Normal quantiles in units of the mean absolute error, where every quantile starts."""
_STEP: Final = 0.06 * np.exp(np.square(_NORMAL / 1.253) / 2)
"""Equal steps in probability: where errors are sparse a quantile has farther to go."""
_EAGER: Final = 10.0
"""The first steps are larger, as those of a mean are: the n-th by this over n."""


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """What is known at each origin of errors to come.

    ``offsets`` (origins, leads, levels) are in units of the ``scales`` (origins, leads).
    """

    offsets: Floats
    scales: Floats

    def around(self, median: Floats, origins: Indices) -> Floats:
        """Return (origins, leads, levels) around a ``median`` (origins, leads) by what is known at these origins.

        Nothing is negative, and no level is on the wrong side of the median.
        """
        upper, middle = _LEVELS >= 0.5, median[:, :, None]
        values = np.maximum(middle + self.offsets[origins] * self.scales[origins][:, :, None], 0.0)
        sided = np.where(upper, np.maximum(values, middle), np.minimum(values, middle))
        sided[:, :, LEVELS.index(0.5)] = median
        return sided


def track(median: Floats, actual: Floats, delays: Indices, season: int) -> Bands:
    """Follow the outcomes of the ``median`` (origins, leads), of which each origin knows those that are due.

    ``actual`` (origins, leads) is NaN where missing; the outcome of a forecast is known ``delays`` (leads) origins
    later. ``season`` is counted in origins.
    """
    origins, leads = median.shape
    made, lead = np.arange(origins)[:, None] - delays, np.arange(leads)
    due = np.where(made >= 0, (actual - median)[np.maximum(made, 0), lead], np.nan)
    known = np.isfinite(due)
    bands = Bands(np.empty((origins, leads, len(LEVELS))), scales(median, actual, due, delays, season))
    bounds = np.empty(bands.offsets.shape)
    # Outcomes that overlap are missed together: what is learned late is learned in smaller steps.
    steps = _STEP / np.sqrt(delays)[:, None]
    offset, seen = np.tile(_NORMAL, (leads, 1)), np.zeros(leads)
    for n in range(origins):
        if known[n].any():
            missed = due[n][:, None] > bounds[np.maximum(made[n], 0), lead]
            eager = np.maximum(_EAGER / (seen + 2), 1)[:, None]
            moved = offset + eager * steps * (missed - (1 - _LEVELS))
            offset = np.where(known[n][:, None], np.sort(moved, axis=1), offset)
            seen += known[n]
        bands.offsets[n] = offset
        bounds[n] = offset * bands.scales[n][:, None]
    return bands
