"""Which periods a load has: the expected season, seven of them, and others that its autocorrelation shows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cynosure.forecast.windows import Indices, filled, trailing_mean
from cynosure.model.signals import Floats

_LEAST: Final = 8
"""A shorter period is left to the lags of the regression."""
_STRONG: Final = 0.3
_PROMINENT: Final = 0.1
"""So much a peak must rise above the lowest correlation before it; noise on a slow wave has peaks everywhere."""
_ALIKE: Final = 0.1
"""A lag this near to a multiple of a known period is that period."""
_WEEK: Final = 7


def periods(values: Floats, season: int) -> tuple[int, ...]:
    """Return the periods in steps, the expected ``season`` first; one is only there when history is longer than it."""
    known = [period for period in (season, _WEEK * season) if period < len(values)]
    other = _strongest_lag(values, known)
    return (*known, *([other] if other else []))


def _strongest_lag(values: Floats, known: list[int]) -> int | None:
    """The local maximum of the autocorrelation that is largest, is strong, and is nothing like a known period."""
    correlation = autocorrelation(values)[: len(values) // 3]
    inner = correlation[1:-1]
    trough = np.minimum.accumulate(correlation)[:-2]
    high = np.maximum(trough + _PROMINENT, _STRONG)
    peaks = 1 + np.flatnonzero((inner > correlation[:-2]) & (inner >= correlation[2:]) & (inner > high))
    lags = peaks[peaks >= _LEAST]
    for period in known:
        lags = lags[~(_multiple(lags, period) | _multiple(period, lags))]
    while len(lags):
        lag = int(lags[np.argmax(correlation[lags])])
        around = correlation[int((1 - _ALIKE) * lag) : int((1 + _ALIKE) * lag) + 2]
        if correlation[lag] >= around.max():
            return lag
        lags = lags[np.abs(lags / lag - 1) > _ALIKE]  # the slope of a higher peak
    return None


def _multiple(lag: "Indices | int", period: "Indices | int") -> "NDArray[np.bool]":
    ratio = np.asarray(lag) / np.asarray(period)
    times = np.maximum(np.round(ratio), 1)
    return np.asarray(np.abs(ratio - times) <= _ALIKE * np.minimum(times, 2))


def autocorrelation(values: Floats) -> Floats:
    """Return the autocorrelation at every lag from 0 on; gaps are filled with the last known value."""
    centred = filled(values)
    centred = centred - trailing_mean(centred, len(centred))[-1]
    size = 1 << (2 * len(centred) - 1).bit_length()
    power = np.square(np.abs(np.fft.rfft(centred, size)))
    covariance = np.fft.irfft(power, size)[: len(centred)]
    correlation: Floats = covariance / covariance[0] if covariance[0] > 0 else np.zeros(len(centred))
    return correlation
