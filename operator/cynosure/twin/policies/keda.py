"""KEDA: an HPA on the answer of a Prometheus query, and its own switch between none and one.

kedacore/keda (read 2026-11, v2.16 and later): pkg/scalers/prometheus_scaler.go, where an empty answer or NaN is 0
unless ``ignoreNullValues`` is false; pkg/scaling/executor/scale_scaledobjects.go, activation and cooldown;
apis/keda/v1alpha1/scaledobject_types.go for the defaults. Metrics that vanish therefore look like no traffic.
"""

from dataclasses import dataclass, field
from math import isfinite

from cynosure.twin.policies.recommend import UTILISATION, Behaviour, Controller, Load, clamp, from_total
from cynosure.twin.port import Seen, Setting, Wanted


@dataclass(slots=True)
class Keda:
    setting: Setting
    load: Load = Load.RPS
    utilisation: float = UTILISATION
    query_window_seconds: float = 60.0
    ignore_null_values: bool = True
    min_replicas: int = 0
    polling_seconds: float = 30.0
    cooldown_seconds: float = 300.0
    behaviour: Behaviour = field(default_factory=Behaviour)
    name: str = "keda"
    interval_seconds: float = field(init=False)
    _controller: Controller = field(init=False)
    _last_active_seconds: float | None = field(default=None, init=False)
    _next_poll_seconds: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.interval_seconds = self.behaviour.sync_seconds
        self._controller = Controller(self.behaviour, self.setting.max_replicas, max(1, self.min_replicas))

    def decide(self, seen: Seen) -> Wanted:
        total = self.load.total(seen.look(self.query_window_seconds))
        if not isfinite(total):
            if not self.ignore_null_values:
                return Wanted(seen.replicas, reason="the query failed")
            total = 0.0
        replicas = seen.replicas
        if seen.now_seconds >= self._next_poll_seconds:
            self._next_poll_seconds = seen.now_seconds + self.polling_seconds
            replicas = self._poll(seen.now_seconds, replicas, active=total > 0)
        if replicas == 0:
            return Wanted(0, reason="inactive for the cooldown period")
        target = self.utilisation * self.load.capacity(self.setting)
        recommended = from_total(total, target, replicas, self.behaviour.tolerance)
        return Wanted(self._controller.settle(seen.now_seconds, replicas, recommended))

    def _poll(self, now: float, replicas: int, *, active: bool) -> int:
        if active or self._last_active_seconds is None:
            self._last_active_seconds = now
            return clamp(replicas, max(1, self.min_replicas), self.setting.max_replicas) if active else replicas
        cooled = now - self._last_active_seconds > self.cooldown_seconds
        return 0 if cooled and self.min_replicas == 0 else max(replicas, self.min_replicas)
