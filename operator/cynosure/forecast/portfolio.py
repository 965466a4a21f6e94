"""All methods together: their forecasts from a row of origins, combined, with calibrated quantiles."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.forecast.calibrate import quantiles
from cynosure.forecast.combine import weights
from cynosure.forecast.methods import DampedTrend, LastValue, Method, SeasonalNaive, Smoothed
from cynosure.forecast.regression import Regression
from cynosure.forecast.similar import SimilarSeasons
from cynosure.forecast.windows import Indices
from cynosure.model.signals import Floats

_MEMORY: Final = 0.2
"""In seasons: how far back an error is recent."""
_LEAST_MEMORY: Final = 12
_UNSMOOTHED: Final = 1.4
"""One season as it was carries all of its noise, and is lucky more often than good: it has to be clearly better."""


@dataclass(frozen=True, slots=True, eq=False)
class Rolled:
    """What was said from each of the ``origins``, knowing only what was known there.

    ``quantiles`` (origins, leads, levels), ``said`` and ``weights`` (methods, origins, leads), ``actual`` (origins,
    leads) as far as it is known at the end of the values. The first method is the baseline.
    """

    origins: Indices
    methods: tuple[str, ...]
    said: Floats
    weights: Floats
    quantiles: Floats
    actual: Floats

    def at(self, rows: Indices) -> "Rolled":
        """Return the same for some of the origins, by their place."""
        said, share = self.said[:, rows], self.weights[:, rows]
        return Rolled(self.origins[rows], self.methods, said, share, self.quantiles[rows], self.actual[rows])


def methods(season: int, found: tuple[int, ...]) -> tuple[Method, ...]:
    """Return the portfolio, the baseline first, then in order of simplicity."""
    half, level = min(1, season // 96), max(3, season // 48)
    similar = tuple(
        SimilarSeasons(period, half, level, how, f"similar_{how}_{period}")
        for period in found
        if period % season or period == season
        for how in ("as_is", "scaled", "shifted")
    )
    return (
        LastValue(),
        Smoothed(0.5, "smoothed_fast"),
        Smoothed(0.2, "smoothed_slow"),
        DampedTrend(),
        *(SeasonalNaive(period, f"seasonal_naive_{period}") for period in found),
        *similar,
        Regression(found, season, "linear", name="regression_linear"),
        Regression(found, season, "log", name="regression_log"),
    )


def roll(values: Floats, origins: Indices, leads: Indices, season: int, found: tuple[int, ...]) -> Rolled:
    """Forecast ``leads`` steps ahead from each of the ``origins``, which are evenly spaced and rise.

    Nothing said at an origin depends on a later value; only which ``found`` periods are looked for is given.
    ``values[0]`` is known; NaN is missing.
    """
    spacing = int(origins[1] - origins[0]) if len(origins) > 1 else 1
    portfolio = methods(season, found)
    said = np.stack([method.paths(values, origins, leads) for method in portfolio])
    ahead = origins[:, None] + leads[None, :]
    actual = np.where(ahead < len(values), values[np.minimum(ahead, len(values) - 1)], np.nan)
    delays, season_origins = -(-leads // spacing), max(1, season // spacing)
    handicaps = np.array([_UNSMOOTHED if isinstance(method, SeasonalNaive) else 1.0 for method in portfolio])
    share = weights(said, actual, delays, season_origins, handicaps)
    median = np.where(share > 0, share * np.nan_to_num(said), 0.0).sum(axis=0)
    memory = max(_MEMORY * season_origins, _LEAST_MEMORY)
    names = tuple(method.name for method in portfolio)
    return Rolled(origins, names, said, share, quantiles(median, actual, delays, memory), actual)
