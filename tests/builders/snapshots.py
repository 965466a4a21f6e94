"""Snapshots, services and forecasts."""

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from cynosure.forecast.fit import LEVELS
from cynosure.model.forecast import Forecast
from cynosure.model.gpu import Gpu, Slot
from cynosure.model.plan import Action, Decision, Option
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.service import Metric, Service, ServiceKey, Target
from cynosure.model.signals import AbsenceReason, Absent, Load, Reading, Signal
from cynosure.model.snapshot import Observation, Replica, ReplicaPhase, Snapshot, Workload

NOW = 1_000_000.0
A100 = "A100-80GB"
TTFT = Target(Metric.TTFT, 95, 500)
TPOT = Target(Metric.TPOT, 95, 100)
CHAT = ServiceKey("shop", "chat")

_SHARES = {"1g.10gb": 1 / 7, "2g.20gb": 2 / 7, "3g.40gb": 3 / 7, "7g.80gb": 1.0}


def profile(name: str = "llm", partitions: Iterable[str] = ("2g.20gb", "3g.40gb", "7g.80gb")) -> Profile:
    """Twice the compute slices, half the time."""
    points = []
    for part in partitions:
        slow = 3 / (7 * _SHARES[part])
        for batch in (1, 4, 16):
            step = slow * 0.006 * (1 + batch / 8)
            prefill = slow * 0.075 * (1 + batch / 100)
            points.append(Point(A100, part, batch, 8 / slow, 2048, 28, prefill, step, 0.0, 200_000, 4.0, 60.0))
    return Profile(name, Task.TEXT_GENERATION, 8.0, tuple(points))


def gpus(count: int = 8) -> tuple[Gpu, ...]:
    return tuple(Gpu(f"gpu-{n}", f"node-{n // 4}", n, A100) for n in range(count))


def service(key: ServiceKey = CHAT, **changes: Any) -> Service:
    plain = Service(key, "llm", (TTFT, TPOT), 1, 12, partitions=("3g.40gb",))
    return replace(plain, **changes)


def reading(value: float) -> Reading:
    return Reading(value, NOW - 2, "test")


def load(rps: float, *, waiting: float = 0.0, ttft_milliseconds: float = 200.0) -> Load:
    return Load(
        reading(rps),
        reading(2048),
        reading(28),
        reading(rps * 0.3),
        reading(waiting),
        ((TTFT, reading(ttft_milliseconds)), (TPOT, reading(20))),
    )


def no_load(reason: AbsenceReason = AbsenceReason.MISSING) -> Load:
    absent: Signal = Absent(reason, f"{reason}: no series for the service")
    return Load(absent, absent, absent, absent, absent, ((TTFT, absent), (TPOT, absent)))


def observation(
    replicas: int = 0,
    rps: float | None = 4.0,
    *,
    of: Service | None = None,
    partition: str = "3g.40gb",
    ready: int | None = None,
    last_reason: str = "EnoughCapacity",
    last_at: float = NOW - 5000,
    **changes: Any,
) -> Observation:
    """A service with ``replicas`` on gpu-0, gpu-1, …; without any it is new. ``rps`` None: metrics are missing."""
    what = of or service()
    serving = replicas if ready is None else ready
    starts = (0, 4) if partition == "3g.40gb" else (0,)
    pods = tuple(
        Replica(
            f"{what.key.name}-{n}",
            partition,
            ReplicaPhase.READY if n < serving else ReplicaPhase.PENDING,
            NOW - 5000,
            Slot(f"gpu-{n // len(starts)}", starts[n % len(starts)], partition, what.key),
        )
        for n in range(replicas)
    )
    option = Option(partition, A100, replicas, 8, 5.0 * replicas, _SHARES[partition] * replicas)
    last = Decision(what.key, Action.HOLD, option, last_reason, "", last_at) if replicas else None
    plain = Observation(
        what,
        no_load() if rps is None else load(rps),
        (Workload(partition, replicas),) if replicas else (),
        pods,
        last,
        lead_time_seconds=10.0,
        capacity_gained_at_seconds=NOW - 5000,
    )
    return replace(plain, **changes)


def snapshot(*observations: Observation, count: int = 8, now: float = NOW, **changes: Any) -> Snapshot:
    plain = Snapshot(now, observations or (observation(),), gpus(count), (), MappingProxyType({"llm": profile()}))
    return replace(plain, **changes)


def forecast(rps: float, *, later_rps: float | None = None, steps: int = 120, step_seconds: float = 5.0) -> Forecast:
    """``rps`` for the first minute, then ``later_rps``; every level the same but for a tenth around the median."""
    median = np.where(np.arange(steps) * step_seconds < 60, rps, rps if later_rps is None else later_rps)
    spread = 1 + 0.2 * (np.array(LEVELS) - 0.5)
    return Forecast(NOW, step_seconds, LEVELS, median[:, None] * spread[None, :], "test", "it won", 6000, 1200, 0.1)
