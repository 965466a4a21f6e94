"""What a policy sees, in short: builders whose defaults are a service of 4 replicas at exactly its target."""

from collections.abc import Callable
from typing import Any

import numpy as np
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.service import Metric, Target
from cynosure.model.signals import Floats
from cynosure.twin.port import Policy, Seen, Setting, Window

POINTS = tuple(
    Point("A100-80GB", "3g.40gb", batch, rps, 500, 100, ttft, tpot, kv_cache_tokens=100_000)
    for batch, rps, ttft, tpot in ((1, 0.9, 0.10, 0.010), (8, 5.0, 0.12, 0.014), (32, 12.0, 0.20, 0.026))
)
TARGETS = (Target(Metric.TTFT, 95, 1000), Target(Metric.TPOT, 95, 40))


def setting(**changes: Any) -> Setting:
    """70 % of a replica is 7 rps, or 14 requests at once."""
    fields: dict[str, Any] = {
        "profile": Profile("llama", Task.TEXT_GENERATION, 60, POINTS),
        "targets": TARGETS,
        "gpu_product": "A100-80GB",
        "partition": "3g.40gb",
        "partitions": ("3g.40gb",),
        "max_replicas": 20,
        "lead_time_seconds": 120.0,
        "input_tokens": 500.0,
        "output_tokens": 100.0,
        "replica_rps": 10.0,
        "replica_concurrency": 20.0,
        "seed": 1,
    }
    return Setting(**fields | changes)


def window(
    rps: float = 28.0, ready: int = 4, *, running: float = 14.0, waiting: float = 0.0, kv: float = 0.4
) -> Window:
    return Window(
        seconds=60,
        arrival_rps=rps,
        input_tokens=500.0 if rps else float("nan"),
        output_tokens=100.0 if rps else float("nan"),
        latency_milliseconds={},
        running=np.full(ready, running),
        waiting=np.full(ready, waiting),
        kv_usage=np.full(ready, kv),
        busy=np.full(ready, 1.0),
    )


def seen(
    now: float = 0.0,
    metrics: Window | None = None,
    *,
    replicas: int = 4,
    look: Callable[[float], Window | None] | None = None,
    history: Any = (),
    step_seconds: float = 60.0,
) -> Seen:
    """``metrics`` None: they are absent. Replicas without an entry in the window are starting."""
    ready = min(replicas, len(metrics.running)) if metrics else replicas
    return Seen(
        now_seconds=now,
        partition="3g.40gb",
        replicas=replicas,
        ready=ready,
        starting=replicas - ready,
        window=metrics,
        look=look or (lambda seconds: metrics),
        history=np.array(history, dtype=np.float64),
        history_step_seconds=step_seconds,
        history_until_seconds=now,
    )


def follow(policy: Policy, steps: list[Window | None], replicas: int = 4) -> list[int]:
    """Ask once each interval; what is wanted is ready by the next one."""
    counts = []
    for n, metrics in enumerate(steps):
        replicas = policy.decide(seen(n * policy.interval_seconds, metrics, replicas=replicas)).replicas
        counts.append(replicas)
    return counts


def a_week_of_days(level: float = 20.0, swing: float = 10.0) -> Floats:
    """Seven equal days in steps of a minute, highest at a quarter of each."""
    minutes = np.arange(7 * 1440)
    return level + swing * np.sin(2 * np.pi * (minutes % 1440) / 1440)
