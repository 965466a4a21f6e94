"""Many policies on the same load: what each would have cost and missed, beside an oracle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

import numpy as np

from cynosure.errors import BadInput
from cynosure.model.service import Metric, Target
from cynosure.model.signals import Floats
from cynosure.twin.calibration import Bench, objective_met
from cynosure.twin.policies import POLICIES
from cynosure.twin.policies.oracle import STEP_SECONDS, Knowledge, Oracle
from cynosure.twin.policies.static import static_for
from cynosure.twin.port import Policy
from cynosure.twin.simulation import Experiment, Outcome, simulate
from cynosure.twin.tally import DROPPED, quantile_milliseconds, shares

ORACLE: Final = "oracle"
STATIC: Final = "static"

_RATES_OF_TABLE: Final = np.concatenate([np.linspace(0.05, 0.7, 8), np.linspace(0.75, 1.6, 18), [2.0, 3.0, 6.0]])
"""Of the oracle's table, in units of what one replica serves within the targets."""
_ORACLE_RUNS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    policy: str
    outcome: Outcome
    attainment: float
    is_met: bool
    percentiles: dict[str, float]
    """Milliseconds by ``ttft_p95_ms`` and the like; NaN where nothing was measured."""

    @property
    def goodput_rps(self) -> float:
        return float(self.outcome.tally.met[-1]) / self.outcome.seconds

    @property
    def dropped(self) -> int:
        return int(self.outcome.tally.counts[DROPPED])


def names() -> tuple[str, ...]:
    return (*POLICIES, STATIC, ORACLE)


def check_name(name: str) -> None:
    """:raises BadInput: naming those that there are."""
    if name not in names():
        raise BadInput(f"--policy: {name!r} is none; there are {', '.join(names())}")


def result_of(policy: str, outcome: Outcome, targets: tuple[Target, ...]) -> Result:
    attainment, each = shares(outcome.tally)
    asked = [(metric, 95.0) for metric in Metric] + [(t.metric, t.percentile) for t in targets]
    percentiles = {f"{m}_p{p:g}_ms": quantile_milliseconds(outcome.tally, m, p) for m, p in asked}
    return Result(policy, outcome, attainment, objective_met(targets, attainment, each), percentiles)


def run_policy(name: str, experiment: Experiment, bench: Bench) -> Result:
    if name == ORACLE:
        return best_possible(experiment, bench)
    return result_of(name, simulate(experiment, policy_of(name, experiment)), experiment.setting.targets)


def policy_of(name: str, experiment: Experiment) -> Policy:
    """All but the oracle, which takes more than a setting. :raises BadInput: there is no such policy."""
    check_name(name)
    if name == STATIC:
        return static_for(experiment.setting, experiment.traffic.peak_rps)
    return POLICIES[name](experiment.setting)


def best_possible(experiment: Experiment, bench: Bench) -> Result:
    """Return the oracle's outcome: the cheapest of the schedules tried that meets the objective, else the best one.

    On the partition that serves a steady load for the least; the price of a miss is found by bisection, each judged by
    a run of the twin.
    """
    setting = experiment.setting
    relative = np.append(0.0, _RATES_OF_TABLE)
    attained = np.append(1.0, bench.attainments(setting.partition, _RATES_OF_TABLE * setting.replica_rps))
    knowledge = Knowledge(
        step_rates(experiment), relative * setting.replica_rps, np.minimum.accumulate(attained), setting.max_replicas
    )

    def tried(price: float) -> Result:
        schedule = Oracle(knowledge.replicas(price, setting.lead_time_seconds), setting.lead_time_seconds)
        begun = replace(experiment, replicas=int(schedule.ready[0]))
        return result_of(ORACLE, simulate(begun, schedule), setting.targets)

    low, high = -2.0, 5.0
    found: list[Result] = []
    for _ in range(_ORACLE_RUNS):
        middle = (low + high) / 2
        found.append(tried(10**middle))
        low, high = (low, middle) if found[-1].is_met else (middle, high)
    met = [result for result in found if result.is_met]
    return min(met, key=lambda r: r.outcome.gpu_hours) if met else max(found, key=lambda r: r.attainment)


def step_rates(experiment: Experiment) -> Floats:
    """Return the true rate of each of the oracle's steps."""
    steps = ceil(experiment.traffic.seconds / STEP_SECONDS)
    counts = np.zeros(steps)
    for chunk in experiment.traffic.chunks():
        counts += np.bincount((chunk.at_seconds / STEP_SECONDS).astype(np.int64), minlength=steps)[:steps]
    return counts / STEP_SECONDS


def pareto(results: Sequence[Result]) -> Iterator[bool]:
    return front([(result.policy, result.attainment, result.outcome.gpu_hours) for result in results])


def front(points: Sequence[tuple[str, float, float]]) -> Iterator[bool]:
    """For each (policy, attainment, GPU-hours) whether no other that can be had is nowhere worse, and better in one."""
    others = [(attainment, -hours) for policy, attainment, hours in points if policy != ORACLE]
    for _, attainment, hours in points:
        mine = attainment, -hours
        yield not any(o != mine and o[0] >= mine[0] and o[1] >= mine[1] for o in others)
