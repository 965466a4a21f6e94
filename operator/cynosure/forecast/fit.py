"""From a history to a forecast: the portfolio is replayed over the recent past, and its last word is the forecast."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.forecast.calibrate import LEVELS, Bands
from cynosure.forecast.combine import combined
from cynosure.forecast.fleet import Worth
from cynosure.forecast.grid import on_grid
from cynosure.forecast.methods import Method
from cynosure.forecast.periods import periods
from cynosure.forecast.portfolio import Rolled, roll
from cynosure.forecast.windows import Indices
from cynosure.model.forecast import COVERED, Forecast
from cynosure.model.signals import Floats, Series

MEDIAN: Final = LEVELS.index(0.5)

_MOST_LEADS: Final = 6
"""So many distances are forecast; what lies between is interpolated."""
_REPLAYED_SEASONS: Final = 3
_FEWEST_REPLAYED: Final = 500
_MOST_ORIGINS: Final = 960
_FEWEST_JUDGED: Final = 8
_SEASONED: Final = 2
"""Seasons of history that similar seasons need."""
_NO_LOAD: Final = 1e-9
_NAMED_WEIGHT: Final = 0.1
"""A method with less is not worth a word in the reason."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far and how finely to look ahead. ``season_seconds`` is the period to expect, normally a day."""

    step_seconds: float
    seconds: float
    season_seconds: float

    @property
    def steps(self) -> int:
        return max(1, int(np.ceil(self.seconds / self.step_seconds - 1e-9)))

    @property
    def season_steps(self) -> int:
        return max(2, round(self.season_seconds / self.step_seconds))

    @property
    def leads(self) -> Indices:
        """The distances that are forecast, closer together near the present, where more is known."""
        return np.unique(np.geomspace(1, self.steps, _MOST_LEADS).round().astype(np.int64))

    @property
    def replay(self) -> tuple[int, int]:
        """How many steps before the present the portfolio is replayed, and how far apart its origins are."""
        steps = max(_REPLAYED_SEASONS * self.season_steps, _FEWEST_REPLAYED)
        return steps, -(-steps // _MOST_ORIGINS)


class Learner:
    """The forecasts of one service, cheaper in a row: what is learned serves until ``learn_seconds`` have passed.

    By default that is the time between two origins of a replay, for which the evaluation does the same. A short history
    is learned anew each time: that costs little, and each sample still tells much.
    """

    def __init__(self, horizon: Horizon, learn_seconds: float | None = None) -> None:
        self._horizon = horizon
        self._learn_seconds = horizon.replay[1] * horizon.step_seconds if learn_seconds is None else learn_seconds
        self._learned_at = -np.inf
        self._fitted: Fitted | None = None

    @property
    def worth(self) -> Worth | None:
        """What other services may borrow; None before two seasons of history."""
        return self._fitted.worth if self._fitted and self._fitted.is_seasoned else None

    def forecast(self, history: Series, now_seconds: float, borrowed: Worth | None = None) -> Forecast | None:
        """Return the forecast from ``now_seconds`` on; None when no sample is known."""
        values = on_grid(history, now_seconds, self._horizon.step_seconds).values
        if not np.isfinite(values).any():
            return None
        is_due = len(values) <= _FEWEST_REPLAYED or now_seconds - self._learned_at >= self._learn_seconds
        if self._fitted is None or is_due:
            self._fitted, self._learned_at = fit(values, self._horizon, borrowed), now_seconds
        return self._fitted.forecast(values, now_seconds)


def fit_forecast(history: Series, now_seconds: float, horizon: Horizon) -> Forecast | None:
    """Return the forecast from ``now_seconds`` on; None when no sample is known."""
    return Learner(horizon).forecast(history, now_seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What was learned: the methods, ``weights`` (methods, leads), the bands of the last origin, and why."""

    horizon: Horizon
    methods: tuple[Method, ...]
    weights: Floats
    bands: Bands
    reason: str
    judged: "Judged | None"
    worth: Worth
    history_steps: int

    @property
    def is_seasoned(self) -> bool:
        return self.history_steps >= _SEASONED * self.horizon.season_steps

    def forecast(self, values: Floats, now_seconds: float) -> Forecast:
        """Forecast from the end of ``values``, of which at least one is known."""
        horizon, now = self.horizon, np.array([len(values) - 1])
        said = np.stack([method.paths(values, now, horizon.leads) for method in self.methods])
        quantiles = self.bands.around(combined(said, self.weights[:, None]), np.array([-1]))[0]
        return Forecast(
            made_at_seconds=now_seconds,
            step_seconds=horizon.step_seconds,
            levels=LEVELS,
            values=_every_step(quantiles, horizon),
            method=self.methods[int(np.argmax(self.weights.mean(axis=1)))].name,
            reason=self.reason,
            history_seconds=len(values) * horizon.step_seconds,
            wanted_seconds=_SEASONED * horizon.season_seconds,
            backtest_wape=self.judged.wape if self.judged else None,
            backtest_coverage=self.judged.coverage if self.judged else None,
        )


def fit(values: Floats, horizon: Horizon, borrowed: Worth | None = None) -> Fitted:
    """Replay the recent past up to the end of ``values`` to learn what each method is worth; ``values[0]`` is known.

    ``borrowed`` is what the methods were worth to other services with this horizon.
    """
    steps, spacing = horizon.replay
    now, found = len(values) - 1, periods(values, horizon.season_steps)
    learning = np.arange(now, max(now - steps, 0) - 1, -spacing)[::-1]
    rolled = roll(values, learning[-1:], learning, horizon.leads, horizon.season_steps, found, borrowed)
    judged = _judged(rolled, horizon)
    return Fitted(
        horizon=horizon,
        methods=rolled.methods,
        weights=rolled.weights[:, -1],
        bands=rolled.bands,
        reason=_reason(rolled, judged, is_lent=bool(borrowed)),
        judged=judged,
        worth=rolled.worth,
        history_steps=len(values),
    )


def wape(actual: Floats, said: Floats) -> float:
    """Return the weighted absolute percentage error, sum |y - said| / sum |y|; of no load at all 0 or 1."""
    total, error = float(np.abs(actual).sum()), float(np.abs(actual - said).sum())
    return error / total if total > _NO_LOAD else float(error > _NO_LOAD)


def _every_step(quantiles: Floats, horizon: Horizon) -> Floats:
    """Interpolate (leads, levels) to (steps, levels)."""
    steps = np.arange(1, horizon.steps + 1)
    return np.stack([np.interp(steps, horizon.leads, column) for column in quantiles.T], axis=1)


@dataclass(frozen=True, slots=True)
class Judged:
    """The last season's forecasts of all leads together: errors, and the share at or below the quantile COVERED."""

    wape: float
    last_value_wape: float
    coverage: float


def _judged(rolled: Rolled, horizon: Horizon) -> Judged | None:
    """None of too few."""
    recent = slice(-max(horizon.season_steps // horizon.replay[1], _FEWEST_JUDGED), None)
    record, origins = rolled.record, np.arange(len(rolled.record.median))[recent]
    actual, median, baseline = (row[recent] for row in (record.actual, record.median, record.baseline))
    upper = rolled.bands.around(median, origins)[:, :, LEVELS.index(COVERED)]
    known = np.isfinite(actual)
    if known.sum() < _FEWEST_JUDGED:
        return None
    return Judged(
        wape=wape(actual[known], median[known]),
        last_value_wape=wape(actual[known], baseline[known]),
        coverage=float(np.mean(actual[known] <= upper[known])),
    )


def _reason(rolled: Rolled, judged: Judged | None, *, is_lent: bool) -> str:
    if judged is None:
        known = "they are weighed as other services found them" if is_lent else "the last value stands in"
        return f"too little history to compare methods; {known}"
    shares = rolled.weights[:, -1].mean(axis=1)
    order = np.argsort(-shares, kind="stable")
    named = [f"{rolled.methods[n].name} {shares[n]:.0%}" for n in order.tolist() if shares[n] >= _NAMED_WEIGHT]
    return (
        f"{', '.join(named) or rolled.methods[order[0]].name}: weighted by their errors over the last seasons; "
        f"together WAPE {judged.wape:.1%} over the newest, the last value {judged.last_value_wape:.1%}; "
        f"{judged.coverage:.0%} of it was at or below the quantile {COVERED:g}"
    )
