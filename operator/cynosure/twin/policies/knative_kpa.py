"""Knative's pod autoscaler: a stable window, and a short one that panics.

knative/serving (read 2026-11, main): pkg/autoscaler/scaling/autoscaler.go for the rule, pkg/autoscaler/config/config.go
for the defaults, pkg/autoscaler/scaling/multiscaler.go for the tick of 2 s. AIBrix's KPA is the same rule.
"""

from dataclasses import dataclass, field
from math import floor, isfinite

from cynosure.twin.policies.recommend import UTILISATION, Load, Stabilised, ceiling, clamp
from cynosure.twin.port import Seen, Setting, Wanted


@dataclass(slots=True)
class KnativeKpa:
    """``panic_share`` is the short window's part of the stable one; rates are factors of the ready replicas."""

    setting: Setting
    load: Load = Load.RPS
    utilisation: float = UTILISATION
    stable_seconds: float = 60.0
    panic_share: float = 0.1
    panic_threshold: float = 2.0
    max_up_rate: float = 1000.0
    max_down_rate: float = 2.0
    scale_down_delay_seconds: float = 0.0
    min_replicas: int = 0
    interval_seconds: float = 2.0
    name: str = "knative-kpa"
    _panic_seconds: float | None = field(default=None, init=False)
    _most_in_panic: int = field(default=0, init=False)
    _begun: bool = field(default=False, init=False)
    _delayed: Stabilised = field(init=False)

    def __post_init__(self) -> None:
        self._delayed = Stabilised(self.scale_down_delay_seconds)

    def decide(self, seen: Seen) -> Wanted:
        self._begin(seen)
        stable = self.load.total(seen.look(self.stable_seconds))
        short = self.load.total(seen.look(self.stable_seconds * self.panic_share))
        if not (isfinite(stable) and isfinite(short)):
            return Wanted(seen.replicas, reason="no data")
        target = self.utilisation * self.load.capacity(self.setting)
        ready = max(1, seen.ready)
        self._panic(seen.now_seconds, ceiling(short / target) / ready)
        wanted = self._within_rates(ceiling(stable / target), ready)
        if self._panic_seconds is not None:
            self._most_in_panic = max(self._most_in_panic, wanted, self._within_rates(ceiling(short / target), ready))
            wanted = self._most_in_panic
        if self.scale_down_delay_seconds > 0:
            wanted = self._delayed.settle(seen.now_seconds, seen.replicas, wanted)
        return Wanted(self._activated(seen, clamp(wanted, self.min_replicas, self.setting.max_replicas)))

    def _begin(self, seen: Seen) -> None:
        """With several replicas it starts in panic, so that a restart without history cannot scale down."""
        if not self._begun and seen.ready > 1:
            self._panic_seconds, self._most_in_panic = seen.now_seconds, seen.ready
        self._begun = True

    def _panic(self, now: float, load: float) -> None:
        if load >= self.panic_threshold:
            self._panic_seconds = now
        elif self._panic_seconds is not None and now - self._panic_seconds > self.stable_seconds:
            self._panic_seconds, self._most_in_panic = None, 0

    def _within_rates(self, wanted: int, ready: int) -> int:
        return clamp(wanted, floor(ready / self.max_down_rate), ceiling(ready * self.max_up_rate))

    def _activated(self, seen: Seen, wanted: int) -> int:
        """Without replicas the activator holds requests and reports them as concurrency: one replica at least."""
        arriving = seen.window is not None and seen.window.arrival_rps > 0
        return max(wanted, 1) if arriving and seen.ready == 0 else wanted
