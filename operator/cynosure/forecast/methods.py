"""The portfolio. Every method answers one question, so that back-test and forecast cannot differ.

``paths(values, origins, horizon)`` returns an array (origins, horizon): row i is the forecast of the ``horizon`` steps
after index ``origins[i]``, made from ``values[: origins[i] + 1]`` only. NaN is "cannot say".
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cynosure.model.signals import Floats

Indices = NDArray[np.int64]


class Method(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def wanted_steps(self) -> int:
        """How much history it needs before it can say anything."""
        ...

    def paths(self, values: Floats, origins: Indices, horizon: int) -> Floats: ...


@dataclass(frozen=True, slots=True)
class LastValue:
    """The mean of the last ``window`` known values; of one, it is the baseline that others have to beat."""

    window: int = 1
    name: str = "last_value"

    @property
    def wanted_steps(self) -> int:
        return 1

    def paths(self, values: Floats, origins: Indices, horizon: int) -> Floats:
        level = _recent_mean(values, self.window)[origins]
        return np.repeat(level[:, None], horizon, axis=1)


@dataclass(frozen=True, slots=True)
class DampedTrend:
    """Holt's linear trend, damped (Gardner and McKenzie, Management Science 31(10), 1985); gaps keep the state."""

    level_gain: float = 0.4
    trend_gain: float = 0.1
    damping: float = 0.9
    name: str = "damped_trend"

    @property
    def wanted_steps(self) -> int:
        return 6

    def paths(self, values: Floats, origins: Indices, horizon: int) -> Floats:
        levels, trends = self._filter(values)
        damped = np.cumsum(self.damping ** np.arange(1, horizon + 1))
        return np.maximum(levels[origins][:, None] + trends[origins][:, None] * damped[None, :], 0.0)

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


@dataclass(frozen=True, slots=True)
class Seasonal:
    """The mean of the same phase in the last ``seasons`` seasons, each smoothed over ``2·half_window + 1`` steps.

    With ``follow_level`` it is scaled by how the last ``level_window`` steps compare with what it would have said for
    them, within a factor of two: a day that is busier than the one before stays busier for a while.
    """

    season: int
    seasons: int
    half_window: int
    follow_level: bool = False
    level_window: int = 12
    name: str = "seasonal_naive"

    @property
    def wanted_steps(self) -> int:
        return self.season + self.half_window

    def paths(self, values: Floats, origins: Indices, horizon: int) -> Floats:
        smooth = _centred_mean(values, self.half_window)
        ahead = np.arange(1, horizon + 1)
        shape = self._same_phase(smooth, origins[:, None] + ahead[None, :], origins[:, None])
        if not self.follow_level:
            return shape
        return shape * self._ratio(values, smooth, origins)[:, None]

    def _same_phase(self, smooth: Floats, targets: Indices, origins: Indices) -> Floats:
        """Average over past seasons; a smoothed value may only be used when its whole window is past."""
        distance = targets - origins + self.half_window
        first = -(-distance // self.season)
        found = []
        for back in range(self.seasons):
            index = targets - (first + back) * self.season
            found.append(np.where(index >= 0, smooth[np.maximum(index, 0)], np.nan))
        return _nanmean(np.stack(found), axis=0)

    def _ratio(self, values: Floats, smooth: Floats, origins: Indices) -> Floats:
        behind = np.arange(-self.level_window + 1, 1)
        index = origins[:, None] + behind[None, :]
        actual = np.where(index >= 0, values[np.maximum(index, 0)], np.nan)
        said = self._same_phase(smooth, index, np.broadcast_to(origins[:, None], index.shape))
        both = np.isfinite(actual) & np.isfinite(said)
        above, below = np.where(both, actual, 0.0).sum(axis=1), np.where(both, said, 0.0).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(below > 0, above / below, 1.0)
        return np.clip(ratio, 0.5, 2.0)


def portfolio(season_steps: int) -> tuple[Method, ...]:
    """Return the methods in order of simplicity: an equal error is won by the earlier one."""
    half = max(1, season_steps // 96)
    window = max(3, season_steps // 48)
    plain = Seasonal(season_steps, 1, half)
    mean = Seasonal(season_steps, 3, half, name="seasonal_mean")
    level = Seasonal(season_steps, 2, half, follow_level=True, level_window=window, name="seasonal_level")
    fast = replace(level, level_window=3, name="seasonal_fast_level")
    recent = LastValue(3, "recent_mean")
    return (LastValue(), recent, DampedTrend(), plain, mean, level, fast)


def _recent_mean(values: Floats, window: int) -> Floats:
    """Return for each index the mean of the last ``window`` known values up to it; NaN before the first."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.full(len(values), np.nan)
    sums = np.concatenate([[0.0], np.cumsum(values[known])])
    seen = np.searchsorted(known, np.arange(len(values)), side="right")
    first = np.maximum(seen - window, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(seen > 0, (sums[seen] - sums[first]) / (seen - first), np.nan)


def _centred_mean(values: Floats, half: int) -> Floats:
    """Return the mean of what is known within ``half`` steps of each index; NaN where nothing is."""
    known = np.isfinite(values)
    sums, counts = (np.concatenate([[0.0], np.cumsum(row)]) for row in (np.where(known, values, 0.0), known))
    index = np.arange(len(values))
    first, end = np.maximum(index - half, 0), np.minimum(index + half + 1, len(values))
    count = counts[end] - counts[first]
    mean: Floats = np.where(count > 0, (sums[end] - sums[first]) / np.maximum(count, 1), np.nan)
    return mean


def _nanmean(values: Floats, axis: int) -> Floats:
    """Mean of what is known; NaN, and no warning, where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    result: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return result
