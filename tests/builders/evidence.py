"""A healthy service with two hours behind it, and how it looks when something is wrong."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from cynosure.api.conditions import Type
from cynosure.diagnose import Engine, Evidence, Pod, Sample, SloStep
from cynosure.model.condition import Condition, Status
from cynosure.model.plan import Action, Decision, Option
from cynosure.model.service import Service
from cynosure.model.signals import Series
from cynosure.model.snapshot import Observation

from tests.builders.snapshots import A100, CHAT, NOW, TTFT, gpus, load, observation, profile, service

EACH_RPS = 5.0
STEP_SECONDS = 60.0
TIMES = tuple(NOW - STEP_SECONDS * n for n in range(119, -1, -1))


def decision(replicas: int, **changes: Any) -> Decision:
    option = Option("3g.40gb", A100, replicas, 16, EACH_RPS * replicas, 3 / 7 * replicas, 100.0 * replicas)
    return replace(Decision(CHAT, Action.HOLD, option, "EnoughCapacity", "", NOW - 5000), **changes)


def samples(rps: float | None = 12.0, ready: int = 3, **changes: Any) -> tuple[Sample, ...]:
    plain = Sample(0.0, ready, ready, EACH_RPS, rps, 0.0, 6.0, 2048, 28)
    return tuple(replace(plain, at_seconds=at, **changes) for at in TIMES)


def slo(met: float | Callable[[float], float] = 0.99, requests: float = 600.0) -> tuple[SloStep, ...]:
    share = met if callable(met) else (lambda at: met)
    return tuple(SloStep(at, TTFT, requests, requests * share(at)) for at in TIMES)


def history(peak_rps: float = 14.0) -> Series:
    """A day with one busy hour."""
    times = NOW - 60.0 * np.arange(1439, -1, -1)
    return Series(times, np.where(np.arange(1440) % 1440 < 60, peak_rps, peak_rps / 4))


def pods(count: int = 3, **changes: Any) -> tuple[Pod, ...]:
    ready = [Pod(f"chat-{n}", NOW - 5000, is_ready=True, running_since_seconds=NOW - 4900) for n in range(count)]
    return (*ready[:-1], replace(ready[-1], **changes)) if changes else tuple(ready)


def seen(ready: int = 3, *, of: Service | None = None, rps: float | None = 12.0, **changes: Any) -> Observation:
    found = observation(ready, rps, of=of or service(), **changes)
    return found if rps is None else replace(found, load=load(rps))


def said(kind: Type, reason: str, message: str = "so it is") -> Condition:
    return Condition(kind, Status.FALSE, reason, message)


def evidence(**changes: Any) -> Evidence:
    plain = Evidence(
        observation=seen(),
        now_seconds=NOW,
        decision=decision(3),
        profile=profile(),
        profiles=("llm", "vision"),
        gpus=gpus(),
        samples=samples(),
        slo=slo(),
        history=history(),
        pods=pods(),
        engine=Engine("shop/chat-3g-40gb", "registry/engine:1", memory_limit_gib=8.0),
    )
    return replace(plain, **changes)
