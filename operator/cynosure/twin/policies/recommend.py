"""The arithmetic of the Kubernetes HorizontalPodAutoscaler (v2), which most peers reuse.

Rules and defaults from kubernetes/kubernetes:pkg/controller/podautoscaler/replica_calculator.go and horizontal.go
(release 1.33) and pkg/apis/autoscaling/v2/defaults.go.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, isfinite

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.port import Setting, Window

UTILISATION = 0.7
"""Knative's published target; the fair base of every peer that scales on a value per replica."""


class Load(StrEnum):
    """What a peer counts: both have one value for each replica that is known to be within the SLO."""

    RPS = "rps"
    CONCURRENCY = "concurrency"

    def capacity(self, setting: Setting) -> float:
        """What one replica takes within the targets."""
        return setting.replica_rps if self is Load.RPS else setting.replica_concurrency

    def total(self, window: Window | None) -> float:
        """Over all replicas; NaN when metrics are absent."""
        if window is None:
            return float("nan")
        return window.arrival_rps if self is Load.RPS else float(np.sum(window.running) + np.sum(window.waiting))

    def per_replica(self, window: Window | None) -> Floats:
        """One value for each ready replica; none when metrics are absent."""
        if window is None or len(window.running) == 0:
            return np.empty(0)
        if self is Load.RPS:
            return np.full(len(window.running), window.arrival_rps / len(window.running))
        return window.running + window.waiting


def ceiling(value: float) -> int:
    """The next integer up, blind to the rounding error of a product such as 10 x 1.1."""
    return ceil(round(value, 9))


def within(ratio: float, tolerance: float) -> bool:
    """The edges of the tolerance belong to it."""
    return abs(round(ratio - 1, 9)) <= tolerance


def from_total(total: float, target: float, replicas: int, tolerance: float = 0.1) -> int:
    """An external metric with an average value: the sum shared among the replicas.

    :returns: the present count while the mean is within the tolerance, or when ``total`` is not finite.
    """
    if not isfinite(total) or (replicas > 0 and within(total / (target * replicas), tolerance)):
        return replicas
    return ceiling(total / target)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """``spec.behavior`` of an HPA and the flags of its controller, with the defaults of Kubernetes."""

    sync_seconds: float = 15.0
    tolerance: float = 0.1
    up_pods: int = 4
    up_percent: float = 100.0
    period_seconds: float = 15.0
    up_window_seconds: float = 0.0
    down_window_seconds: float = 300.0


class Stabilised:
    """Recommendations of the past: down to the highest of one window, up to the lowest of another."""

    def __init__(self, down_seconds: float, up_seconds: float = 0.0) -> None:
        self._down_seconds, self._up_seconds = down_seconds, up_seconds
        self._past: deque[tuple[float, int]] = deque()

    def settle(self, now: float, current: int, recommended: int) -> int:
        if not self._past:
            self._past.append((now, current))
        self._past.append((now, recommended))
        longest = max(self._down_seconds, self._up_seconds)
        while len(self._past) > 1 and self._past[0][0] <= now - longest:
            self._past.popleft()
        lowest = min([recommended, *(count for at, count in self._past if at > now - self._up_seconds)])
        highest = max([recommended, *(count for at, count in self._past if at > now - self._down_seconds)])
        return clamp(current, lowest, highest)


class Growth:
    """At most ``up_pods`` or ``up_percent`` more (whichever allows more) within one period."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._added: deque[tuple[float, int]] = deque()

    def limit(self, now: float, current: int, wanted: int) -> int:
        while self._added and self._added[0][0] <= now - self._behaviour.period_seconds:
            self._added.popleft()
        start = current - sum(count for _, count in self._added)
        allowed = max(start + self._behaviour.up_pods, ceiling(start * (1 + self._behaviour.up_percent / 100)))
        granted = min(wanted, max(allowed, current))
        if granted > current:
            self._added.append((now, granted - current))
        return granted


class Controller:
    """From a raw recommendation to the count that an HPA would set."""

    def __init__(self, behaviour: Behaviour, max_replicas: int, min_replicas: int = 1) -> None:
        self._limits = (min_replicas, max_replicas)
        self._stabilised = Stabilised(behaviour.down_window_seconds, behaviour.up_window_seconds)
        self._growth = Growth(behaviour)

    def settle(self, now: float, current: int, recommended: int) -> int:
        steady = self._stabilised.settle(now, current, recommended)
        return clamp(self._growth.limit(now, current, steady), *self._limits)


def clamp(count: int, low: int, high: int) -> int:
    return min(max(count, low), high)
