"""Kthena's homogeneous autoscaler: the HPA's ratio, with a panic mode and its own limits of growth.

volcano-sh/kthena (read 2026-11, main): pkg/autoscaler/algorithm/recommendation.go (the ratio), revision.go (limits),
pkg/autoscaler/autoscaler/scaler.go and status.go (panic), webhook/autoscalingpolicy_mutator.go (defaults) and
util/settings.go (15 s). Replicas that are not ready count as idle on the way up, and not at all on the way down.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.policies.recommend import UTILISATION, Load, ceiling, clamp, within
from cynosure.twin.port import Seen, Setting, Wanted


def recommended(values: Floats, target: float, replicas: int, unready: int, tolerance: float) -> int:
    """From the value of each ready replica; ``values`` has at least one."""
    ratio = float(np.mean(values)) / target
    if unready == 0 or ratio < 1:
        return replicas if within(ratio, tolerance) else ceiling(ratio * len(values))
    counted = len(values) + unready
    corrected = float(np.sum(values)) / counted / target
    if within(corrected, tolerance) or corrected < 1:
        return replicas
    return max(replicas, ceiling(corrected * counted))


class InForce:
    """Counts, and the time that they were in force."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._past: deque[tuple[float, int]] = deque()

    def decide(self, now: float, count: int) -> None:
        self._past.append((now, count))

    def lowest(self, now: float, current: int) -> int:
        """The lowest count in force within the window, its edges included."""
        while len(self._past) > 1 and self._past[1][0] < now - self._seconds:
            self._past.popleft()
        return min([current, *(count for _, count in self._past)])


@dataclass(slots=True)
class Kthena:
    setting: Setting
    load: Load = Load.RPS
    utilisation: float = UTILISATION
    window_seconds: float = 15.0
    tolerance: float = 0.10
    up_instances: int = 1
    up_percent: int = 100
    period_seconds: float = 15.0
    down_window_seconds: float = 300.0
    panic_threshold_percent: int = 200
    panic_hold_seconds: float = 60.0
    interval_seconds: float = 15.0
    name: str = "kthena"
    _recommended: deque[tuple[float, int]] = field(default_factory=deque, init=False)
    _in_force: InForce = field(init=False)
    _panic_until_seconds: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._in_force = InForce(self.period_seconds)

    def decide(self, seen: Seen) -> Wanted:
        now, current = seen.now_seconds, seen.replicas
        values = self.load.per_replica(seen.look(self.window_seconds))
        if current == 0:
            return Wanted(1)
        if len(values) == 0 or not np.all(np.isfinite(values)):
            return Wanted(current, reason="no metrics: skipped")
        target = self.utilisation * self.load.capacity(self.setting)
        wanted = recommended(values, target, current, max(0, current - len(values)), self.tolerance)
        wanted = clamp(wanted, 1, self.setting.max_replicas)
        if wanted * 100 >= current * self.panic_threshold_percent:
            self._panic_until_seconds = now + self.panic_hold_seconds
        corrected = clamp(self._corrected(now, current, wanted), 1, self.setting.max_replicas)
        self._recommended.append((now, wanted))
        self._in_force.decide(now, corrected)
        return Wanted(corrected)

    def _corrected(self, now: float, current: int, wanted: int) -> int:
        if now <= self._panic_until_seconds:
            return max(wanted, current)
        if wanted > current:
            lowest = self._in_force.lowest(now, current)
            allowed = max(lowest + self.up_instances, lowest + lowest * self.up_percent // 100)
            return max(current, min(wanted, allowed))
        while self._recommended and self._recommended[0][0] < now - self.down_window_seconds:
            self._recommended.popleft()
        return min(current, max([wanted, *(count for _, count in self._recommended)]))
