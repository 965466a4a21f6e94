"""Whether an intent has its effect: decided on live metrics, with confidence, and never on the absence of data.

Latencies: each request in the window meets the threshold or not, so the share that does is binomial; the bound is
met when the lower end of its Wilson score interval (E. B. Wilson, JASA 22, 1927) is at the objective, and missed
when the upper end is below it. Looking several times would make a false verdict likelier, so there are at most
``LOOKS`` of them, after one, two and four windows, each at a third of the error (Bonferroni).
GPUs, watts and replicas: the extremes over the window, from enough samples. A service that was made is verified once it
serves, and never rolled back.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

from cynosure.api.conditions import Reason, Type
from cynosure.api.directive import BoundMetric
from cynosure.api.intent_status import Measurement
from cynosure.api.scalars import decimal
from cynosure.intents.effects import Creation, Effect, LatencyLimit, Pin, ReplicaLimit, UseLimit
from cynosure.model.condition import Condition, Status
from cynosure.model.service import ServiceKey, Target
from cynosure.model.signals import Absent

LOOKS = 3
ERROR = 0.05
MIN_REQUESTS = 50
MIN_COVERAGE = 0.8
"""Share of the expected samples that must be there for a maximum to mean anything."""
REPLICAS = "replicas"
ALL_SERVICES = "all-services"
"""Stands in a measurement for the sum over all."""

_Z = NormalDist().inv_cdf(1 - ERROR / LOOKS)
_UNITS = {BoundMetric.GPUS: "count", BoundMetric.WATTS: "W", BoundMetric.COST_PER_HOUR: "perHour"}


@dataclass(frozen=True, slots=True)
class LatencyEvidence:
    """Requests over a window: ``buckets`` are (upper bound in ms, requests at or below it), rising; the last is all."""

    buckets: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Extremes over a window, from ``samples`` of the ``expected`` ones."""

    least: float
    most: float
    samples: int
    expected: int


class EvidenceSource(Protocol):
    """Live metrics over [since, until], Unix seconds. A failure is an ``Absent``, never an exception."""

    async def latency(
        self, service: ServiceKey, target: Target, since: float, until: float
    ) -> LatencyEvidence | Absent: ...

    async def extremes(self, service: ServiceKey | None, metric: str, since: float, until: float) -> Range | Absent:
        """Of ``replicas`` (ready ones), ``gpus``, ``watts`` or ``cost_per_hour``; None means the sum over all."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """``met`` is None while open."""

    measurement: Measurement
    met: bool | None
    message: str


def measurable(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    return tuple(e for e in effects if isinstance(e, LatencyLimit | UseLimit | ReplicaLimit | Creation) or _pins(e))


def _pins(effect: Effect) -> bool:
    return isinstance(effect, Pin) and effect.replicas > 0


async def find(effect: Effect, source: EvidenceSource, since: float, until: float) -> Finding:
    match effect:
        case LatencyLimit(service, target):
            return latency_finding(service, target, await source.latency(service, target, since, until))
        case UseLimit(use_of, metric, limit):
            seen = await source.extremes(use_of, metric.value, since, until)
            return range_finding(use_of, metric.value, _UNITS[metric], None, limit, seen)
        case ReplicaLimit(service, least, most):
            seen = await source.extremes(service, REPLICAS, since, until)
            return range_finding(service, REPLICAS, "count", least, most, seen)
        case Pin(service, replicas):
            seen = await source.extremes(service, REPLICAS, since, until)
            return range_finding(service, REPLICAS, "count", replicas, replicas, seen)
        case Creation(service):
            return serving_finding(service, await source.extremes(service, REPLICAS, since, until))
    raise TypeError(f"{effect} has no effect to measure")


def latency_finding(service: ServiceKey, target: Target, evidence: LatencyEvidence | Absent) -> Finding:
    """Between two bounds of the histogram nobody knows: the verdict must hold for either extreme."""
    if isinstance(evidence, Absent):
        return _finding(service, target.metric, target.milliseconds, "ms", None, None, evidence.message, target)
    total = evidence.buckets[-1][1] if evidence.buckets else 0.0
    surely = max((count for bound, count in evidence.buckets if bound <= target.milliseconds), default=0.0)
    perhaps = min((count for bound, count in evidence.buckets if bound >= target.milliseconds), default=total)
    met = _share_met(surely, perhaps, total, target.objective)
    message = (
        f"{surely:.0f} to {perhaps:.0f} of {total:.0f} requests within {target.milliseconds:g} ms,"
        f" {target.percentile:g} % are wanted"
    )
    value = _quantile(evidence.buckets, target.objective) if total else None
    return _finding(service, target.metric, target.milliseconds, "ms", value, met, message, target)


def _share_met(surely: float, perhaps: float, total: float, objective: float) -> bool | None:
    if total < MIN_REQUESTS:
        return None
    if wilson(surely, total)[0] >= objective:
        return True
    return False if wilson(perhaps, total)[1] < objective else None


def wilson(hits: float, total: float, z: float = _Z) -> tuple[float, float]:
    """The score interval of a share; ``hits`` and ``total`` may be fractions, as rates of counters are."""
    share = min(hits / total, 1.0)
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0)


def _quantile(buckets: Sequence[tuple[float, float]], level: float) -> float | None:
    """The bound of the bucket that the quantile is in; None when it is above the largest finite one."""
    wanted = level * buckets[-1][1]
    return next((bound for bound, count in buckets if count >= wanted and math.isfinite(bound)), None)


def range_finding(
    service: ServiceKey | None, metric: str, unit: str, least: float | None, most: float | None, seen: Range | Absent
) -> Finding:
    limit = most if most is not None else least or 0.0
    if isinstance(seen, Absent):
        return _finding(service, metric, limit, unit, None, None, seen.message)
    above = most is not None and seen.most > most
    below = least is not None and seen.least < least
    value = seen.least if below or most is None else seen.most
    message = f"{seen.least:g} to {seen.most:g} {metric} over {seen.samples} samples"
    covered = seen.samples >= MIN_COVERAGE * seen.expected > 0
    return _finding(service, metric, limit, unit, value, not (above or below) if covered else None, message)


def serving_finding(service: ServiceKey, seen: Range | Absent) -> Finding:
    """Whether what was made came to serve. Until it does it is open, never missed: engines may load for long."""
    if isinstance(seen, Absent):
        return _finding(service, REPLICAS, 1.0, "count", None, None, seen.message)
    serves = True if seen.most >= 1 else None
    return _finding(service, REPLICAS, 1.0, "count", seen.most, serves, f"{seen.most:g} ready at most")


def _finding(
    service: ServiceKey | None,
    metric: str,
    limit: float,
    unit: str,
    value: float | None,
    met: bool | None,
    message: str,
    target: Target | None = None,
) -> Finding:
    measurement = Measurement(
        service=service.name if service else ALL_SERVICES,
        metric=metric,
        percentile=decimal(target.percentile) if target else None,
        limit=decimal(limit),
        value=None if value is None or not math.isfinite(value) else decimal(value),
        unit=unit,
        met=met is True,
    )
    return Finding(measurement, met, f"{service or '*'} {metric}: {message}")


@dataclass(frozen=True, slots=True)
class Window:
    """``grace_seconds`` is the lead time: until then what was applied cannot have its effect."""

    grace_seconds: float = 120.0
    length_seconds: float = 120.0

    def begins(self, applied_at: float) -> float:
        return applied_at + self.grace_seconds

    def ends(self, since: float) -> list[float]:
        """When the looks at a window that begins at ``since`` take place: each is twice as long as the one before."""
        return [since + self.length_seconds * 2**look for look in range(LOOKS)]


def verdict(findings: Sequence[Finding], look: int) -> Condition:
    """Verified after ``look``, the first being 0. One miss is a breach; anything open waits for the next look."""
    missed = [f.message for f in findings if f.met is False]
    unknown = [f.message for f in findings if f.met is None]
    if missed:
        return Condition(Type.VERIFIED, Status.FALSE, Reason.EFFECT_MISSED, "; ".join(missed))
    if not unknown:
        return Condition(Type.VERIFIED, Status.TRUE, Reason.EFFECT_SEEN, "; ".join(f.message for f in findings))
    if look + 1 < LOOKS:
        return Condition(Type.VERIFIED, Status.UNKNOWN, Reason.MEASURING, "; ".join(unknown))
    message = "unverified, too little to decide on: " + "; ".join(unknown)
    return Condition(Type.VERIFIED, Status.UNKNOWN, Reason.METRICS_MISSING, message)
