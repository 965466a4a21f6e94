"""Moving views of a grid with gaps. Each looks back only, except where its name says centred."""

import numpy as np
from numpy.typing import NDArray

from cynosure.model.signals import Floats

Indices = NDArray[np.int64]


def filled(values: Floats) -> Floats:
    """Return the last known value at each index; NaN before the first."""
    newest = np.where(np.isfinite(values), np.arange(len(values)), 0)
    np.maximum.accumulate(newest, out=newest)
    return values[newest]


def at(values: Floats, index: Indices) -> Floats:
    """Return ``values[index]``; NaN outside of the array."""
    inside = (index >= 0) & (index < len(values))
    return np.where(inside, values.take(index, mode="clip"), np.nan)


def trailing_mean(values: Floats, width: int) -> Floats:
    """Return the mean of the last ``width`` steps at each index; of fewer at the beginning."""
    return _mean(values, behind=width - 1, ahead=0)


def centred_mean(values: Floats, half: int) -> Floats:
    """Return the mean of what is known within ``half`` steps of each index; NaN where nothing is."""
    return _mean(values, behind=half, ahead=half)


def _mean(values: Floats, behind: int, ahead: int) -> Floats:
    known = np.isfinite(values)
    sums = _within(np.where(known, values, 0.0), behind, ahead)
    count = _within(known, behind, ahead)
    mean: Floats = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return mean


def _within(values: "Floats | NDArray[np.bool]", behind: int, ahead: int) -> Floats:
    """Return the sum of the values from ``behind`` steps before each index to ``ahead`` steps after it."""
    size = len(values)
    before, after = min(behind, size), min(ahead, size)
    sums = np.zeros(before + 1 + size + after)
    np.cumsum(values, out=sums[before + 1 : before + 1 + size])
    sums[before + 1 + size :] = sums[before + size]
    within: Floats = sums[before + 1 + after :][:size] - sums[:size]
    return within
