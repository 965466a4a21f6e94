"""Faults to inject: into the world that the twin simulates, or into what the API server and Prometheus would say.

Nothing here shares code or thresholds with the rules: a fault knows its cause by name, and whether a fix would mend it
from what is true of its world (what a replica serves is measured in the twin, not read from the profile).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
from cynosure.api import InferenceService
from cynosure.api.directive import Verb
from cynosure.diagnose import Evidence, Expired, FieldChange, Fix, Proposal
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.condition import Condition, Status
from cynosure.model.service import Budget, Mode, ServiceKey
from cynosure.model.signals import AbsenceReason, Absent, Load
from cynosure.model.snapshot import Snapshot
from cynosure.plan import Tuning, plan_cluster
from cynosure.reconcile.diagnosis.facts import engine_of, pod_of
from diagnosis_worlds import HISTORY_SECONDS, MINUTE, PRICE_PER_GPU_HOUR, Watched, World, steady

Random = np.random.Generator
KEY = ServiceKey("twin", "service")
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """``world`` changes what is true, ``touch`` what is told of it. Faults of one ``kind`` exclude each other."""

    cause: str
    kind: str
    mends: Callable[[Fix, Watched], bool]
    world: Callable[[World, Random], World] = lambda world, rng: world
    touch: Callable[[Evidence, Random], Evidence] = lambda evidence, rng: evidence

    @property
    def is_dynamic(self) -> bool:
        return self.kind in ("short", "slow", "late", "spend")


def healthy(rng: Random, hours: float = 2.3) -> World:
    return World(
        steady(rng, hours, float(rng.uniform(15, 40))), int(rng.integers(1 << 30)), float(rng.uniform(30, 120))
    )


def peak_rps(world: World) -> float:
    return float(np.quantile(world.rps, 0.999))


def true_need(watched: Watched) -> int:
    """Replicas for the peak of what was simulated, by what the twin measured of one."""
    simulated = watched.world.rps[int(HISTORY_SECONDS / MINUTE) :]
    return ceil(float(simulated.max()) / watched.replica_rps)


# What mends.


def field(subject: str, path: str, *, after: Callable[[str], bool] = bool) -> Callable[[Fix, Watched], bool]:
    def mends(fix: Fix, watched: Watched) -> bool:
        is_there = isinstance(fix, FieldChange) and subject in fix.subject and path in fix.field
        return is_there and isinstance(fix, FieldChange) and after(fix.after)

    return mends


def directive(verb: Verb, enough: Callable[[Any, Watched], bool] = lambda d, w: True) -> Callable[[Fix, Watched], bool]:
    return lambda fix, watched: (
        isinstance(fix, Proposal) and fix.directive.verb is verb and enough(fix.directive, watched)
    )


def _max_is_enough(asked: Any, watched: Watched) -> bool:
    need = true_need(watched)
    return asked.max is not None and need <= asked.max <= 2 * need + 2


def _min_is_enough(asked: Any, watched: Watched) -> bool:
    need = true_need(watched)
    return asked.min is not None and 0.75 * need <= asked.min <= 1.5 * need + 1


def _grown(text: str) -> bool:
    return float(text) > 0


# Worlds.


def short_of(share: float) -> Callable[[World], int]:
    """So few replicas that they serve only this part of the load."""
    return lambda world: max(1, int(share * _replicas(world)))


def _replicas(world: World) -> float:
    simulated = world.rps[int(HISTORY_SECONDS / MINUTE) :]
    return float(np.median(simulated)) / 3.7


def limited(make: Callable[[World, int], World]) -> Callable[[World, Random], World]:
    return lambda world, rng: make(world, short_of(float(rng.uniform(0.45, 0.75)))(world))


def changed(**fields: Any) -> Callable[[World, int], World]:
    """The service with these fields; a callable is given the number of replicas that are too few."""

    def make(world: World, few: int) -> World:
        values = {name: value(few) if callable(value) else value for name, value in fields.items()}
        before = world.change
        return replace(world, change=lambda service: replace(before(service), **values), start_replicas=few)

    return make


def bounded(**fields: Any) -> Callable[[World, int], World]:
    def make(world: World, few: int) -> World:
        values = {name: value(few) if callable(value) else value for name, value in fields.items()}
        return replace(world, bounds=Bounds({KEY: ServiceBounds(sources=("quiet",), **values)}), start_replicas=few)

    return make


def whole(**fields: Any) -> Callable[[World, int], World]:
    def make(world: World, few: int) -> World:
        values = {name: value(few) if callable(value) else value for name, value in fields.items()}
        return replace(world, bounds=Bounds(**values), start_replicas=few)

    return make


def taken(owner: str) -> Callable[[World, int], World]:
    return lambda world, few: replace(world, frozen=few, start_replicas=few, foreign_owner=owner)


def slower(factor: tuple[float, float], *, hot: bool = False) -> Callable[[World, Random], World]:
    def make(world: World, rng: Random) -> World:
        by = float(rng.uniform(*factor))
        return replace(
            world,
            curves=lambda c: c._replace(step_seconds=by * c.step_seconds, prompt_seconds=by * c.prompt_seconds),
            throttled=hot,
        )

    return make


def small_batches(world: World, rng: Random) -> World:
    return replace(world, curves=lambda c: c._replace(largest_batch=np.full_like(c.largest_batch, 2)))


def bursts(world: World, rng: Random) -> World:
    """Three to four times the load for some minutes, several times an hour, never at the same time twice."""
    rps, minute = world.rps.copy() * 0.4, int(HISTORY_SECONDS / MINUTE)
    while minute < len(rps):
        minute += int(rng.integers(14, 26))
        rps[minute : minute + int(rng.integers(3, 6))] *= rng.uniform(3.0, 4.0)
    return replace(world, rps=rps, lead_seconds=float(rng.uniform(90, 150)))


def slow_starts(world: World, rng: Random) -> World:
    return replace(
        bursts(world, rng), lead_seconds=float(rng.uniform(400, 700)), load_seconds=float(rng.uniform(20, 90))
    )


def growing_without_history(world: World, rng: Random) -> World:
    """Each burst is higher than the last: without a forecast nothing is ever taken away, so lower ones do no harm."""
    calm = replace(world, rps=0.15 * world.rps)
    wild = bursts(calm, rng)
    growth = np.ones(len(wild.rps))
    begin = int(HISTORY_SECONDS / MINUTE)
    growth[begin:] = np.linspace(1.0, 6.0, len(growth) - begin)
    return replace(wild, rps=wild.rps * growth, has_history=False)


def long_requests(world: World, rng: Random) -> World:
    """Attention over long prompts takes more for each token than what short ones were measured with."""
    by = float(rng.uniform(1.6, 2.0))
    longer = replace(world, token_factor=float(rng.uniform(1.6, 2.2)))
    return replace(
        longer, curves=lambda c: c._replace(prompt_seconds=by * c.prompt_seconds, step_seconds=by * c.step_seconds)
    )


# What the API server would show.


def pod(rng: Random, state: Body, *, last: Body | None = None, restarts: int = 0, ready: bool = False) -> Body:
    status = {"name": "engine", "state": state, "lastState": last or {}, "restartCount": restarts, "ready": ready}
    conditions = [{"type": "PodScheduled", "status": "True"}]
    conditions += [{"type": "Ready", "status": "True" if ready else "False"}]
    metadata = {"name": f"service-{rng.integers(1 << 24):06x}", "creationTimestamp": "1970-01-01T00:00:00Z"}
    return {"metadata": metadata, "status": {"containerStatuses": [status], "conditions": conditions}}


def pods(make: Callable[[Random], Body]) -> Callable[[Evidence, Random], Evidence]:
    def touch(evidence: Evidence, rng: Random) -> Evidence:
        running = {"running": {"startedAt": "1970-01-01T00:00:10Z"}}
        well = [pod(rng, running, ready=True) for _ in range(evidence.observation.ready)]
        return replace(evidence, pods=(*evidence.pods, *(pod_of(body) for body in (*well, make(rng)))))

    return touch


def waits(*reasons: str) -> Callable[[Evidence, Random], Evidence]:
    return pods(
        lambda rng: pod(rng, {"waiting": {"reason": str(rng.choice(reasons)), "message": "told by the kubelet"}})
    )


def ended(reason: str, code: int, message: str = "") -> Callable[[Evidence, Random], Evidence]:
    last = {"terminated": {"reason": reason, "exitCode": code, "message": message}}
    back_off = {"waiting": {"reason": "CrashLoopBackOff"}}
    return pods(lambda rng: pod(rng, back_off, last=last, restarts=int(rng.integers(3, 30))))


def loads_forever(evidence: Evidence, rng: Random) -> Evidence:
    return pods(lambda rng: pod(rng, {"running": {"startedAt": "1970-01-01T00:00:05Z"}}))(evidence, rng)


def container(**fields: Any) -> Callable[[Evidence, Random], Evidence]:
    def touch(evidence: Evidence, rng: Random) -> Evidence:
        probe = {"readinessProbe": {"httpGet": {"path": "/health"}}}
        spec = {
            "template": {"spec": {"containers": [{"name": "engine", "image": "registry/engine:1", **probe, **fields}]}}
        }
        body = {"metadata": {"name": "service-2g-20gb", "namespace": "twin"}, "spec": spec}
        return replace(evidence, engine=engine_of([body], _resource()))

    return touch


def _resource() -> InferenceService:
    spec = {
        "model": {"name": "opt", "profile": "opt-1.3b"},
        "engine": {"kind": "vllm"},
        "slo": {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 3000}]},
    }
    return InferenceService.model_validate({"metadata": {"name": "service", "namespace": "twin"}, "spec": spec})


def said(kind: str, reason: str) -> Callable[[Evidence, Random], Evidence]:
    told = Condition(kind, Status.FALSE, reason, "told by the API server")
    return lambda evidence, rng: replace(evidence, conditions=(*evidence.conditions, told))


def replanned(**fields: Any) -> Callable[[Evidence, Random], Evidence]:
    """The conditions that the real planner gives when the service is another one, or has fewer GPUs."""

    def touch(evidence: Evidence, rng: Random) -> Evidence:
        usable, count = fields.get("usable", True), fields.get("count", len(evidence.gpus))
        own = {name: value for name, value in fields.items() if name not in ("usable", "count", "extra")}
        service = replace(evidence.service, **own)
        seen = replace(evidence.observation, service=service)
        gpus = tuple(replace(gpu, usable=usable) for gpu in evidence.gpus[:count])
        profiles = {evidence.profile.name: evidence.profile} if evidence.profile else {}
        more = fields.get("extra", 0)
        if more:
            seen = replace(
                seen, service=replace(service, min_replicas=more, max_replicas=max(more, service.max_replicas))
            )
        plan = plan_cluster(Snapshot(evidence.now_seconds, (seen,), gpus, (), profiles), {}, Bounds(), Tuning())
        fresh = {condition.type: condition for condition in dict(plan.conditions)[service.key]}
        kept = tuple(condition for condition in evidence.conditions if condition.type not in fresh)
        return replace(
            evidence,
            observation=seen,
            gpus=gpus,
            conditions=(*kept, *fresh.values()),
            profile=profiles.get(service.profile),
        )

    return touch


def unread(reason: AbsenceReason, series: frozenset[str] | None = None) -> Callable[[Evidence, Random], Evidence]:
    """The last minutes without metrics: as long as an operator would have seen them."""
    nothing = Absent(reason, "told by the adapter")

    def touch(evidence: Evidence, rng: Random) -> Evidence:
        begin = evidence.now_seconds - float(rng.uniform(780, 3000))
        gone = {"arrival_rps": None, "waiting": None, "running": None, "input_tokens": None, "output_tokens": None}
        samples = tuple(replace(s, **gone) if s.at_seconds > begin else s for s in evidence.samples)
        load = Load(nothing, nothing, nothing, nothing, nothing)
        return replace(
            evidence,
            observation=replace(evidence.observation, load=load),
            samples=samples,
            slo=tuple(s for s in evidence.slo if s.at_seconds <= begin),
            series=series,
        )

    return touch


def rivalled(evidence: Evidence, rng: Random) -> Evidence:
    return replace(evidence, rivals=("HorizontalPodAutoscaler other",))


def expired(evidence: Evidence, rng: Random) -> Evidence:
    most = max(s.arrival_rps or 0.0 for s in evidence.samples)
    return replace(evidence, expired=(Expired("launch", evidence.now_seconds - 7200, ceil(most / 3.7)),))


def _cost(world: World, rng: Random) -> World:
    share = float(rng.uniform(0.4, 0.75))
    budget = share * _replicas(world) * 2 / 7 * PRICE_PER_GPU_HOUR
    return changed(budget=Budget(cost_per_hour=budget))(world, ceil(_replicas(world) * 1.1))


def _power(world: World, rng: Random) -> World:
    rated = 42.0 * _replicas(world) * 1.2
    hungry = replace(world, watts_factor=float(rng.uniform(2.2, 3.0)))
    return changed(budget=Budget(watts=1.4 * rated))(hungry, ceil(_replicas(world) * 1.1))


def _far_too_many(world: World) -> int:
    return 3 * ceil(peak_rps(world) / 3.7) + 2


def _wasted(make: Callable[[World, int], World]) -> Callable[[World, Random], World]:
    return lambda world, rng: make(
        replace(world, rps=0.4 * world.rps), _far_too_many(replace(world, rps=0.4 * world.rps))
    )


RESUME, UNDO = directive(Verb.RESUME), directive(Verb.UNDO, lambda asked, watched: asked.intent == "quiet")
OWN = "InferenceService twin/service"
_AT_NAMES = frozenset({"up", "scrape_duration_seconds", "tgi_queue_size", "process_cpu_seconds_total"})

FAULTS: Mapping[str, Fault] = {
    fault.cause: fault
    for fault in (
        Fault(
            "MaxTooSmall", "short", directive(Verb.SCALE, _max_is_enough), limited(changed(max_replicas=lambda n: n))
        ),
        Fault("IntentLimits", "short", UNDO, limited(bounded(max_replicas=lambda n: n))),
        Fault(
            "BudgetTooSmall",
            "short",
            field(OWN, "spec.budget.watts", after=_grown),
            limited(changed(budget=lambda n: Budget(watts=43.0 * n))),
        ),
        Fault(
            "PolicyLimits",
            "short",
            field("AutomationPolicy", "maxWatts", after=_grown),
            limited(whole(max_watts=lambda n: 43.0 * n)),
        ),
        Fault("PinTooSmall", "short", RESUME, limited(changed(pinned_replicas=lambda n: n))),
        Fault("ServicePaused", "short", RESUME, limited(changed(mode=Mode.PAUSED))),
        Fault(
            "AdvisoryOnly",
            "short",
            field(OWN, "spec.mode", after="Automatic".__eq__),
            limited(changed(mode=Mode.ADVISORY)),
        ),
        Fault(
            "EmergencyStop",
            "short",
            field("AutomationPolicy", "spec.stop", after="false".__eq__),
            limited(whole(stop=True)),
        ),
        Fault(
            "SecondAutoscaler",
            "short",
            field("HorizontalPodAutoscaler", "", after=lambda a: "delete" in a),
            limited(taken("HorizontalPodAutoscaler other")),
        ),
        Fault("ReplicasTaken", "short", field("Deployment", "managedFields"), limited(taken("kubectl"))),
        Fault("ProfileOptimistic", "slow", field("ModelProfile opt-1.3b", "spec.points"), slower((2.2, 3.0))),
        Fault("GPUThrottled", "slow", field("node", "cooling"), slower((1.6, 2.4), hot=True)),
        Fault(
            "BatchLimitLow",
            "slow",
            field(OWN, "spec.engine.args", after=lambda a: "--max-num-seqs" in a),
            small_batches,
            container(args=["--model", "x", "--max-num-seqs", "2"]),
        ),
        Fault("RequestsLonger", "slow", field("ModelProfile opt-1.3b", "spec.points"), long_requests),
        Fault("BurstsTooFast", "late", directive(Verb.SCALE, _min_is_enough), bursts),
        Fault("SlowStart", "late", directive(Verb.SCALE, _min_is_enough), slow_starts),
        Fault("HistoryMissing", "late", field("Prometheus", "retention"), growing_without_history),
        Fault("IntentExpired", "late", directive(Verb.SCALE, _min_is_enough), bursts, expired),
        Fault("CostUnbounded", "spend", directive(Verb.SCALE, lambda asked, watched: asked.max is not None), _cost),
        Fault(
            "PowerUnderrated",
            "spend",
            lambda fix, watched: isinstance(fix, Proposal) and fix.directive.metric == "watts",
            _power,
        ),
        Fault(
            "MinTooLarge",
            "spend",
            field(OWN, "spec.scale.min", after=_grown),
            _wasted(changed(min_replicas=lambda n: n, max_replicas=lambda n: 2 * n)),
        ),
        Fault(
            "PinTooLarge", "spend", RESUME, _wasted(changed(pinned_replicas=lambda n: n, max_replicas=lambda n: 2 * n))
        ),
        Fault("MinByIntent", "spend", UNDO, _wasted(bounded(min_replicas=lambda n: n))),
        Fault("PrometheusUnreachable", "blind", field("operator", "PROMETHEUS_URL"), touch=unread(AbsenceReason.ERROR)),
        Fault(
            "PodsNotScraped",
            "blind",
            field("Prometheus", "scrape_configs"),
            touch=unread(AbsenceReason.MISSING, frozenset()),
        ),
        Fault(
            "ScrapesFail",
            "blind",
            field(OWN, "spec.engine.port"),
            touch=unread(AbsenceReason.MISSING, frozenset({"up", "scrape_duration_seconds"})),
        ),
        Fault(
            "MetricNamesWrong", "blind", field(OWN, "spec.engine.kind"), touch=unread(AbsenceReason.MISSING, _AT_NAMES)
        ),
        Fault("ScrapesStale", "blind", field("Prometheus", "scrape_interval"), touch=unread(AbsenceReason.STALE)),
        Fault("MetricsNotNumbers", "blind", field("Prometheus", "recording rules"), touch=unread(AbsenceReason.NAN)),
        Fault(
            "ProfileMissing",
            "plan",
            field(OWN, "spec.model.profile", after="opt-1.3b".__eq__),
            touch=replanned(profile="opt-13b"),
        ),
        Fault(
            "ProfileUnusable",
            "plan",
            field(OWN, "spec.partitions.allowed", after=lambda a: "2g.20gb" in a),
            touch=replanned(partitions=("1g.20gb",)),
        ),
        Fault(
            "GPUsMissing",
            "plan",
            field(OWN, "spec.partitions.gpuProducts", after=lambda a: "A100" in a),
            touch=replanned(gpu_products=("H200-141GB",)),
        ),
        Fault("NoRoom", "plan", field(OWN, "spec.partitions.allowed"), touch=replanned(count=1, extra=20)),
        Fault("NodesUnusable", "plan", field("Node", "spec.unschedulable"), touch=replanned(usable=False, extra=60)),
        Fault(
            "WorkloadMissing",
            "apply",
            field(OWN, "spec.workloadRef.name"),
            touch=said("WorkloadApplied", "WorkloadMissing"),
        ),
        Fault("ApplyRefused", "apply", field(OWN, "spec.template"), touch=said("WorkloadApplied", "ApplyRefused")),
        Fault(
            "ImageUnavailable",
            "pods",
            field(OWN, "spec.engine.image"),
            touch=waits("ErrImagePull", "ImagePullBackOff", "InvalidImageName"),
        ),
        Fault(
            "ConfigurationMissing",
            "pods",
            field(OWN, "spec.template"),
            touch=waits("CreateContainerConfigError", "CreateContainerError"),
        ),
        Fault("MemoryLimitLow", "pods", field(OWN, "resources.limits.memory"), touch=ended("OOMKilled", 137)),
        Fault(
            "GPUMemoryShort",
            "pods",
            field(OWN, "spec.partitions.allowed"),
            touch=ended("Error", 1, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"),
        ),
        Fault("LivenessTooStrict", "pods", field(OWN, "livenessProbe"), touch=ended("Error", 137)),
        Fault(
            "EngineCrashes",
            "pods",
            field(OWN, "spec.engine.args"),
            touch=ended("Error", 1, "unrecognized arguments: --fast"),
        ),
        Fault("ModelNotLoaded", "pods", field(OWN, "spec.model.uri"), touch=loads_forever),
        Fault("ReadinessUnprobed", "risk", field(OWN, "readinessProbe"), touch=container(readinessProbe=None)),
        Fault(
            "PriceMissing",
            "price",
            field("GPUClass", "spec.prices"),
            touch=lambda e, rng: replace(
                e,
                observation=replace(e.observation, service=replace(e.service, budget=Budget(cost_per_hour=100.0))),
                prices=(),
            ),
        ),
    )
}
"""By the cause that is right."""


def noisy(evidence: Evidence, rng: Random) -> Evidence:
    """Scrapes that are lost, rates and queues that scatter, a gap of minutes, pods that restarted or just began."""
    gap = evidence.now_seconds - float(rng.uniform(60, 3000))
    kept: list[Any] = []
    for sample in evidence.samples:
        lost = rng.random() < 0.08 or gap - 180 < sample.at_seconds < gap
        if lost:
            kept.append(replace(sample, arrival_rps=None, waiting=None, running=None, watts=None))
            continue
        rate = None if sample.arrival_rps is None else sample.arrival_rps * float(rng.normal(1, 0.06))
        queue = None if sample.waiting is None else max(0.0, sample.waiting + float(rng.normal(0, 1)))
        kept.append(replace(sample, arrival_rps=rate, waiting=queue))
    steps = tuple(s for s in evidence.slo if rng.random() > 0.08 and not gap - 180 < s.at_seconds < gap)
    benign = {"terminated": {"reason": "Completed", "exitCode": 0}}
    began = {"waiting": {"reason": "ContainerCreating"}}
    others = (
        pod(rng, {"running": {"startedAt": "1970-01-01T00:00:10Z"}}, last=benign, restarts=1, ready=True),
        pod(rng, began),
    )
    return replace(evidence, samples=tuple(kept), slo=steps, pods=(*(pod_of(body) for body in others), *evidence.pods))
