"""Crane's effective HPA: the larger of an HPA on the present load and one on the highest load of the coming hour.

gocrane/crane (read 2026-11, main): pkg/prediction/dsp/prediction.go (history of 7 days in steps of 60 s, refitted every
12 h), signal.go, auto_correlation.go and peak.go (periods), estimators.go and config.go (spectrum and its settings),
pkg/prediction/accuracy/accuracy.go (the error that chooses). Only periods of exactly a day or a week count; without one
there is no prediction and the HPA on the present load is left alone.
"""

from dataclasses import dataclass, field
from math import log

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.policies.recommend import UTILISATION, Behaviour, Controller, Load, from_total
from cynosure.twin.port import Seen, Setting, Wanted

_DAY_SECONDS = 86400
_GAP_SECONDS = 3600
_REFIT_SECONDS = 12 * 3600
_SHUFFLES = 100
_PEAK_SECONDS = 4 * 3600
_HIGHEST_FREQUENCY = 1 / 3600
_MOST_ITEMS = 100
_FLOOR = 0.01


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Keeps low frequencies, and of the high ones those with a large amplitude."""

    fewest_items: int
    lowest_amplitude: float
    margin: float

    def next_cycle(self, signal: Floats, cycle: int, step_seconds: float) -> Floats:
        spectrum = np.fft.fft(signal)
        size = np.abs(spectrum) / len(signal)
        ordered = np.sort(size[1 : len(signal) // 2])[::-1]
        least = max(ordered[min(_MOST_ITEMS, len(ordered)) - 1], self.lowest_amplitude)
        if len(ordered) >= self.fewest_items:
            least = min(least, ordered[self.fewest_items - 1])
        frequency = np.arange(len(signal)) / (len(signal) * step_seconds)
        spectrum[(size < least) & (frequency > _HIGHEST_FREQUENCY)] = 0
        last = np.fft.ifft(spectrum).real[-cycle:]
        return np.asarray(np.where(last <= 0, _FLOOR, last) * (1 + self.margin), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest of all cycles at the same time of the cycle."""

    margin: float = 0.0

    def next_cycle(self, signal: Floats, cycle: int, step_seconds: float) -> Floats:
        return np.asarray(signal.reshape(-1, cycle).max(axis=0) * (1 + self.margin), dtype=np.float64)


Estimator = Spectrum | Highest

ESTIMATORS: tuple[Estimator, ...] = tuple(
    Spectrum(items, amplitude, margin)
    for items, amplitude in ((3, 1.0), (50, 0.05))
    for margin in (0.01, 0.10, 0.15, 0.20)
)


def error(actual: Floats, predicted: Floats) -> float:
    """MAPE in which a shortfall of x counts as -log(1 - x) / log(1.25); MAE where the actual value is near zero."""
    if np.any(actual < 1e-3):
        return float(np.mean(np.abs(actual - predicted)))
    over = (predicted - actual) / actual
    with np.errstate(divide="ignore", invalid="ignore"):
        under = -np.log1p(np.maximum(over, -1)) / log(1.25)
    return float(np.mean(np.where(over < 0, under, over)))


def best(estimators: tuple[Estimator, ...], signal: Floats, cycle: int, step_seconds: float) -> Estimator:
    """The one that would have predicted the last cycle best from those before it."""
    before, actual = signal[:-cycle], signal[-cycle:]
    return min(estimators, key=lambda one: error(actual, one.next_cycle(before, cycle, step_seconds)))


def period(signal: Floats, step_seconds: float, rng: np.random.Generator) -> int:
    """Steps of the strongest period: more power than 99 of 100 shuffles, and a peak of the autocorrelation.

    :returns: 0 where there is none.
    """
    spread = float(np.std(signal)) if len(signal) else 0.0
    if spread == 0:
        return 0
    normal = (signal - np.mean(signal)) / spread
    power = np.abs(np.fft.rfft(normal))
    limit = np.sort([np.abs(np.fft.rfft(rng.permutation(normal)))[1:].max() for _ in range(_SHUFFLES)])[-2]
    hints = sorted({len(signal) // int(k) for k in np.flatnonzero(power > limit) if k >= 2}, reverse=True)
    correlation = np.fft.irfft(power**2, len(signal)) / len(signal)
    reach = int(_PEAK_SECONDS / step_seconds)
    peaks = [hint for hint in hints if _is_peak(correlation, hint, min(reach, hint // 2)) and correlation[hint] > 0]
    return max(peaks, key=lambda hint: float(correlation[hint]), default=0)


def _is_peak(values: Floats, at: int, reach: int) -> bool:
    left, right = values[max(0, at - reach) : at + 1], values[at : min(len(values), at + reach + 1)]
    return len(left) > 1 and len(right) > 1 and _slope(left) > 0 > _slope(right)


def _slope(values: Floats) -> float:
    return float(np.polyfit(np.arange(len(values)), values, 1)[0])


def prepared(history: Floats, step_seconds: float) -> Floats:
    """After the last gap of more than an hour, shorter ones filled in a line, in whole cycles of a week or a day."""
    known = np.flatnonzero(np.isfinite(history))
    if len(known) < 2:
        return np.empty(0)
    gaps = np.flatnonzero(np.diff(known) * step_seconds > _GAP_SECONDS)
    known = known[gaps[-1] + 1 :] if len(gaps) else known
    filled = np.interp(np.arange(known[0], len(history)), known, history[known])
    for cycle in (round(7 * _DAY_SECONDS / step_seconds), round(_DAY_SECONDS / step_seconds)):
        cycles = len(filled) // cycle
        if cycles >= 2:
            return filled[-cycles * cycle :]
    return np.empty(0)


def resampled(history: Floats, step_seconds: float, wanted_seconds: float) -> tuple[Floats, float]:
    """Means over the wanted step where the history is finer; its own step where it is coarser."""
    factor = round(wanted_seconds / step_seconds)
    if factor <= 1:
        return history, step_seconds
    whole = len(history) // factor * factor
    return history[len(history) - whole :].reshape(-1, factor).mean(axis=1), step_seconds * factor


@dataclass(slots=True)
class CraneDsp:
    setting: Setting
    utilisation: float = UTILISATION
    estimators: tuple[Estimator, ...] = ESTIMATORS
    history_seconds: float = 7 * _DAY_SECONDS
    sample_seconds: float = 60.0
    prediction_window_seconds: float = 3600.0
    behaviour: Behaviour = field(default_factory=Behaviour)
    name: str = "crane-dsp"
    interval_seconds: float = field(init=False)
    _controller: Controller = field(init=False)
    _rng: np.random.Generator = field(init=False)
    _cycle: Floats = field(init=False)
    _fitted_seconds: float = field(default=float("-inf"), init=False)
    _cycle_begins_seconds: float = field(default=0.0, init=False)
    _step_seconds: float = field(default=60.0, init=False)

    def __post_init__(self) -> None:
        self.interval_seconds = self.behaviour.sync_seconds
        self._controller = Controller(self.behaviour, self.setting.max_replicas)
        self._rng = np.random.default_rng(self.setting.seed)
        self._cycle = np.empty(0)

    def decide(self, seen: Seen) -> Wanted:
        if seen.now_seconds - self._fitted_seconds >= _REFIT_SECONDS:
            self._refit(seen)
        totals = [Load.RPS.total(seen.look(60.0)), *self._coming(seen)]
        target = self.utilisation * Load.RPS.capacity(self.setting)
        recommended = max(from_total(total, target, seen.replicas, self.behaviour.tolerance) for total in totals)
        return Wanted(self._controller.settle(seen.now_seconds, seen.replicas, recommended))

    def _coming(self, seen: Seen) -> list[float]:
        """The highest load predicted, or nothing: a metric without a prediction is not given to the HPA at all."""
        if len(self._cycle) == 0:
            return []
        begin = int((seen.now_seconds - self._cycle_begins_seconds) // self._step_seconds)
        steps = np.arange(begin, begin + max(1, int(self.prediction_window_seconds // self._step_seconds)))
        return [float(np.max(self._cycle[steps % len(self._cycle)]))]

    def _refit(self, seen: Seen) -> None:
        self._fitted_seconds, self._cycle_begins_seconds = seen.now_seconds, seen.history_until_seconds
        whole, self._step_seconds = resampled(seen.history, seen.history_step_seconds, self.sample_seconds)
        signal = prepared(whole[-int(self.history_seconds / self._step_seconds) :], self._step_seconds)
        cycle = period(signal, self._step_seconds, self._rng)
        self._cycle = np.empty(0)
        if cycle in [round(days * _DAY_SECONDS / self._step_seconds) for days in (1, 7)]:
            chosen = best(self.estimators, signal, cycle, self._step_seconds)
            self._cycle = chosen.next_cycle(signal, cycle, self._step_seconds)
