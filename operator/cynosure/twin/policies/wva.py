"""llm-d's workload variant autoscaler in its saturation mode: one replica more or less, from KV cache and queue.

llm-d/llm-d-workload-variant-autoscaler (read 2026-11, main), the percentage-based analyzer (V1):
internal/saturation/analyzer.go for the rule, internal/config for the thresholds, and GLOBAL_OPT_INTERVAL = 60 s. Its
queries take the highest value of the last minute.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.policies.recommend import clamp
from cynosure.twin.port import Seen, Setting, Wanted

_SCRAPE_SECONDS = 15.0
_FEWEST_TO_SHRINK = 2


@dataclass(slots=True)
class Wva:
    setting: Setting
    kv_threshold: float = 0.80
    queue_threshold: float = 5.0
    kv_spare_trigger: float = 0.10
    queue_spare_trigger: float = 3.0
    decision_seconds: float = 60.0
    name: str = "wva"
    interval_seconds: float = field(init=False)
    _scraped: deque[tuple[Floats, Floats]] = field(init=False)
    _next_seconds: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.interval_seconds = min(_SCRAPE_SECONDS, self.decision_seconds)
        self._scraped = deque(maxlen=max(1, round(self.decision_seconds / _SCRAPE_SECONDS)))

    def decide(self, seen: Seen) -> Wanted:
        self._scrape(seen)
        if seen.now_seconds < self._next_seconds:
            return Wanted(seen.replicas)
        self._next_seconds = seen.now_seconds + self.decision_seconds
        if not self._scraped:
            return Wanted(seen.replicas, reason="no metrics")
        if seen.ready != seen.replicas:
            return Wanted(seen.replicas, reason="in transition: replicas are pending")
        kv, queue = (np.max([sample[i] for sample in self._scraped], axis=0) for i in (0, 1))
        return Wanted(clamp(seen.ready + self._step(kv, queue), 1, self.setting.max_replicas))

    def _scrape(self, seen: Seen) -> None:
        window = seen.look(_SCRAPE_SECONDS)
        if window is None or len(window.kv_usage) != seen.ready or seen.ready == 0:
            self._scraped.clear()
            return
        if self._scraped and len(self._scraped[-1][0]) != seen.ready:
            self._scraped.clear()
        self._scraped.append((window.kv_usage, window.waiting))

    def _step(self, kv: Floats, queue: Floats) -> int:
        free = (kv < self.kv_threshold) & (queue < self.queue_threshold)
        count = int(np.sum(free))
        spare_kv = self.kv_threshold - float(np.mean(kv[free])) if count else 0.0
        spare_queue = self.queue_threshold - float(np.mean(queue[free])) if count else 0.0
        if self._short(spare_kv, spare_queue):
            return 1
        if count < _FEWEST_TO_SHRINK:
            return 0
        return 0 if self._short(*self._spread(spare_kv, spare_queue, count / (count - 1))) else -1

    def _short(self, spare_kv: float, spare_queue: float) -> bool:
        return round(spare_kv, 9) < self.kv_spare_trigger or round(spare_queue, 9) < self.queue_spare_trigger

    def _spread(self, spare_kv: float, spare_queue: float, factor: float) -> tuple[float, float]:
        """What would be spare if the load of one replica were shared among the others."""
        return (
            self.kv_threshold - (self.kv_threshold - spare_kv) * factor,
            self.queue_threshold - (self.queue_threshold - spare_queue) * factor,
        )
