"""The simple methods of the portfolio. Every method answers one question, so back-test and forecast cannot differ.

``paths(values, origins, leads)`` returns an array (origins, leads): row i is the forecast of the steps ``leads`` after
index ``origins[i]``, made from ``values[: origins[i] + 1]`` only. NaN is "cannot say".
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from cynosure.forecast.windows import Indices, at, filled
from cynosure.model.signals import Floats

_SETTLED: Final = 400
"""Steps after which no exponential smoothing here remembers where it began."""


class Method(Protocol):
    @property
    def name(self) -> str: ...

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats: ...


@dataclass(frozen=True, slots=True)
class LastValue:
    """The baseline that others have to beat."""

    name: str = "last_value"

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        return np.repeat(filled(values)[origins][:, None], len(leads), axis=1)


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """The newest value of the same phase, as it was: what comes every day at the same minute is not smoothed away."""

    season: int
    name: str = "seasonal_naive"

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        back = -(-leads // self.season) * self.season
        return at(filled(values), origins[:, None] + (leads - back)[None, :])


@dataclass(frozen=True, slots=True)
class Smoothed:
    """Exponential smoothing; gaps keep the level."""

    gain: float
    name: str = "smoothed"

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        first, level = max(int(origins[0]) - _SETTLED, 0), np.nan
        levels = np.empty(len(values) - first)
        for n, value in enumerate(values[first:].tolist()):
            if value == value:  # not NaN
                level = value if level != level else level + self.gain * (value - level)
            levels[n] = level
        return np.repeat(levels[origins - first][:, None], len(leads), axis=1)


@dataclass(frozen=True, slots=True)
class DampedTrend:
    """Holt's linear trend, damped (Gardner and McKenzie, Management Science 31(10), 1985); gaps keep the state."""

    level_gain: float = 0.6
    trend_gain: float = 0.2
    damping: float = 0.9
    name: str = "damped_trend"

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        first = max(int(origins[0]) - _SETTLED, 0)
        levels, trends = (row[origins - first][:, None] for row in self._filter(values[first:]))
        damped = self.damping * (1 - self.damping**leads) / (1 - self.damping)
        return np.maximum(levels + trends * damped[None, :], 0.0)

    def _filter(self, values: Floats) -> tuple[Floats, Floats]:
        levels, trends = np.full(len(values), np.nan), np.zeros(len(values))
        level, trend = np.nan, 0.0
        for n, value in enumerate(values.tolist()):
            expected = level + self.damping * trend
            if value == value:  # not NaN
                before = level
                level = value if before != before else expected + self.level_gain * (value - expected)
                moved = 0.0 if before != before else level - before
                trend = self.damping * trend + self.trend_gain * (moved - self.damping * trend)
            levels[n], trends[n] = level, trend
        return levels, trends
