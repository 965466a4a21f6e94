"""All methods together: their forecasts from a row of origins, combined, with calibrated quantiles."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.forecast.calibrate import Bands, track
from cynosure.forecast.combine import combined, tempered, weights, worth
from cynosure.forecast.fleet import Worth
from cynosure.forecast.methods import DampedTrend, LastValue, Method, SeasonalNaive, Smoothed
from cynosure.forecast.regression import Regression
from cynosure.forecast.similar import Level, SimilarSeasons
from cynosure.forecast.windows import Indices
from cynosure.model.signals import Floats

_UNSMOOTHED: Final = 1.4
"""One season as it was carries all of its noise, and is lucky more often than good: it has to be clearly better."""


@dataclass(frozen=True, slots=True, eq=False)
class Rolled:
    """What was said from some origins, knowing only what was known there, and what has been learned by the last one.

    ``weights`` (methods, origins, leads), the baseline first; ``quantiles`` (origins, leads, levels); ``worth`` is what
    others may borrow.
    """

    methods: tuple[Method, ...]
    weights: Floats
    quantiles: Floats
    bands: Bands
    record: "Record"
    worth: Worth


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The past forecasts that weights and quantiles were learned from, each (origins, leads); NaN is not known yet."""

    median: Floats
    baseline: Floats
    actual: Floats


def methods(season: int, found: tuple[int, ...]) -> tuple[Method, ...]:
    """Return the portfolio, the baseline first, then in order of simplicity."""
    half, level = min(1, season // 96), max(3, season // 48)
    windows: dict[Level, int] = {"as_is": 1, "scaled": level, "shifted": 1}
    similar = tuple(
        SimilarSeasons(period, half, window, how, f"similar_{how}_{period}")
        for period in found
        if period % season or period == season
        for how, window in windows.items()
    )
    return (
        LastValue(),
        Smoothed(0.5, "smoothed_fast"),
        Smoothed(0.2, "smoothed_slow"),
        Smoothed(0.07, "smoothed_slowest"),
        DampedTrend(),
        *(SeasonalNaive(period, f"seasonal_naive_{period}") for period in found),
        *similar,
        Regression(found, season, "linear", name="regression_linear"),
        Regression(found, season, "log", name="regression_log"),
    )


def _learned(method: Method, values: Floats, origins: Indices, leads: Indices) -> tuple[Floats, Method]:
    """Return the paths, and the method with what it knows at the last origin."""
    if not isinstance(method, Regression):
        return method.paths(values, origins, leads), method
    said, taught = method.learn(values, origins, leads)
    return said, taught or method


def roll(
    values: Floats,
    origins: Indices,
    learning: Indices,
    leads: Indices,
    season: int,
    found: tuple[int, ...],
    borrowed: Worth | None = None,
) -> Rolled:
    """Forecast ``leads`` steps ahead from each of the ``origins``.

    What each method is worth and how far off they are together is learned at the ``learning`` origins, which are evenly
    spaced; an origin between two of them knows what the earlier one does. Nothing said depends on a later value; only
    which ``found`` periods are looked for, and what is ``borrowed``, is given. ``values[0]`` is known; NaN is missing.
    """
    portfolio, every = methods(season, found), np.union1d(learning, origins)
    paths, taught = zip(*(_learned(method, values, every, leads) for method in portfolio), strict=True)
    said = np.stack(paths)
    past = said[:, np.searchsorted(every, learning)]
    spacing = int(learning[1] - learning[0]) if len(learning) > 1 else 1
    delays, season_origins = -(-leads // spacing), max(1, season // spacing)
    ahead = learning[:, None] + leads[None, :]
    actual = np.where(ahead < len(values), values[np.minimum(ahead, len(values) - 1)], np.nan)
    handicaps = np.array([_UNSMOOTHED if isinstance(method, SeasonalNaive) else 1.0 for method in portfolio])
    errors = tempered(past, actual)
    learned = weights(past, errors, delays, season_origins, handicaps, _of(portfolio, borrowed or {}, leads))
    median = combined(past, learned)
    bands = track(median, actual, delays, season_origins)
    newest, present = np.searchsorted(learning, origins, side="right") - 1, said[:, np.searchsorted(every, origins)]
    share = learned[:, newest]
    return Rolled(
        methods=taught,
        weights=share,
        quantiles=bands.around(combined(present, share), newest),
        bands=bands,
        record=Record(median, past[0], actual),
        worth=dict(zip((method.name for method in portfolio), worth(errors), strict=True)),
    )


def _of(portfolio: tuple[Method, ...], borrowed: Worth, leads: Indices) -> Floats:
    """Return what is borrowed for each method (methods, leads); NaN where nothing is."""
    return np.stack([borrowed.get(method.name, np.full(len(leads), np.nan)) for method in portfolio])
