"""Rolling-origin evaluation: how good forecasts ``horizon`` steps ahead would have been on a known series."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from cynosure.errors import BadInput
from cynosure.forecast.calibrate import LEVELS
from cynosure.forecast.fit import MEDIAN, Horizon, fit_forecast, wape
from cynosure.forecast.grid import on_grid
from cynosure.forecast.periods import periods
from cynosure.forecast.portfolio import Rolled, roll
from cynosure.forecast.windows import Indices, at, filled
from cynosure.model.forecast import Forecast
from cynosure.model.signals import Floats, Series

_TIMED_FITS: Final = 3
_CHUNKS: Final = 7
"""The past is cut into so many chunks for one replay each: from origin to origin a replay would hardly differ."""
_FEWEST_CHUNKED: Final = 500
_MOST_STEPS: Final = 3e7


@dataclass(frozen=True, slots=True)
class Protocol:
    """``start_fraction`` of the series is history; then every ``stride``-th step is forecast ``horizon.steps`` ahead.

    ``history_steps`` is that of the product: how much it remembers.
    """

    horizon: Horizon
    start_fraction: float = 0.8
    stride: int = 1
    history_steps: int = 20160


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One row for each scored step; ``quantiles`` has a column for each of LEVELS. Seconds are of this machine."""

    times: Floats
    actual: Floats
    quantiles: Floats
    last_value: Floats
    seasonal_naive: Floats
    method_share: dict[str, float]
    fit_seconds: float
    predict_seconds_p99: float

    @property
    def wape(self) -> float:
        return wape(self.actual, self.quantiles[:, MEDIAN])

    @property
    def quantile_loss(self) -> float:
        """Pinball loss, twice, over all levels, as a share of the actual values (weighted quantile loss)."""
        error, level = self.actual[:, None] - self.quantiles, np.array(LEVELS)[None, :]
        pinball = np.maximum(level * error, (level - 1) * error).mean(axis=1)
        return wape(self.actual, self.actual - 2 * pinball)

    def coverage(self, level: float) -> float:
        """Return the share of the steps at or below the quantile ``level``, one of LEVELS."""
        return float(np.mean(self.actual <= self.quantiles[:, LEVELS.index(level)]))


def evaluate(series: Series, protocol: Protocol, progress: Callable[[float], None] = lambda share: None) -> Scores:
    """Forecast each step from what was known ``horizon.steps`` before it; a missing step is not scored.

    :raises BadInput: the series is too short for this start and horizon.
    """
    horizon = protocol.horizon
    until = float(series.times[-1]) + horizon.step_seconds / 2  # a sample stands in the middle of its bin
    _check_span(series, horizon)
    values = on_grid(series, until, horizon.step_seconds).values
    targets = _targets(values, protocol)
    origins = targets - horizon.steps
    quantiles, share = np.empty((len(targets), len(LEVELS))), dict[str, float]()
    for rows, rolled in _rolled(values, origins, protocol):
        quantiles[rows] = rolled.quantiles[:, 0]
        for method, weight in zip(rolled.methods, rolled.weights[:, :, 0].sum(axis=1).tolist(), strict=True):
            share[method.name] = share.get(method.name, 0.0) + weight / len(targets)
        progress(float(rows[-1] + 1) / len(targets))
    fit_seconds, look_up_seconds = _timed(values, origins, protocol)
    return Scores(
        times=series.times[-1] - horizon.step_seconds * (len(values) - 1.0 - targets),
        actual=values[targets],
        quantiles=quantiles,
        last_value=filled(values)[origins],
        seasonal_naive=_seasonal_naive(values, targets, horizon),
        method_share=share,
        fit_seconds=fit_seconds,
        predict_seconds_p99=look_up_seconds,
    )


def _check_span(series: Series, horizon: Horizon) -> None:
    span = float(series.times[-1] - series.times[0])
    if span / horizon.step_seconds > _MOST_STEPS:
        raise BadInput(
            f"series: {span:g} s in steps of {horizon.step_seconds:g} s, the median spacing, are more than "
            f"{_MOST_STEPS:.0e} steps; look for a wrong time, cut the series, or make its spacing wider"
        )


def _targets(values: Floats, protocol: Protocol) -> Indices:
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


def _rolled(values: Floats, origins: Indices, protocol: Protocol) -> Iterator[tuple[Indices, Rolled]]:
    """Yield rows of ``origins`` and what the product would have said there.

    One replay serves a chunk of origins: the first of them is replayed as in the product, the others a little longer.
    """
    horizon, (steps, spacing) = protocol.horizon, protocol.horizon.replay
    leads, season = np.array([horizon.steps]), horizon.season_steps
    chunk = max(protocol.history_steps // _CHUNKS, _FEWEST_CHUNKED)
    for rows in np.split(np.arange(len(origins)), _cuts(origins, chunk)):
        begin, end = int(origins[rows[0]]), int(origins[rows[-1]]) + 1
        first = _first_known(values, max(begin + 1 - protocol.history_steps, 0))
        back = min(steps, begin - first) // spacing * spacing
        learning = np.arange(begin - back, end, spacing) - first
        found = periods(values[first : begin + 1], season)
        yield rows, roll(values[first:end], origins[rows] - first, learning, leads, season, found)


def _cuts(origins: Indices, chunk: int) -> Indices:
    """Where a new chunk of at most so many steps begins."""
    return np.flatnonzero(np.diff((origins - origins[0]) // chunk)) + 1


def _first_known(values: Floats, index: int) -> int:
    return index + int(np.flatnonzero(np.isfinite(values[index:]))[0])


def _seasonal_naive(values: Floats, targets: Indices, horizon: Horizon) -> Floats:
    """The newest known value at the target's phase that is known at the origin; the last value where none is."""
    origins, season = targets - horizon.steps, horizon.season_steps
    index = targets - -(-horizon.steps // season) * season
    naive = at(values, index)
    while (unknown := np.isnan(naive) & (index >= 0)).any():
        index = index - season
        naive = np.where(unknown, at(values, index), naive)
    return np.where(np.isnan(naive), filled(values)[origins], naive)


def _timed(values: Floats, origins: Indices, protocol: Protocol) -> tuple[float, float]:
    """Return the mean seconds of a fit as the product does it, and the 99th percentile of looking a forecast up."""
    fits, look_ups, step = [], [], protocol.horizon.step_seconds
    for origin in origins[:: -(-len(origins) // _TIMED_FITS)].tolist():
        past = values[_first_known(values, max(origin + 1 - protocol.history_steps, 0)) : origin + 1]
        history = Series(np.arange(1.0, len(past) + 1) * step, past)
        began = perf_counter()
        forecast = fit_forecast(history, len(past) * step, protocol.horizon)
        fits.append(perf_counter() - began)
        if forecast is not None:
            look_ups += [_seconds_to_look_up(forecast, level) for level in LEVELS]
    return float(np.mean(fits)), float(np.quantile(look_ups, 0.99))


def _seconds_to_look_up(forecast: Forecast, level: float) -> float:
    began, reach = perf_counter(), len(forecast.values) * forecast.step_seconds
    forecast.peak_rps(level, forecast.made_at_seconds, forecast.made_at_seconds + reach)
    return perf_counter() - began
