"""How long it takes from a created pod to a ready one, measured and not assumed."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import quantiles

from cynosure.kube.port import Body
from cynosure.kube.times import seconds
from cynosure.model.service import ServiceKey
from cynosure.observe.replicas import is_replica, ready_at, service_key

REMEMBERED = 50


@dataclass(slots=True)
class LeadTimes:
    """The last starts of each service. A pod counts once, at its first readiness after we saw it without."""

    _starts: dict[ServiceKey, deque[float]] = field(default_factory=dict)
    _counted: set[str] = field(default_factory=set)

    def observe(self, pods: Iterable[Body]) -> None:
        present = set()
        for pod in pods:
            uid = pod["metadata"]["uid"]
            present.add(uid)
            ready, created = ready_at(pod), seconds(pod["metadata"].get("creationTimestamp"))
            if is_replica(pod) and uid not in self._counted and ready and created is not None and not _restarted(pod):
                self._counted.add(uid)
                self._starts.setdefault(service_key(pod), deque(maxlen=REMEMBERED)).append(max(0.0, ready - created))
        self._counted &= present

    def p90_seconds(self, key: ServiceKey) -> float | None:
        """The 90th percentile of the remembered starts: a median would be late every other time."""
        starts = self._starts.get(key)
        if not starts:
            return None
        return starts[0] if len(starts) == 1 else quantiles(starts, n=10, method="inclusive")[-1]


def _restarted(pod: Body) -> bool:
    """Then its readiness is of a later start than its creation."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return any(status.get("restartCount", 0) for status in statuses)
