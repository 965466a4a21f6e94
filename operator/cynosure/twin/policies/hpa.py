"""The Kubernetes HorizontalPodAutoscaler on the requests per second of each pod."""

from dataclasses import dataclass, field

from cynosure.twin.policies.recommend import UTILISATION, Behaviour, Controller, Load, from_total
from cynosure.twin.port import Seen, Setting, Wanted


@dataclass(slots=True)
class Hpa:
    """Every 15 s ``ceil(total / target)``; while the metric is missing it keeps what there is."""

    setting: Setting
    utilisation: float = UTILISATION
    behaviour: Behaviour = field(default_factory=Behaviour)
    name: str = "hpa"
    interval_seconds: float = 15.0
    _controller: Controller = field(init=False)

    def __post_init__(self) -> None:
        self.interval_seconds = self.behaviour.sync_seconds
        self._controller = Controller(self.behaviour, self.setting.max_replicas)

    def decide(self, seen: Seen) -> Wanted:
        target = self.utilisation * Load.RPS.capacity(self.setting)
        total = Load.RPS.total(seen.window)
        recommended = from_total(total, target, seen.replicas, self.behaviour.tolerance)
        return Wanted(self._controller.settle(seen.now_seconds, seen.replicas, recommended))
