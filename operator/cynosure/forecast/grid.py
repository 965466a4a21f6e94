"""A history on a regular grid. A bin without a sample is NaN: missing, which is not zero."""

from dataclasses import dataclass

import numpy as np

from cynosure.model.signals import Floats, Series


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """``values[n]`` is the mean of the samples in the bin that ends at ``ends_at - (len - 1 - n)·step_seconds``."""

    ends_at_seconds: float
    step_seconds: float
    values: Floats


def on_grid(history: Series, until_seconds: float, step_seconds: float) -> Grid:
    """Bin the samples up to ``until_seconds``; the last bin ends there, the first holds the oldest sample."""
    known = np.isfinite(history.values) & (history.times <= until_seconds)
    times, values = (history.times, history.values) if known.all() else (history.times[known], history.values[known])
    if not len(times):
        return Grid(until_seconds, step_seconds, np.empty(0))
    # A sample exactly on an edge belongs to the bin that ends there.
    back = ((until_seconds - times) / step_seconds + 1e-9).astype(np.int64)
    size = int(back.max()) + 1
    sums = np.bincount(back, values, minlength=size)
    counts = np.bincount(back, minlength=size)
    with np.errstate(invalid="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
    return Grid(until_seconds, step_seconds, means[::-1])
