"""Rolling-origin evaluation: how good forecasts ``horizon`` steps ahead would have been on a known series."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from cynosure.errors import BadInput
from cynosure.forecast.fit import LEVELS, Fitted, Horizon, fit, wape
from cynosure.forecast.grid import on_grid
from cynosure.model.signals import Floats, Series

_MEDIAN: Final = LEVELS.index(0.5)


@dataclass(frozen=True, slots=True)
class Protocol:
    """``start_fraction`` of the series is history; then every ``stride``-th step is forecast ``horizon.steps`` ahead.

    ``refit_steps`` and ``history_steps`` are those of the product: how often a method is chosen, and from how much.
    """

    horizon: Horizon
    start_fraction: float = 0.8
    stride: int = 1
    refit_steps: int = 1
    history_steps: int = 20160


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One row for each scored step; ``quantiles`` has a column for each of LEVELS. Seconds are of this machine."""

    times: Floats
    actual: Floats
    quantiles: Floats
    last_value: Floats
    seasonal_naive: Floats
    methods: tuple[str, ...]
    fit_seconds: float
    predict_seconds: Floats

    @property
    def wape(self) -> float:
        return wape(self.actual, self.quantiles[:, _MEDIAN])

    @property
    def quantile_loss(self) -> float:
        """Pinball loss, twice, over all levels, as a share of the actual values (weighted quantile loss)."""
        error, level = self.actual[:, None] - self.quantiles, np.array(LEVELS)[None, :]
        pinball = np.maximum(level * error, (level - 1) * error).mean(axis=1)
        return wape(self.actual, self.actual - 2 * pinball)

    def coverage(self, level: float) -> float:
        """Return the share of the steps at or below the quantile ``level``, one of LEVELS."""
        return float(np.mean(self.actual <= self.quantiles[:, LEVELS.index(level)]))

    @property
    def predict_seconds_p99(self) -> float:
        return float(np.quantile(self.predict_seconds, 0.99))

    @property
    def method_share(self) -> dict[str, float]:
        return {name: self.methods.count(name) / len(self.methods) for name in sorted(set(self.methods))}


def evaluate(series: Series, protocol: Protocol, progress: Callable[[float], None] = lambda share: None) -> Scores:
    """Forecast each step from what was known ``horizon.steps`` before it; a missing step is not scored.

    :raises BadInput: the series is too short for this start and horizon.
    """
    step = protocol.horizon.step_seconds
    until = float(series.times[-1]) + step / 2  # samples stand in the middle of their bin, however they jitter
    values = on_grid(series, until, step).values
    targets = _targets(values, protocol)
    rows, fit_seconds = [], []
    fitted, fitted_at = None, 0
    for n, target in enumerate(targets.tolist()):
        origin = target - protocol.horizon.steps
        past = values[max(0, origin + 1 - protocol.history_steps) : origin + 1]
        if fitted is None or origin - fitted_at >= protocol.refit_steps:
            began = perf_counter()
            fitted, fitted_at = fit(past, protocol.horizon), origin
            fit_seconds.append(perf_counter() - began)
        rows.append(_row(fitted, past, protocol.horizon))
        progress((n + 1) / len(targets))
    quantiles, last, season, methods, seconds = zip(*rows, strict=True)
    return Scores(
        times=series.times[-1] - step * (len(values) - 1.0 - targets),
        actual=values[targets],
        quantiles=np.array(quantiles),
        last_value=np.array(last),
        seasonal_naive=np.array(season),
        methods=methods,
        fit_seconds=float(np.mean(fit_seconds)),
        predict_seconds=np.array(seconds),
    )


def _targets(values: Floats, protocol: Protocol) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    steps, first_known = protocol.horizon.steps, int(np.flatnonzero(np.isfinite(values))[0])
    first = max(round(protocol.start_fraction * len(values)), first_known + steps)
    targets = np.arange(first, len(values), protocol.stride)
    targets = targets[np.isfinite(values[targets])]
    if not len(targets):
        raise BadInput(
            f"series: none of its {len(values)} steps can be forecast {steps} ahead from "
            f"{protocol.start_fraction:g} of it on; use a longer series, a smaller horizon or an earlier start"
        )
    return targets


def _row(fitted: Fitted, past: Floats, horizon: Horizon) -> tuple[Floats, float, float, str, float]:
    began = perf_counter()
    said = fitted.predict(past, horizon.steps)[-1]
    seconds = perf_counter() - began
    last = float(past[np.flatnonzero(np.isfinite(past))[-1]])
    naive = next(_seasons_back(past, horizon), last)
    return said, last, naive, fitted.method.name, seconds


def _seasons_back(past: Floats, horizon: Horizon) -> Iterator[float]:
    """The known values at the target's phase, newest first."""
    target = len(past) - 1 + horizon.steps
    newest = -(-horizon.steps // horizon.season_steps)
    for index in range(target - newest * horizon.season_steps, -1, -horizon.season_steps):
        if np.isfinite(past[index]):
            yield float(past[index])
