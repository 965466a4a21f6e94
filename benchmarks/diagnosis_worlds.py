"""Services in the twin, watched as the operator watches them: the evidence of a diagnosis, minute by minute.

A world is what is true of a service: its load, its GPUs, its limits. Faults change worlds; nothing here knows causes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from cynosure.diagnose import Engine, Evidence, Sample, SloStep, sample_of
from cynosure.model.bounds import Bounds
from cynosure.model.gpu import GpuClass
from cynosure.model.plan import Plan
from cynosure.model.profile import Profile
from cynosure.model.service import Service, Target
from cynosure.model.signals import Floats, Series
from cynosure.model.snapshot import Observation, Snapshot, Workload
from cynosure.plan import Tuning
from cynosure.size.targets import read_targets
from cynosure.twin.builtin import DEFAULT, profile_named
from cynosure.twin.curves import Curves
from cynosure.twin.policies.cynosure import Cynosure
from cynosure.twin.port import Seen, Setting, Wanted, mean
from cynosure.twin.prepare import Cluster, ProfileTokens, prepare
from cynosure.twin.simulation import Experiment, simulate
from cynosure.twin.site import Site, imagined
from cynosure.twin.traffic import Traffic

from loadgen.trace import RateSeries

SLO = "ttft_p95_ms=3000,tpot_p95_ms=100"
PARTITION = "2g.20gb"
PRICE_PER_GPU_HOUR = 2.5
HISTORY_SECONDS = 2 * 86400.0
MINUTE = 60.0
DAY_STEPS = 1440


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """``rps`` has a value for each minute: the history first, then what is simulated."""

    rps: Floats
    seed: int
    lead_seconds: float = 60.0
    gpus: int = 12
    change: Callable[[Service], Service] = lambda service: service
    curves: Callable[[Curves], Curves] = lambda curves: curves
    bounds: Bounds = field(default_factory=Bounds)
    token_factor: float = 1.0
    frozen: int | None = None
    """So many replicas, whatever is decided: somebody else sets them."""
    foreign_owner: str | None = None
    has_history: bool = True
    watts_factor: float = 1.0
    throttled: bool = False
    absent: tuple[tuple[float, float], ...] = ()
    start_replicas: int | None = None
    load_seconds: float | None = None
    """What the profile says of the start; None: the truth."""


@dataclass(slots=True, eq=False)
class Watcher:
    """The product in the twin, with a pair of eyes on it that remember what the operator remembers."""

    world: World
    setting: Setting
    product: Cynosure
    name: str = "watched"
    interval_seconds: float = 30.0
    samples: list[Sample] = field(default_factory=list)
    steps: list[SloStep] = field(default_factory=list)
    seen: tuple[Observation, Snapshot, Plan] | None = None
    _attained: dict[Target, list[tuple[float, float]]] = field(default_factory=dict)
    _steps: dict[Target, list[tuple[float, float]]] = field(default_factory=dict)

    def decide(self, seen: Seen) -> Wanted:
        if not self.world.has_history:
            seen = replace(seen, history=np.empty(0))
        wanted = self.product.decide(seen)
        snapshot, plan = self.product.latest or (None, None)
        if snapshot is None or plan is None:
            return wanted
        observation = self._owned(snapshot.observations[0])
        self.seen = (observation, snapshot, plan)
        minute = int(seen.now_seconds / MINUTE) > int(self.samples[-1].at_seconds / MINUTE) if self.samples else True
        if minute:
            self._remember(seen, observation, plan)
        if self.world.frozen is not None:
            return Wanted(self.world.frozen)
        dry = any(decision.dry for decision in plan.decisions)
        return Wanted(seen.replicas) if dry else wanted

    def _owned(self, observation: Observation) -> Observation:
        owner = self.world.foreign_owner
        workloads = tuple(Workload(w.partition, w.replicas, owner) for w in observation.workloads)
        return replace(observation, workloads=workloads) if owner else observation

    def _remember(self, seen: Seen, observation: Observation, plan: Plan) -> None:
        decision = next(iter(plan.decisions), None)
        busy = mean(seen.window.busy) if seen.window else 0.0
        rated = decision.option.watts / max(decision.option.replicas, 1) if decision else 0.0
        sample = sample_of(
            observation,
            decision,
            seen.now_seconds,
            price_per_gpu_hour=PRICE_PER_GPU_HOUR,
            watts=self.world.watts_factor * rated * seen.ready * (0.4 + 0.6 * (busy if np.isfinite(busy) else 0.0)),
            throttled=self.world.throttled,
        )
        self.samples.append(sample)
        for attained in seen.attained:
            self._count(attained.target, attained.requests, attained.within, seen.now_seconds)

    def _count(self, target: Target, requests: float, within: float, now: float) -> None:
        """The twin tells sums over a day: what is new in them is the last minute, and what a day ago has left."""
        sums, steps = self._attained.setdefault(target, []), self._steps.setdefault(target, [])
        before = sums[-1] if sums else (0.0, 0.0)
        left = steps[-DAY_STEPS] if len(steps) >= DAY_STEPS else (0.0, 0.0)
        new = (max(0.0, requests - before[0] + left[0]), max(0.0, within - before[1] + left[1]))
        sums.append((requests, within))
        steps.append(new)
        self.steps.append(SloStep(now, target, new[0], min(new)))


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A run, and the evidence at its moments."""

    world: World
    watcher: Watcher
    moments: tuple[tuple[float, Evidence], ...]
    replica_rps: float
    """Of one replica within the SLO by the twin itself, on GPUs as the profile says."""

    @property
    def last(self) -> Evidence:
        return self.moments[-1][1]


def watch(world: World, *, every_minutes: int = 5, from_seconds: float = 0.0) -> Watched:
    """Simulate what follows the history; keep the evidence of every so many minutes."""
    experiment, profile, replica_rps = _experiment(world)
    product = Cynosure(experiment.setting, site=_site(world, experiment.setting))
    watcher = Watcher(world, experiment.setting, product)
    moments: list[tuple[float, Evidence]] = []

    def look(seen: Seen) -> Wanted:
        before = len(watcher.samples)
        wanted = Watcher.decide(watcher, seen)
        is_due = len(watcher.samples) > before and len(watcher.samples) % every_minutes == 0
        if is_due and seen.now_seconds >= from_seconds:
            moments.append((seen.now_seconds, _evidence(world, watcher, profile, seen.now_seconds)))
        return wanted

    simulate(experiment, _Policy(look))
    return Watched(world, watcher, tuple(moments), replica_rps)


def _site(world: World, setting: Setting) -> Site:
    plain = imagined(setting, Tuning())
    observed = replace(plain.observed, service=world.change(plain.service))
    classes = {setting.gpu_product: GpuClass(setting.gpu_product, {"EUR": PRICE_PER_GPU_HOUR})}
    snapshot = replace(plain.snapshot, observations=(observed,), classes=classes)
    return replace(plain, snapshot=snapshot, bounds=world.bounds)


@dataclass(slots=True)
class _Policy:
    decide: Callable[[Seen], Wanted]
    name: str = "watched"
    interval_seconds: float = 30.0


def _experiment(world: World) -> tuple[Experiment, Profile, float]:
    profile = profile_named(DEFAULT)
    product = profile.points[0].gpu
    edges = MINUTE * np.arange(len(world.rps) + 1)
    trace = RateSeries(edges[:-1], edges[1:], world.rps, 0.0, float(edges[-1]), "a world")
    first = profile.points[0]
    tokens = ProfileTokens(first.input_tokens * world.token_factor, first.output_tokens * world.token_factor, "world")
    traffic = Traffic(trace, tokens, world.seed)
    cluster = Cluster(product, world.gpus, (PARTITION,), world.lead_seconds)
    plain = Traffic(trace, ProfileTokens(first.input_tokens, first.output_tokens, "world"), world.seed)
    experiment, _ = prepare(profile, read_targets(SLO), cluster, plain, HISTORY_SECONDS / trace.until_seconds)
    replica_rps = experiment.setting.replica_rps
    ground = replace(experiment.ground, curves=world.curves(experiment.ground.curves))
    begun = experiment.replicas if world.start_replicas is None else world.start_replicas
    scored = traffic.cut(HISTORY_SECONDS, traffic.seconds)
    changed = replace(experiment, ground=ground, traffic=scored, replicas=begun, absent=world.absent)
    return changed, profile, replica_rps


def _evidence(world: World, watcher: Watcher, profile: Profile, now: float) -> Evidence:
    assert watcher.seen is not None
    observation, snapshot, plan = watcher.seen
    said = world.lead_seconds if world.load_seconds is None else world.load_seconds
    profile = replace(profile, load_seconds=said)
    begin = now - 7200.0
    rates = world.rps[: int((HISTORY_SECONDS + now) / MINUTE)][-DAY_STEPS:]
    times = now - MINUTE * np.arange(len(rates) - 1, -1, -1.0)
    return Evidence(
        observation=observation,
        now_seconds=now,
        decision=next(iter(plan.decisions), None),
        conditions=dict(plan.conditions)[observation.service.key],
        bounds=world.bounds,
        profile=profile,
        profiles=(profile.name, "llama-3.1-8b"),
        gpus=snapshot.gpus,
        samples=tuple(s for s in watcher.samples[-130:] if s.at_seconds > begin),
        slo=tuple(s for s in watcher.steps[-260:] if s.at_seconds > now - 3600.0),
        history=Series(times, rates) if world.has_history else None,
        engine=Engine("shop/chat", "registry/engine:1", memory_limit_gib=16.0),
        prices=((observation.service.gpu_products[0], PRICE_PER_GPU_HOUR),),
    )


def days(rng: np.random.Generator, minutes: int, peak_rps: float) -> Floats:
    """A load with days, a trough at night, drift and slow noise; its largest minutes are about ``peak_rps``."""
    at = np.arange(minutes) / DAY_STEPS
    phase, depth = rng.uniform(0, 1), rng.uniform(0.3, 0.7)
    wave = 1 - depth / 2 + depth / 2 * np.sin(2 * np.pi * (at + phase))
    second = 0.1 * np.sin(4 * np.pi * (at + rng.uniform(0, 1)))
    slow = np.convolve(rng.normal(0, 1, minutes + 59), np.ones(60) / 60**0.5, "valid") * 0.03
    shape = np.maximum(wave + second + slow, 0.05)
    return peak_rps * shape / shape.max()


def steady(rng: np.random.Generator, hours: float, level: float) -> Floats:
    """Two days before, and so many hours of nearly the same."""
    minutes = int((HISTORY_SECONDS + 3600 * hours) / MINUTE)
    return days(rng, minutes, level)
