"""Histories of a load."""

import numpy as np
from cynosure.model.signals import Series

DAY = 600.0
"""Seconds of a compressed day."""


def daily_load(days: float, *, step_seconds: float = 5.0, noise: float = 0.3, seed: int = 1) -> Series:
    """A sine around 10 rps with the period DAY, between 4 and 16, with normal noise."""
    times = np.arange(0.0, days * DAY, step_seconds)
    random = np.random.default_rng(seed)
    values = 10 - 6 * np.cos(2 * np.pi * times / DAY) + noise * random.standard_normal(len(times))
    return Series(times, np.maximum(values, 0.0))


def without(series: Series, first: float, last: float) -> Series:
    """The same with a gap: nothing from ``first`` to ``last`` seconds."""
    kept = (series.times < first) | (series.times > last)
    return Series(series.times[kept], series.values[kept])
