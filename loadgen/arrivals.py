"""The instants at which requests are sent: as recorded, or drawn around a rate that changes with time."""

from typing import Literal

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import PEAK_WINDOW_SECONDS, Floats, RateSeries, RequestTrace

Arrivals = Literal["exact", "poisson", "gamma"]
_MOST_BINS_PER_SPAN = 60


def arrival_seconds(series: RateSeries, arrivals: Arrivals, cv: float, random: np.random.Generator) -> Floats:
    """Draw arrivals around the rates of a series, in its own time.

    A renewal process of rate 1 is mapped through the inverse of the expected count (Cinlar, Introduction to Stochastic
    Processes, sec. 4.7), so that a gap or a rate of zero gets nothing. Intervals there are exponential (``poisson``),
    gamma with coefficient of variation ``cv``, or all 1 (``exact``: evenly spaced along the expected count).
    """
    expected = float(series.counted_until(np.array([series.until_seconds]))[0])
    due = _renewals(expected, arrivals, cv, random)
    starts, ends = series.starts[series.rps > 0], series.ends[series.rps > 0]
    edges = np.column_stack([starts, ends]).ravel()
    return np.interp(due, series.counted_until(edges), edges)


def _renewals(expected: float, arrivals: Arrivals, cv: float, random: np.random.Generator) -> Floats:
    if arrivals == "exact":
        return np.arange(0.5, expected)
    if arrivals == "gamma" and not 0 < cv < 100:
        raise BadLoadInput(f"cv: {cv:g} is outside 0 to 100; 1 is as bursty as Poisson")
    shape = 1.0 if arrivals == "poisson" else cv**-2
    due = np.zeros(0)
    while not due.size or due[-1] < expected:
        chunk = random.gamma(shape, 1 / shape, max(64, int(expected * 1.1)))
        due = np.concatenate([due, np.cumsum(chunk) + (due[-1] if due.size else 0.0)])
    return due[due < expected]


def rates_of(trace: RequestTrace) -> RateSeries:
    """Return the rates of a request trace in bins of a minute, or a sixtieth of the trace where that is finer."""
    span = trace.until_seconds - trace.from_seconds
    return trace.rates(min(PEAK_WINDOW_SECONDS, span / _MOST_BINS_PER_SPAN))
