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
    return np.where(inside, values[np.clip(index, 0, len(values) - 1)], np.nan)


def trailing_mean(values: Floats, width: int) -> Floats:
    """Return the mean of the last ``width`` steps at each index; of fewer at the beginning."""
    return _mean(values, behind=width - 1, ahead=0)


def centred_mean(values: Floats, half: int) -> Floats:
    """Return the mean of what is known within ``half`` steps of each index; NaN where nothing is."""
    return _mean(values, behind=half, ahead=half)


def _mean(values: Floats, behind: int, ahead: int) -> Floats:
    known = np.isfinite(values)
    sums, counts = (np.concatenate([[0.0], np.cumsum(row)]) for row in (np.where(known, values, 0.0), known))
    index = np.arange(len(values))
    first, end = np.maximum(index - behind, 0), np.minimum(index + ahead + 1, len(values))
    count = counts[end] - counts[first]
    mean: Floats = np.where(count > 0, (sums[end] - sums[first]) / np.maximum(count, 1), np.nan)
    return mean
