"""What a policy sees, and what it may answer: the border between the twin and every autoscaler that runs in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cynosure.model.profile import Profile
from cynosure.model.service import Target
from cynosure.model.signals import Attained, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What an autoscaler would read from Prometheus over the last ``seconds``.

    ``latency_milliseconds`` gives the percentile of each target over the requests that finished in the window, NaN
    when none did. Arrays have one entry for each ready replica.
    """

    seconds: float
    arrival_rps: float
    input_tokens: float
    """Mean per request that arrived; NaN when none did."""
    output_tokens: float
    latency_milliseconds: dict[Target, float]
    running: Floats
    """Requests in execution, averaged over the window."""
    waiting: Floats
    """Requests in the queue of each replica, averaged over the window."""
    kv_usage: Floats
    """Share of the KV cache in use, 0 to 1."""
    busy: Floats
    """Share of the window in which the replica worked at all, 0 to 1: what DCGM calls GPU utilisation."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One control instant. ``window`` is None while metrics are absent (a scenario); absence is never zero.

    ``history`` are the arrival rates (rps) of all whole steps before now, ``history_step_seconds`` apart and ending
    now, NaN where metrics were absent. ``look`` gives the window of another length, as long as the policy needs.
    """

    now_seconds: float
    partition: str
    replicas: int
    """Wanted at present: those that are ready and those that start."""
    ready: int
    starting: int
    window: Window | None
    look: Callable[[float], Window | None]
    history: Floats
    history_step_seconds: float
    history_until_seconds: float = 0.0
    """When its last step ended: metrics are seen late."""
    attained: tuple[Attained, ...] = ()
    """For each target what was within it over the last day, as far as that is known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be from now on. A partition other than the present one is started before the old one is drained."""

    replicas: int
    partition: str = ""
    """Empty: the present one."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every policy is told before the run: the same for all of them."""

    profile: Profile
    targets: tuple[Target, ...]
    gpu_product: str
    partition: str
    """Where the service starts; a policy that cannot choose partitions stays on it."""
    partitions: tuple[str, ...]
    max_replicas: int
    lead_time_seconds: float
    """From a decision to a ready replica."""
    input_tokens: float
    """Mean over the history, for policies that size from a profile."""
    output_tokens: float
    replica_rps: float
    """What one replica serves within the targets, found in the twin; the fair base of each peer's target value."""
    replica_concurrency: float
    """Requests in one replica at that rate."""
    seed: int
    gpus: int | None = None
    """GPUs of the product in the cluster; None is no limit."""


class Policy(Protocol):
    """An autoscaler. It keeps its own state; ``interval_seconds`` is how often it is asked."""

    name: str
    interval_seconds: float

    def decide(self, seen: Seen) -> Wanted: ...


def mean(values: Floats) -> float:
    """Mean over replicas; NaN when there are none, as an empty answer of Prometheus would be."""
    return float(np.mean(values)) if len(values) else float("nan")
