"""The predictive HPA: the larger of an HPA's answer now and a forecast of its own answers.

jthomperoo/predictive-horizontal-pod-autoscaler (read 2026-11, v0.13): algorithms/holt_winters/holt_winters.py and
algorithms/linear_regression/linear_regression.py for the models, internal/controllers for the order of the steps, and
examples/simple-holt-winters/phpa.yaml and examples/simple-linear/phpa.yaml for the settings, since there are no others.
The forecast is of replica counts, one step ahead (Holt-Winters) or ``look_ahead_seconds`` ahead (linear).
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from math import isfinite

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.policies.recommend import UTILISATION, Behaviour, Controller, Load, ceiling, clamp, from_total
from cynosure.twin.port import Seen, Setting, Wanted


class Model(StrEnum):
    HOLT_WINTERS = "holt-winters"
    LINEAR = "linear"


@dataclass(frozen=True, slots=True)
class HoltWinters:
    """Additive trend and season with given smoothing; the initial state is the least-squares one, as in statsmodels."""

    alpha: float = 0.9
    beta: float = 0.9
    gamma: float = 0.9
    season: int = 6
    stored_seasons: int = 4

    @property
    def fewest(self) -> int:
        return 10 + 2 * (self.season // 2)

    def forecast(self, series: Floats) -> float:
        return float(_weights(self, len(series)) @ series)


@cache
def _weights(model: HoltWinters, length: int) -> Floats:
    """The next value is linear in the series once the smoothing is given: its weights, (length,).

    Errors are e = A·x + B·y with x the initial level, trend and season, so the best x is -pinv(A)·B·y.
    """
    states = model.season + 2
    level, trend, *season = np.eye(states, states + length)
    errors = []
    for y in np.eye(states + length)[states:]:
        before = level + trend
        errors.append(y - before - season[0])
        seasonal = model.gamma * (y - before) + (1 - model.gamma) * season[0]
        level, last = model.alpha * (y - season[0]) + (1 - model.alpha) * before, level
        trend = model.beta * (level - last) + (1 - model.beta) * trend
        season = [*season[1:], seasonal]
    error = np.array(errors)
    of_state, of_series = error[:, :states], error[:, states:]
    ahead = level + trend + season[0]
    return np.asarray(ahead[states:] - ahead[:states] @ np.linalg.pinv(of_state) @ of_series, dtype=np.float64)


def line_at(times: Floats, values: Floats, at: float) -> float:
    """Ordinary least squares, read at another time; the mean where all times are the same."""
    if len(times) < 2 or np.ptp(times) == 0:
        return float(np.mean(values))
    return float(np.polyfit(times - at, values, 1)[1])


@dataclass(slots=True)
class Phpa:
    setting: Setting
    load: Load = Load.RPS
    utilisation: float = UTILISATION
    model: Model = Model.HOLT_WINTERS
    holt_winters: HoltWinters = field(default_factory=HoltWinters)
    look_ahead_seconds: float = 10.0
    stored_values: int = 6
    behaviour: Behaviour = field(default_factory=Behaviour)
    name: str = "phpa"
    interval_seconds: float = field(init=False)
    _controller: Controller = field(init=False)
    _past: deque[tuple[float, int]] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self.interval_seconds = self.behaviour.sync_seconds
        self._controller = Controller(self.behaviour, self.setting.max_replicas)

    def decide(self, seen: Seen) -> Wanted:
        total = self.load.total(seen.look(60.0))
        if not isfinite(total):
            return Wanted(seen.replicas, reason="no metrics")
        target = self.utilisation * self.load.capacity(self.setting)
        calculated = max(1, from_total(total, target, seen.replicas, self.behaviour.tolerance))
        self._past.append((seen.now_seconds, calculated))
        recommended = clamp(max(calculated, self._predicted(seen.now_seconds)), 1, self.setting.max_replicas)
        self._prune()
        return Wanted(self._controller.settle(seen.now_seconds, seen.replicas, recommended))

    def _predicted(self, now: float) -> int:
        times, counts = np.array(self._past, dtype=np.float64).T
        if self.model is Model.LINEAR:
            return ceiling(line_at(times, counts, now + self.look_ahead_seconds))
        return ceiling(self.holt_winters.forecast(counts)) if len(counts) >= self.holt_winters.fewest else 0

    def _prune(self) -> None:
        """Linear keeps the last values, Holt-Winters whole seasons."""
        if self.model is Model.LINEAR:
            surplus = len(self._past) - self.stored_values
        else:
            season = self.holt_winters.season
            surplus = (len(self._past) // season - self.holt_winters.stored_seasons) * season
        for _ in range(surplus):
            self._past.popleft()
