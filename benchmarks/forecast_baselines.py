"""What forecasts have to beat: each answers the same question as the methods of ``cynosure.forecast``.

The naive ones; the automatic models of statsforecast, fitted anew every day and carried forward in between; and the
rules of two predictive autoscalers, written anew after their published sources with their published defaults.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from cynosure.forecast.methods import LastValue, Method
from cynosure.forecast.windows import Indices, at, filled, trailing_mean
from cynosure.model.signals import Floats

_FITTED_ON: Final = 2000
_CARRIED_FORWARD: Final = 600
_LONGEST_ARIMA_SEASON: Final = 24
"""Neither model can be fitted with a season of hundreds of steps; theirs is removed first (mstl)."""


def quick(day: int, step_seconds: float) -> tuple[Method, ...]:
    hour = max(1, round(3600 / step_seconds))
    return (
        LastValue(),
        Before(day, "yesterday"),
        Before(7 * day, "last_week"),
        YesterdayScaled(day, hour),
        HoltWinters(day),
        CraneDsp(day, step_seconds),
    )


def slow(day: int) -> tuple[Method, ...]:
    from statsforecast.models import AutoARIMA, AutoETS  # seconds to import, and an extra

    season = day if day <= _LONGEST_ARIMA_SEASON else 1
    return (
        Automatic(lambda: AutoETS(season_length=season), day, "auto_ets"),
        Automatic(lambda: AutoARIMA(season_length=season), day, "auto_arima"),
        Automatic(lambda: AutoETS(season_length=1), day, "mstl_auto_ets", remove_season=True),
    )


@dataclass(frozen=True, slots=True)
class Before:
    """The newest known value of the same phase; the last value where there is none."""

    season: int
    name: str

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        known = filled(values)
        index = origins[:, None] + leads - -(-leads // self.season) * self.season
        said, last = at(known, index), known[origins][:, None]
        return np.where(np.isfinite(said), said, last)


@dataclass(frozen=True, slots=True)
class YesterdayScaled:
    """Yesterday, times how the last hour compares with the same hour of yesterday."""

    day: int
    hour: int
    name: str = "yesterday_scaled"

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        said = Before(self.day, "").paths(values, origins, leads)
        level = trailing_mean(filled(values), self.hour)
        before = at(level, origins - self.day)
        ratio = np.where(before > 0, level[origins] / np.where(before > 0, before, 1.0), 1.0)
        return said * ratio[:, None]


@dataclass(frozen=True, slots=True)
class HoltWinters:
    """Predictive Horizontal Pod Autoscaler: additive, over four stored seasons, all gains 0.9 as in its examples."""

    season: int
    stored_seasons: int = 4
    gain: float = 0.9
    name: str = "phpa_holt_winters"

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        known, g, m = filled(values), self.gain, self.season
        size = m * min(self.stored_seasons, (int(origins[0]) + 1) // m)
        if size < 2 * m:
            return LastValue().paths(values, origins, leads)
        stored = known[origins[None, :] + np.arange(-size + 1, 1)[:, None]]
        level, trend = stored[:m].mean(axis=0), (stored[m : 2 * m].mean(axis=0) - stored[:m].mean(axis=0)) / m
        seasonal = stored[:m] - level
        for n, value in enumerate(stored):
            before, expected = level, level + trend
            level = g * (value - seasonal[n % m]) + (1 - g) * expected
            trend = g * (level - before) + (1 - g) * trend
            seasonal[n % m] = g * (value - expected) + (1 - g) * seasonal[n % m]
        ahead = [level + h * trend + seasonal[(size - 1 + h) % m] for h in leads.tolist()]
        return np.maximum(np.stack(ahead, axis=1), 0.0)


@dataclass(frozen=True, slots=True)
class CraneDsp:
    """Crane's digital signal processing (gocrane/crane, pkg/prediction/dsp): the last cycle, its spectrum thinned out.

    A week of history is read twice a day; without a period of a day or a week nothing is predicted, and Crane scales
    on the present value. Estimators and margins are its defaults, chosen by its error, which amplifies shortfalls.
    """

    day: int
    step_seconds: float
    name: str = "crane_dsp"

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        known, said = filled(values), LastValue().paths(values, origins, leads)
        for block in _split(origins, max(1, self.day // 2)):
            at_origin = int(origins[block[0]])
            cycle = self._cycle(known[max(0, at_origin + 1 - 7 * self.day) : at_origin + 1])
            if cycle is not None:
                ahead = origins[block][:, None] + leads[None, :] - at_origin - 1
                said[block] = cycle[ahead % len(cycle)]
        return said

    def _cycle(self, history: Floats) -> Floats | None:
        for period in (self.day, 7 * self.day):
            cycles = len(history) // period
            signal = history[len(history) - cycles * period :]
            if cycles >= 2 and _is_periodic(signal, cycles):
                past, last = signal[:-period], signal[-period:]
                best = min(_CRANE_ESTIMATORS, key=lambda e: _crane_error(last, self._estimate(past, period, *e)))
                return self._estimate(signal, period, *best)
        return None

    def _estimate(self, signal: Floats, period: int, fewest: int, low_amplitude: float, margin: float) -> Floats:
        spectrum, size = np.fft.fft(signal), len(signal)
        amplitude, frequency = np.abs(spectrum) / size, np.arange(size) / (size * self.step_seconds)
        ranked = np.sort(amplitude[1 : size // 2])[::-1]
        least = max(float(ranked[min(100, len(ranked)) - 1]), low_amplitude)
        if len(ranked) >= fewest:
            least = min(least, float(ranked[fewest - 1]))
        spectrum[(amplitude < least) & (frequency > 1 / 3600)] = 0
        last = np.fft.ifft(spectrum).real[-period:]
        return np.where(last <= 0, 0.01, last) * (1 + margin)


_CRANE_ESTIMATORS: Final = tuple((n, low, m) for n, low in ((3, 1.0), (50, 0.05)) for m in (0.01, 0.1, 0.15, 0.2))


def _is_periodic(signal: Floats, cycles: int) -> bool:
    """Whether no slower component is stronger than that of one cycle."""
    amplitude = np.abs(np.fft.rfft(signal))[1 : len(signal) // 2]
    return bool(np.argmax(amplitude[:cycles]) == cycles - 1)


def _crane_error(actual: Floats, said: Floats) -> float:
    if (actual < 1e-3).any():
        return float(np.abs(actual - said).mean())
    short = np.clip((actual - said) / actual, None, 1 - 1e-12)
    return float(np.where(short > 0, -np.log(1 - np.maximum(short, 0)) / math.log(1.25), -short).mean())


@dataclass(frozen=True, slots=True)
class Automatic:
    """A model of statsforecast; with ``remove_season`` on what MSTL (Bandara et al. 2021) leaves without the season."""

    make: Callable[[], Any]
    day: int
    name: str
    remove_season: bool = False

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        known, said = filled(values), LastValue().paths(values, origins, leads)
        for block in _split(origins, self.day):
            begin = int(origins[block[0]])
            history = known[max(0, begin + 1 - _FITTED_ON) : begin + 1]
            season = self._season(history)
            phase = np.arange(len(known) + int(leads[-1])) - begin - 1
            pattern = season[phase % len(season)]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = self.make().fit(history - pattern[begin + 1 - len(history) : begin + 1])
                for n, origin in zip(block.tolist(), origins[block].tolist(), strict=True):
                    first = max(0, origin + 1 - _CARRIED_FORWARD)
                    left = known[first : origin + 1] - pattern[first : origin + 1]
                    mean = model.forward(left, h=int(leads[-1]))["mean"]
                    said[n] = np.maximum(mean[leads - 1] + pattern[origin + leads], 0.0)
        return said

    def _season(self, history: Floats) -> Floats:
        if not self.remove_season or len(history) < 2 * self.day:
            return np.zeros(1)
        from statsforecast.mstl import mstl

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parts = mstl(history, [self.day])
        return np.asarray(parts.filter(like="seasonal").sum(axis=1), dtype=np.float64)[-self.day :]


def _split(origins: Indices, length: int) -> Iterator[Indices]:
    """Rows of ``origins`` in blocks of ``length`` steps of time."""
    cuts = np.flatnonzero(np.diff((origins - origins[0]) // length)) + 1
    yield from np.split(np.arange(len(origins)), cuts)
