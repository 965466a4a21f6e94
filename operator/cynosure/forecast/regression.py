"""Direct regression on lags, seasons and the time of day: one small linear model for each lead, learned as time passes.

Everything is relative to the present value, so shrinking the weights shrinks towards the last value, and a level that
has shifted is followed at once. The weights are those of least absolute deviation, which is what WAPE rewards and what
a burst cannot bend (iteratively reweighted least squares, Schlossmacher, JASA 68(344), 1973, one pass: each block of
history is weighted by its errors under the weights learned before it).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from cynosure.forecast.least_absolute import Seen, Weights, learned
from cynosure.forecast.windows import Indices, at, centred_mean, filled, trailing_mean
from cynosure.model.signals import Floats

Known = NDArray[np.bool]
Transform = Literal["linear", "log"]

_LAGS: Final = tuple(range(1, 9))
_MEANS: Final = (3, 6, 12, 24, 48, 96)
_HARMONICS: Final = (1, 2, 3)
_SCALED_BY: Final = 20
"""So many positive values set the scale of the series."""
_MOST_ROWS: Final = 2000
_LOG_FLOOR: Final = 0.05
_FORWARD: Final[dict[Transform, Callable[[Floats], Floats]]] = {
    "linear": lambda y: y,
    "log": lambda y: np.log(y + _LOG_FLOOR),
}
_BACK: Final[dict[Transform, Callable[[Floats], Floats]]] = {
    "linear": lambda z: np.maximum(z, 0.0),
    "log": lambda z: np.maximum(np.exp(np.minimum(z, 50.0)) - _LOG_FLOOR, 0.0),
}
_SLOPE: Final[dict[Transform, Callable[[Floats], Floats]]] = {
    "linear": np.ones_like,
    "log": np.exp,
}


@dataclass(frozen=True, slots=True)
class Regression:
    """``periods`` give the seasonal lags; ``day`` the harmonics and how often the weights are learned again.

    ``shrinkage`` is the ridge penalty in rows: so many observations of no change are believed beforehand.
    """

    periods: tuple[int, ...]
    day: int
    transform: Transform
    shrinkage: float = 30.0
    name: str = "regression"

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        return self.learn(values, origins, leads)[0]

    def learn(self, values: Floats, origins: Indices, leads: Indices) -> "tuple[Floats, Taught | None]":
        """Return the paths, and the regression with what it knows at the last origin; None of too little history."""
        said, taught = np.full((len(origins), len(leads)), np.nan), None
        scale, first = self._beginning(values)
        if first > origins[-1]:
            return said, None
        views = self.views(values, scale)
        rows = views.rows(origins, leads)
        seen = self._seen(views, np.isfinite(values), np.arange(first, int(origins[-1]) + 1), leads)
        for begin, end, weights in learned(seen, self.day, self.shrinkage):
            block = slice(*np.searchsorted(origins, (begin, end)).tolist())
            said[block], taught = weights.moves(rows[:, block]).T, Taught(self, scale, weights)
        return self.said(views, origins, said, scale), taught

    def views(self, values: Floats, scale: float) -> "Views":
        return Views.of(_FORWARD[self.transform](np.maximum(filled(values), 0.0) / scale), self.periods, self.day)

    def said(self, views: "Views", origins: Indices, moves: Floats, scale: float) -> Floats:
        """Return the forecasts (origins, leads) from the moves of the level, never far outside of what was seen."""
        level = views.level
        least, most = (bound.accumulate(level)[origins][:, None] for bound in (np.minimum, np.maximum))
        margin = 0.1 * (most - least)
        return _BACK[self.transform](np.clip(level[origins][:, None] + moves, least - margin, most + margin)) * scale

    def _beginning(self, values: Floats) -> tuple[float, int]:
        """The scale of the series, and the first index at which it is known."""
        positive = np.flatnonzero(values > 0)[:_SCALED_BY]
        if len(positive) < _SCALED_BY:
            return 1.0, len(values)
        return float(values[positive].mean()), int(positive[-1]) + 1

    def _seen(self, views: "Views", known: Known, targets: Indices, leads: Indices) -> Seen:
        """What happened at the ``targets``, thinned out to what a fit needs, and what was known ``leads`` earlier."""
        targets = targets[:: -(-len(targets) // _MOST_ROWS) or 1]
        starts = targets[None, :] - leads[:, None]
        usable = (starts >= 0) & known[targets][None, :] & known[np.maximum(starts, 0)]
        starts = np.maximum(starts, 0)
        rows = [views.rows(row, leads[n : n + 1])[0] for n, row in enumerate(starts)]
        return Seen(
            times=targets,
            rows=np.stack(rows) * usable[:, :, None],
            moves=np.where(usable, views.level[targets][None, :] - views.level[starts], 0.0),
            slopes=_SLOPE[self.transform](views.level[targets])[None, :] * usable,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """A regression with the weights that it has learned, for the leads that it has learned them for."""

    regression: Regression
    scale: float
    weights: Weights

    @property
    def name(self) -> str:
        return self.regression.name

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        views = self.regression.views(values, self.scale)
        return self.regression.said(views, origins, self.weights.moves(views.rows(origins, leads)).T, self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A level as the regression sees it from any index: every feature is a difference to the level there."""

    level: Floats
    smooth: Floats
    half: int
    means: tuple[Floats, ...]
    periods: tuple[int, ...]
    day: int

    @classmethod
    def of(cls, level: Floats, periods: tuple[int, ...], day: int) -> "Views":
        half = max(1, day // 96)
        means = tuple(trailing_mean(level, width) for width in _MEANS)
        return cls(level, centred_mean(level, half), half, means, periods, day)

    def rows(self, index: Indices, leads: Indices) -> Floats:
        """Return (leads, len(index), features); what is unknown makes no difference."""
        here = self.level[index]
        shared = [at(self.level, index - lag) for lag in _LAGS] + [mean[index] for mean in self.means]
        table = []
        for lead in leads.tolist():
            seasonal = [row for period in self.periods for row in self._season(index, lead, period)]
            differences = np.nan_to_num(np.stack([*shared, *seasonal]) - here)
            moves = [np.nan_to_num(self._move(index, lead, period)) for period in self.periods]
            table.append(np.stack([*differences, *moves, *self._clock(index + lead), np.ones(len(index))], axis=1))
        return np.stack(table)

    def _season(self, index: Indices, lead: int, period: int) -> Iterator[Floats]:
        """The phases of the target and of now, one and two periods ago."""
        back = -(-(lead + self.half) // period) * period
        for earlier in (back, back + period):
            yield at(self.smooth, index + lead - earlier)
            yield at(self.smooth, index - earlier)

    def _move(self, index: Indices, lead: int, period: int) -> Floats:
        back = -(-lead // period) * period
        return at(self.level, index + lead - back) - at(self.level, index - back)

    def _clock(self, targets: Indices) -> Iterator[Floats]:
        for harmonic in _HARMONICS if self.periods else ():
            angle = 2 * np.pi * harmonic / self.day * targets
            yield np.sin(angle)
            yield np.cos(angle)
