"""What is common instead of a diagnosis: alerts with fixed thresholds on the newest samples.

Thresholds and durations are those of widely used rules (kubernetes-mixin: pods not ready, crash looping; vLLM's and
KServe's dashboards: p95 above target, requests waiting; idle below 20 %). Each alert stands for its textbook cause.
"""

from collections.abc import Iterator

from cynosure.diagnose import Evidence

_MINUTES = 5


def alerts(evidence: Evidence) -> list[str]:
    """The causes that the alerts that fire stand for, in the order of their severity."""
    return [*_of_pods(evidence), *_of_requests(evidence), *_of_use(evidence)]


def _of_pods(evidence: Evidence) -> Iterator[str]:
    if any(p.waiting.startswith(("ErrImage", "ImagePull")) for p in evidence.pods):
        yield "ImageUnavailable"
    if any(p.ended == "OOMKilled" for p in evidence.pods):
        yield "MemoryLimitLow"
    if any(p.waiting == "CrashLoopBackOff" for p in evidence.pods):
        yield "EngineCrashes"
    if any(not p.is_ready and evidence.now_seconds - p.created_at_seconds > 900 for p in evidence.pods):
        yield "ModelNotLoaded"


def _of_requests(evidence: Evidence) -> Iterator[str]:
    newest = evidence.samples[-_MINUTES:]
    if newest and all(s.arrival_rps is None for s in newest[-2:]):
        yield "PodsNotScraped"
    begin = evidence.now_seconds - 60.0 * _MINUTES
    for target in evidence.service.targets:
        steps = [s for s in evidence.slo if s.target == target and s.at_seconds > begin]
        requests, within = sum(s.requests for s in steps), sum(s.within for s in steps)
        if requests and within / requests < target.objective:
            yield "MaxTooSmall"
    if newest and all((s.waiting or 0) > 5 for s in newest):
        yield "MaxTooSmall"


def _of_use(evidence: Evidence) -> Iterator[str]:
    newest = evidence.samples[-_MINUTES:]
    if newest and all(s.throttled for s in newest):
        yield "GPUThrottled"
    watts, cost = evidence.service.budget.watts, evidence.service.budget.cost_per_hour
    if watts and newest and all((s.watts or 0) > watts for s in newest):
        yield "PowerUnderrated"
    if cost and newest and all((s.cost_per_hour or 0) > cost for s in newest):
        yield "CostUnbounded"
    rates = [(s.arrival_rps, s.replica_rps, s.ready) for s in newest]
    if rates and all(rps is not None and each and rps < 0.2 * each * ready for rps, each, ready in rates):
        yield "MinTooLarge"
