"""Evidence for verification: latencies from the engines' histograms, replicas and GPUs from what passes have seen."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cynosure.api.directive import BoundMetric
from cynosure.errors import Unavailable
from cynosure.intents.verification import REPLICAS, LatencyEvidence, Range
from cynosure.model.service import Metric, ServiceKey, Target
from cynosure.model.signals import AbsenceReason, Absent
from cynosure.model.snapshot import Observation, Snapshot
from cynosure.observe.prometheus import Metrics, Sample
from cynosure.observe.promql import HISTOGRAMS, duration, quoted

KEPT_SECONDS = 7200.0


@dataclass(frozen=True, slots=True)
class _Seen:
    at_seconds: float
    ready: dict[ServiceKey, int]
    gpus: dict[ServiceKey, frozenset[str]]


@dataclass(slots=True)
class Usage:
    """What each service used, as often as ``sample`` was called with a new snapshot; lost on restart, not invented."""

    latest: Callable[[], Snapshot | None]
    _seen: deque[_Seen] = field(default_factory=deque)

    def sample(self) -> None:
        snapshot = self.latest()
        if snapshot is None or (self._seen and self._seen[-1].at_seconds >= snapshot.now_seconds):
            return
        ready = {o.service.key: o.ready for o in snapshot.observations}
        self._seen.append(_Seen(snapshot.now_seconds, ready, {o.service.key: _gpus(o) for o in snapshot.observations}))
        while self._seen[0].at_seconds < snapshot.now_seconds - KEPT_SECONDS:
            self._seen.popleft()

    def values(self, service: ServiceKey | None, metric: str, since: float, until: float) -> list[float]:
        within = (seen for seen in self._seen if since <= seen.at_seconds <= until)
        if metric == REPLICAS:
            return [float(seen.ready[service]) for seen in within if service in seen.ready]
        wanted = ((seen, [service] if service else list(seen.gpus)) for seen in within)
        return [
            float(len(frozenset[str]().union(*(seen.gpus[key] for key in keys))))
            for seen, keys in wanted
            if all(key in seen.gpus for key in keys)
        ]


def _gpus(observation: Observation) -> frozenset[str]:
    """Physical GPUs that have a partition of this service."""
    return frozenset(replica.slot.gpu for replica in observation.replicas if replica.slot is not None)


class LiveEvidence:
    """``EvidenceSource`` over Prometheus and ``Usage``. Whatever goes wrong is an ``Absent`` that says what."""

    def __init__(self, metrics: Metrics, usage: Usage, sample_seconds: float) -> None:
        self._metrics = metrics
        self._usage = usage
        self._sample_seconds = sample_seconds

    async def latency(
        self, service: ServiceKey, target: Target, since: float, until: float
    ) -> LatencyEvidence | Absent:
        try:
            samples = await self._metrics.instant(latency_query(service, target.metric, since, until))
        except Unavailable as error:
            return Absent(AbsenceReason.ERROR, str(error))
        buckets = buckets_of(samples)
        if not buckets:
            return Absent(AbsenceReason.MISSING, f"Prometheus has no {target.metric} of {service} in the window")
        return LatencyEvidence(buckets)

    async def extremes(self, service: ServiceKey | None, metric: str, since: float, until: float) -> Range | Absent:
        if metric not in (REPLICAS, BoundMetric.GPUS):
            return Absent(AbsenceReason.MISSING, f"{metric} is planned by the profile and not measured here")
        values = self._usage.values(service, metric, since, until)
        if not values:
            return Absent(AbsenceReason.MISSING, f"no planning pass saw {service or 'the services'} in the window")
        expected = max(1, int((until - since) / self._sample_seconds))
        return Range(min(values), max(values), len(values), expected)


def latency_query(service: ServiceKey, metric: Metric, since: float, until: float) -> str:
    """Requests of the window by bucket; ``@`` makes it the same window whenever it is asked."""
    selector = f"{{namespace={quoted(service.namespace)}, service={quoted(service.name)}}}"
    window = duration(until - since)
    return f"sum by (le) (increase({HISTOGRAMS[metric]}_bucket{selector}[{window}] @ {until:.3f}))"


def buckets_of(samples: Iterable[Sample]) -> tuple[tuple[float, float], ...]:
    """(bound in ms, requests at or below), rising; empty if anything in it is no number."""
    try:
        found = sorted((1000 * float(sample.labels["le"]), sample.value) for sample in samples)
    except (KeyError, ValueError):
        return ()
    return tuple(found) if all(math.isfinite(count) for _, count in found) else ()
