"""AIBrix's application-specific pod autoscaler: a ratio with unequal tolerances and rates.

vllm-project/aibrix (read 2026-11, main): pkg/controller/podautoscaler/algorithm/apa.go for the rule, context/context.go
for the defaults, autoscaler.go for pending replicas, podautoscaler_controller.go for the cooldown and the 10 s between
decisions. The cooldown of scale-down takes the *lowest* recommendation of its window, as published.
"""

from collections import deque
from dataclasses import dataclass, field
from math import floor

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.policies.recommend import UTILISATION, Load, ceiling, clamp
from cynosure.twin.port import Seen, Setting, Wanted


@dataclass(slots=True)
class AibrixApa:
    setting: Setting
    load: Load = Load.RPS
    utilisation: float = UTILISATION
    window_seconds: float = 60.0
    up_tolerance: float = 0.1
    down_tolerance: float = 0.1
    max_up_rate: float = 2.0
    max_down_rate: float = 2.0
    up_cooldown_seconds: float = 0.0
    down_cooldown_seconds: float = 300.0
    interval_seconds: float = 10.0
    name: str = "aibrix-apa"
    _past: deque[tuple[float, int]] = field(default_factory=deque, init=False)

    def decide(self, seen: Seen) -> Wanted:
        values = self.load.per_replica(seen.look(self.window_seconds))
        if len(values) == 0 or not np.all(np.isfinite(values)) or seen.replicas == 0:
            return Wanted(max(1, seen.replicas), reason="no metrics")
        ratio = float(np.mean(values)) / (self.utilisation * self.load.capacity(self.setting))
        recommended = clamp(self._recommended(seen.replicas, ratio), 1, self.setting.max_replicas)
        recommended = self._with_pending(seen.replicas, values, ratio, recommended)
        return Wanted(clamp(self._cooled(seen, recommended), 1, self.setting.max_replicas))

    def _recommended(self, replicas: int, ratio: float) -> int:
        if ratio > round(1 + self.up_tolerance, 9):
            return min(ceiling(replicas * ratio), ceiling(replicas * self.max_up_rate))
        if ratio < round(1 - self.down_tolerance, 9):
            return max(ceiling(replicas * ratio), floor(replicas / self.max_down_rate))
        return replicas

    def _with_pending(self, replicas: int, values: Floats, ratio: float, recommended: int) -> int:
        """Replicas that start count as idle on the way up, and as exactly at target on the way down."""
        pending = max(0, replicas - len(values))
        if pending == 0 or recommended == replicas:
            return recommended
        load = ratio * len(values)
        if recommended > replicas:
            return clamp(ceiling(load), replicas, recommended)
        return clamp(ceiling(load + pending), recommended, replicas)

    def _cooled(self, seen: Seen, recommended: int) -> int:
        longest = max(self.up_cooldown_seconds, self.down_cooldown_seconds)
        self._past.append((seen.now_seconds, recommended))
        while self._past[0][0] <= seen.now_seconds - longest and len(self._past) > 1:
            self._past.popleft()
        if recommended == seen.replicas:
            return recommended
        up = recommended > seen.replicas
        since = seen.now_seconds - (self.up_cooldown_seconds if up else self.down_cooldown_seconds)
        window = [recommended, *(count for at, count in self._past if at > since)]
        return max(window) if up else min(window)
