"""Choose the method by its rolling-origin error, and turn its residuals into quantiles."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.forecast.grid import on_grid
from cynosure.forecast.methods import Indices, Method, portfolio
from cynosure.model.forecast import Forecast
from cynosure.model.signals import Floats, Series

LEVELS: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)

_MOST_ORIGINS: Final = 240
_FEWEST_RESIDUALS: Final = 20
_LEAST_COVERED: Final = 0.5
"""A method is judged only if it can speak for at least this share of the held-out points."""
_NO_LOAD: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far and how finely to look ahead. ``season_seconds`` is the longest period to expect, normally a day."""

    step_seconds: float
    seconds: float
    season_seconds: float

    @property
    def steps(self) -> int:
        return max(1, int(np.ceil(self.seconds / self.step_seconds - 1e-9)))

    @property
    def season_steps(self) -> int:
        return max(2, round(self.season_seconds / self.step_seconds))


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A method's back-test: ``residuals`` (origins, horizon), in units of the square root of the forecast."""

    method: Method
    wape: float
    residuals: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The method that won the back-test, with what it takes to forecast with it. ``tried`` holds all, best first."""

    method: Method
    simplest: Method
    tried: tuple[Tried, ...]

    @property
    def wape(self) -> float | None:
        return self.tried[0].wape if self.tried else None

    def predict(self, values: Floats, steps: int) -> Floats:
        """Return (steps, LEVELS) for the steps after the end of ``values``; at least one of them must be known."""
        end = np.array([len(values) - 1])
        median, stand_in = (method.paths(values, end, steps)[0] for method in (self.method, self.simplest))
        return quantiles(
            np.where(np.isfinite(median), median, stand_in), self.tried[0].residuals if self.tried else None
        )

    @property
    def reason(self) -> str:
        if not self.tried:
            return "too little history to compare methods; the last value stands in"
        best, *others = self.tried
        second = f", {others[0].method.name} {others[0].wape:.1%}" if others else ""
        return f"{best.method.name} had the smallest error on the held-out end: WAPE {best.wape:.1%}{second}"


def fit_forecast(history: Series, now_seconds: float, horizon: Horizon) -> Forecast | None:
    """Return the forecast from ``now_seconds`` on; None when no sample is known."""
    values = on_grid(history, now_seconds, horizon.step_seconds).values
    if not np.isfinite(values).any():
        return None
    fitted = fit(values, horizon)
    return Forecast(
        made_at_seconds=now_seconds,
        step_seconds=horizon.step_seconds,
        levels=LEVELS,
        values=fitted.predict(values, horizon.steps),
        method=fitted.method.name,
        reason=fitted.reason,
        history_seconds=len(values) * horizon.step_seconds,
        wanted_seconds=2 * horizon.season_seconds,
        backtest_wape=fitted.wape,
    )


def fit(values: Floats, horizon: Horizon) -> Fitted:
    """Choose the method for ``values``, a regular grid where NaN is missing.

    The newest whole season (a quarter of the history where there is less) is held out: each method forecasts it step
    by step from the past only, and the smallest WAPE wins. The quantiles are the winner's median plus the empirical
    quantiles of its residuals at each distance, scaled by the square root of the forecast since arrivals vary like a
    Poisson process. Where nothing can be held out, Poisson quantiles of the last value stand in.
    """
    methods = [m for m in portfolio(horizon.season_steps) if m.wanted_steps <= len(values)]
    results = [result for method in methods if (result := back_test(method, values, horizon)) is not None]
    tried = tuple(sorted(results, key=lambda result: result.wape))
    return Fitted(tried[0].method if tried else methods[0], methods[0], tried)


def back_test(method: Method, values: Floats, horizon: Horizon) -> Tried | None:
    """Forecast the held-out end from rolling origins; None when too little of it can be judged."""
    origins = held_out(len(values), horizon)
    if not len(origins):
        return None
    said = method.paths(values, origins, horizon.steps)
    ahead = origins[:, None] + np.arange(1, horizon.steps + 1)[None, :]
    actual = np.where(ahead < len(values), values[np.minimum(ahead, len(values) - 1)], np.nan)
    known = np.isfinite(actual)
    both = known & np.isfinite(said)
    if both.sum() < max(_FEWEST_RESIDUALS, _LEAST_COVERED * known.sum()):
        return None
    residuals = np.where(both, (actual - said) / _spread(said), np.nan)
    return Tried(method, wape(actual[both], said[both]), residuals)


def wape(actual: Floats, said: Floats) -> float:
    """Return the weighted absolute percentage error, sum |y - said| / sum |y|; of no load at all 0 or 1."""
    total, error = float(np.abs(actual).sum()), float(np.abs(actual - said).sum())
    return error / total if total > _NO_LOAD else float(error > _NO_LOAD)


def held_out(size: int, horizon: Horizon) -> Indices:
    """Return the origins: evenly spread over the last season, or the last quarter of a shorter history."""
    length = min(horizon.season_steps, size // 4)
    first, last = size - 1 - length, size - 2
    if length < 2:
        return np.empty(0, dtype=np.int64)
    count = min(_MOST_ORIGINS, last - first + 1)
    return np.unique(np.linspace(first, last, count).astype(np.int64))


def quantiles(median: Floats, residuals: Floats | None) -> Floats:
    """Return (horizon, levels): rising in the level, never negative, the upper ones never below the median."""
    deviations = np.repeat(_NORMAL[None, :], len(median), axis=0) if residuals is None else _empirical(residuals)
    values = np.maximum(median[:, None] + deviations * _spread(median)[:, None], 0.0)
    upper = np.array(LEVELS) >= 0.5
    values = np.where(upper[None, :], np.maximum(values, median[:, None]), np.minimum(values, median[:, None]))
    rising: Floats = np.maximum.accumulate(values, axis=1)
    return rising


_NORMAL: Final = np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326])
"""Standard normal quantiles at LEVELS, for a spread that no residual has taught yet."""


def _empirical(residuals: Floats) -> Floats:
    """Residual quantiles at each distance; distances with too few residuals take all of them."""
    pooled = residuals[np.isfinite(residuals)]
    rows = []
    for column in residuals.T:
        known = column[np.isfinite(column)]
        rows.append(np.quantile(known if len(known) >= _FEWEST_RESIDUALS else pooled, LEVELS))
    return np.array(rows)


def _spread(said: Floats) -> Floats:
    """The square root of the forecast, with a floor so that a rate near zero keeps a scale."""
    spread: Floats = np.sqrt(np.maximum(np.nan_to_num(said), 0.05))
    return spread
