"""How far off forecasts are just now: the unit in which the quantiles are learned.

Errors come in spells, as those of markets do, and at their hours: the middle of what they were lately, over the last
hours, and over those by what this time of other days is to a whole day, says more than any of the three (after Corsi,
A Simple Approximate Long-Memory Model of Realized Volatility, Journal of Financial Econometrics 2009; here the mean of
the logarithms, since errors differ by orders of magnitude).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cynosure.forecast.windows import Indices
from cynosure.model.signals import Floats

_SPELL: Final = (0.03, 6.0)
_HOURS: Final = (0.3, 12.0)
_DAY: Final = (1.0, 24.0)
"""In seasons, and at least so many origins: how far back an error is of the present spell, of these hours, of a day."""
_SAME_TIME: Final = 0.02
"""In seasons: so much earlier or later is the same time of another day."""
_DAYS: Final = 3
_MOST_ODD: Final = 10.0
"""No time of day is taken to be farther from the usual than by this factor."""
_NO_ERROR: Final = 1e-9


def scales(median: Floats, actual: Floats, due: Floats, delays: Indices, season: int) -> Floats:
    """Return what an error (origins, leads) is usually like, as it is known at each origin.

    ``actual`` (origins, leads) is NaN where missing, ``due`` the error of the forecast whose outcome is known since
    that origin, ``delays`` (leads) origins after it was made. ``season`` is counted in origins.
    """
    memories = np.array([max(share * season, least) for share, least in (_SPELL, _HOURS, _DAY)])
    spell, hours, day = np.maximum(_forgetting(np.abs(due), memories, _first_error(median[0])), _NO_ERROR)
    odd = np.clip(_same_time(np.abs(actual - median), delays, season) / day, 1 / _MOST_ODD, _MOST_ODD)
    expected = hours * np.where(np.isfinite(odd), odd, 1.0)
    middle: Floats = np.cbrt(spell * hours * expected)
    return middle


def _first_error(median: Floats) -> Floats:
    """Arrivals scatter at least like a Poisson process; that is what is known before the first error."""
    return 0.8 * np.sqrt(np.maximum(median, 0.05))


def _forgetting(size: Floats, memories: Floats, first: Floats) -> Floats:
    """Return for each memory the mean so far of ``size`` (origins, leads), which forgets over so many origins.

    NaN is no error. :return: (memories, origins, leads).
    """
    kept = 1 - 1 / memories[:, None]
    means, mean, weight = np.empty((len(memories), *size.shape)), first, np.ones((len(memories), size.shape[1]))
    for n, row in enumerate(size):
        now = np.isfinite(row)
        weight = np.where(now, weight * kept + 1, weight)
        mean = np.where(now, mean + (row - mean) / weight, mean)
        means[:, n] = mean
    return means


def _same_time(size: Floats, delays: Indices, season: int) -> Floats:
    """Return the mean (origins, leads) of ``size`` around the same time of earlier days; NaN where none is known."""
    width = max(1, round(_SAME_TIME * season))
    known = np.isfinite(size)
    sums, counts = (_around(row, width) for row in (np.where(known, size, 0.0), known.astype(np.float64)))
    total, count = np.zeros(size.shape), np.zeros(size.shape)
    for day in _earlier(season, width + int(delays.max())):
        total[day:] += sums[:-day]
        count[day:] += counts[:-day]
    with np.errstate(invalid="ignore"):
        mean: Floats = total / np.where(count > 0, count, np.nan)
    return mean


def _earlier(season: int, latest: int) -> Iterator[int]:
    """Whole days back, without one whose outcomes are not all known by now."""
    return (day * season for day in range(1, _DAYS + 1) if day * season > latest)


def _around(rows: Floats, width: int) -> Floats:
    """Return the sum (origins, leads) from ``width`` origins before to ``width`` after each, as far as they reach."""
    upto = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    at = np.arange(len(rows))
    total: Floats = upto[np.minimum(at + width + 1, len(rows))] - upto[np.maximum(at - width, 0)]
    return total
