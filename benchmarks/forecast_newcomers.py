"""What a service that is new gains from its fleet: forecasts after minutes or hours of history, borrowed and not.

Every service of a fleet in turn is the new one. The others lend what they knew after three fifths of the series; then
it is as if it began ``history_steps`` before each of many moments of the rest.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from cynosure.forecast import LEVELS, Horizon, Learner, Worth, fleet_worth
from cynosure.model.signals import Floats, Series
from forecast_series import Fleet, fleets

HISTORY_STEPS: Final = (2, 6, 18, 36, 72)
AHEAD: Final = (1, 3, 6)
_LENT_AFTER: Final = 0.6
_MOMENTS: Final = 24
_SEASON_SECONDS: Final = 86400.0
_MEDIAN: Final = LEVELS.index(0.5)


def measured() -> Iterator[dict[str, Any]]:
    """One row for each fleet, history and distance: errors as a share of the last value's, and coverage."""
    for fleet in fleets():
        horizon = Horizon(fleet.step_seconds, AHEAD[-1] * fleet.step_seconds, _SEASON_SECONDS)
        lent = [_lent(values, horizon) for values in fleet.services]
        for steps in HISTORY_STEPS:
            alone, borrowing = (_each_said(fleet, steps, horizon, ways) for ways in _ways(lent))
            yield from (_row(fleet, steps, ahead, alone, borrowing) for ahead in AHEAD)


def _ways(lent: list[Worth]) -> tuple[list[Worth], list[Worth]]:
    return [{}] * len(lent), [fleet_worth(lent[:n] + lent[n + 1 :]) for n in range(len(lent))]


def _lent(values: Floats, horizon: Horizon) -> Worth:
    past = values[: round(_LENT_AFTER * len(values))]
    learner = Learner(horizon)
    learner.forecast(_series(past, horizon), len(past) * horizon.step_seconds)
    return learner.worth or {}


def _series(values: Floats, horizon: Horizon) -> Series:
    known = np.flatnonzero(np.isfinite(values))
    return Series((known + 1.0) * horizon.step_seconds, values[known])


def _each_said(fleet: Fleet, steps: int, horizon: Horizon, borrowed: list[Worth]) -> list[Floats]:
    return [_said(fleet, n, steps, horizon, worth) for n, worth in enumerate(borrowed)]


def _said(fleet: Fleet, n: int, steps: int, horizon: Horizon, borrowed: Worth) -> Floats:
    """Return (moments, ahead, 4): the outcome, the last value, the median, and whether it is at or below 0.9."""
    values, rows = fleet.services[n], []
    for now in np.linspace(_LENT_AFTER * len(values), len(values) - AHEAD[-1] - 1, _MOMENTS).astype(int).tolist():
        history = _series(values[now - steps : now], horizon)
        forecast = Learner(horizon).forecast(history, steps * horizon.step_seconds, borrowed)
        if forecast is None or not np.isfinite(values[now - 1]):
            continue
        outcome = values[now - 1 + np.array(AHEAD)]
        said = forecast.values[np.array(AHEAD) - 1]
        within = np.where(np.isfinite(outcome), outcome <= said[:, LEVELS.index(0.9)], np.nan)
        rows.append(np.stack([outcome, np.full(len(AHEAD), values[now - 1]), said[:, _MEDIAN], within], axis=1))
    return np.array(rows)


def _row(fleet: Fleet, steps: int, ahead: int, alone: list[Floats], borrowing: list[Floats]) -> dict[str, Any]:
    at = AHEAD.index(ahead)
    return {
        "fleet": fleet.name,
        "services": len(fleet.services),
        "history_steps": steps,
        "horizon_steps": ahead,
        "alone": round(_relative([rows[:, at] for rows in alone]), 4),
        "borrowing": round(_relative([rows[:, at] for rows in borrowing]), 4),
        "coverage": {"0.9": round(float(np.nanmean(np.concatenate([rows[:, at, 3] for rows in borrowing]))), 4)},
    }


def headlines(rows: list[dict[str, Any]]) -> Iterator[str]:
    for fleet in dict.fromkeys(row["fleet"] for row in rows):
        own = [row for row in rows if row["fleet"] == fleet]
        alone, borrowing = (geometric_mean(float(row[way]) for row in own) for way in ("alone", "borrowing"))
        yield f"new services, {fleet}: error over that of the last value {alone:.3f} alone, {borrowing:.3f} borrowing"


def _relative(services: list[Floats]) -> float:
    """Return the geometric mean over services of the median's error as a share of the last value's."""
    ratios = []
    for rows in services:
        outcome, last, median, _ = rows[np.isfinite(rows).all(axis=1)].T
        if (base := np.abs(outcome - last).sum()) > 0:
            ratios.append(max(float(np.abs(outcome - median).sum() / base), 1e-3))
    return geometric_mean(ratios)


def geometric_mean(ratios: Iterable[float]) -> float:
    return float(np.exp(np.mean(np.log(list(ratios)))))
