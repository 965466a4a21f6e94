"""From a trace, a profile and an SLO to an experiment that is fair to every policy."""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from cynosure.errors import BadInput
from cynosure.model.mig import geometry_of
from cynosure.model.profile import Profile, Task
from cynosure.model.service import Metric, Service, ServiceKey, Target
from cynosure.model.signals import Floats
from cynosure.size.lengths import AZURE_CODE_2023
from cynosure.size.options import Needs, size_service
from cynosure.twin.calibration import Bench
from cynosure.twin.curves import curves_of
from cynosure.twin.fleet import Ground
from cynosure.twin.port import Setting
from cynosure.twin.scrapes import HISTORY_STEP_SECONDS
from cynosure.twin.simulation import Experiment
from cynosure.twin.traffic import Traffic
from loadgen.tokens import TokenLengths
from loadgen.trace import Integers

_UNLIMITED: Final = 1000
"""Replicas, where the number of GPUs is no limit."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """``gpus`` None: as many as are asked for. ``partitions`` empty: all that were measured."""

    gpu: str
    gpus: int | None = None
    partitions: tuple[str, ...] = ()
    lead_time_seconds: float = 60.0
    least_loaded: bool = False


@dataclass(frozen=True, slots=True)
class ProfileTokens:
    """Lengths around those that the profile was measured with, spread as in a public trace."""

    input_tokens: float
    output_tokens: float
    source: str

    def draw(self, count: int, random: np.random.Generator) -> tuple[Integers, Integers]:
        inputs = random.choice(AZURE_CODE_2023.input_ratios, count) * self.input_tokens
        outputs = random.choice(AZURE_CODE_2023.output_ratios, count) * self.output_tokens
        return np.rint(inputs).astype(np.int64), np.rint(outputs).astype(np.int64)


def profile_tokens(profile: Profile) -> TokenLengths | None:
    """Return None for images."""
    if profile.task is Task.IMAGE_CLASSIFICATION:
        return None
    inputs, outputs = (np.mean([getattr(p, f"{way}_tokens") for p in profile.points]) for way in ("input", "output"))
    return ProfileTokens(float(inputs), float(outputs), f"profile {profile.name}")


def prepare(
    profile: Profile, targets: tuple[Target, ...], cluster: Cluster, traffic: Traffic, start_fraction: float
) -> tuple[Experiment, Bench]:
    """Return the experiment over what comes after ``start_fraction``, on the partition that serves a load for least.

    :raises BadInput: the profile has no such partition, or no partition meets the targets.
    """
    _check(profile, targets)
    measured = sorted({p.partition for p in profile.points if p.gpu == cluster.gpu})
    partitions = cluster.partitions or tuple(measured)
    curves = curves_of(profile, cluster.gpu, partitions)
    ground = Ground(cluster.gpu, partitions, curves, cluster.gpus, cluster.lead_time_seconds, cluster.least_loaded)
    start = start_fraction * traffic.seconds
    scored = traffic.cut(start, traffic.seconds)
    if scored.peak_rps <= 0:
        raise BadInput(
            f"{traffic.trace.source}: not one request after --start-fraction {start_fraction:g}; start earlier"
        )
    history = traffic.cut(0.0, start) if start >= HISTORY_STEP_SECONDS else None
    bench = Bench(ground, targets, traffic.lengths, traffic.seed)
    partition, replica_rps = _cheapest(bench)
    if not replica_rps:
        raise BadInput(_out_of_reach(profile, targets, cluster, partitions))
    inputs, outputs = (history or scored).mean_tokens()
    profile_of = geometry_of(cluster.gpu).profile(partition)
    most = _UNLIMITED if cluster.gpus is None else cluster.gpus * (profile_of.most if profile_of else 1)
    setting = Setting(
        profile=profile,
        targets=targets,
        gpu_product=cluster.gpu,
        partition=partition,
        partitions=partitions,
        max_replicas=most,
        lead_time_seconds=cluster.lead_time_seconds,
        input_tokens=inputs,
        output_tokens=outputs,
        replica_rps=replica_rps,
        replica_concurrency=bench.serve(partition, replica_rps).concurrency,
        seed=traffic.seed,
        gpus=cluster.gpus,
    )
    past: Floats = history.rates(HISTORY_STEP_SECONDS) if history else np.empty(0)
    replicas = min(most, max(1, ceil(_first_rate(past, scored) / replica_rps)))
    return Experiment(setting, ground, scored, past, replicas), bench


def _first_rate(past: Floats, scored: Traffic) -> float:
    """The last known rate before the start; without a history the first one after it."""
    known = past[np.isfinite(past)]
    return float(known[-1]) if len(known) else float(np.nan_to_num(scored.first_rps))


def _cheapest(bench: Bench) -> tuple[str, float]:
    ground = bench.ground
    rates = {partition: bench.capacity_rps(partition) for partition in ground.partitions}
    share = dict(zip(ground.partitions, ground.curves.gpu_share.tolist(), strict=True))
    best = max(rates, key=lambda partition: rates[partition] / share[partition])
    return best, rates[best]


def _check(profile: Profile, targets: tuple[Target, ...]) -> None:
    if profile.task is Task.IMAGE_CLASSIFICATION and any(t.metric is not Metric.E2E for t in targets):
        raise BadInput(f"--slo: profile {profile.name} classifies images, which have no tokens; use e2e_p95_ms=LIMIT")


def _out_of_reach(profile: Profile, targets: tuple[Target, ...], cluster: Cluster, partitions: tuple[str, ...]) -> str:
    service = Service(ServiceKey("", profile.name), profile.name, targets, partitions=partitions)
    inputs = max(point.input_tokens for point in profile.points)
    sizing = size_service(service, profile, Needs(1e-3, inputs), targets, [cluster.gpu])
    return f"--slo: {sizing.unreachable or 'no partition meets it even with one request at a time'}"
