"""One scenario for each cause, and what must hold for all evidence."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cynosure.api.conditions import Reason, Type
from cynosure.api.directive import Verb
from cynosure.diagnose import (
    Cause,
    Engine,
    Evidence,
    Expired,
    FieldChange,
    Fragmented,
    Pod,
    Proposal,
    Symptom,
    diagnose,
)
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.gpu import Slot
from cynosure.model.repacking import Defragmentation, Move, Repacking
from cynosure.model.service import Budget, Mode
from cynosure.model.signals import AbsenceReason
from cynosure.model.snapshot import Workload
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.evidence import TIMES, evidence, history, pods, said, samples, seen, slo
from tests.builders.snapshots import CHAT, NOW, gpus, no_load, service

SHORT: dict[str, Any] = {"samples": samples(40.0), "slo": slo(0.4)}
"""Eight replicas are needed, three are there."""


def short(**changes: Any) -> Evidence:
    return evidence(**{**SHORT, **changes})


def of(**changes: Any) -> dict[str, Any]:
    return {"observation": seen(of=service(**changes))}


def bound(**limits: Any) -> Bounds:
    return Bounds({CHAT: ServiceBounds(**limits, sources=("quiet",))})


def absent(reason: AbsenceReason) -> dict[str, Any]:
    return {"observation": replace(seen(), load=no_load(reason)), "samples": samples(None)}


def ramps() -> dict[str, Any]:
    """Twice an hour the load is three times as much for four minutes, and late."""
    jumps = [at % 1800 < 240 for at in TIMES]
    found = [replace(s, arrival_rps=40.0 if jump else 12.0) for s, jump in zip(samples(), jumps, strict=True)]
    return {"samples": tuple(found), "slo": slo(lambda at: 0.3 if at % 1800 < 240 else 0.99)}


MOVE = Move(Slot("gpu-1", 0, "3g.40gb", CHAT), Slot("gpu-0", 4, "3g.40gb", CHAT))
CASES: dict[Cause, Evidence] = {
    Cause.PROFILE_MISSING: evidence(
        **of(profile="lm"), profile=None, conditions=(said(Type.PROFILE_KNOWN, Reason.PROFILE_MISSING),)
    ),
    Cause.PROFILE_UNUSABLE: evidence(
        **of(partitions=("1g.10gb",)), conditions=(said(Type.PROFILE_KNOWN, Reason.NO_USABLE_POINT),)
    ),
    Cause.GPUS_MISSING: evidence(**of(gpu_products=("H100-80GB",)), conditions=(said(Type.PLACED, Reason.NO_GPUS),)),
    Cause.WORKLOAD_MISSING: evidence(conditions=(said(Type.WORKLOAD_APPLIED, Reason.WORKLOAD_MISSING),)),
    Cause.APPLY_REFUSED: evidence(conditions=(said(Type.WORKLOAD_APPLIED, Reason.APPLY_REFUSED),)),
    Cause.IMAGE_UNAVAILABLE: evidence(pods=pods(is_ready=False, waiting="ImagePullBackOff")),
    Cause.CONFIGURATION_MISSING: evidence(pods=pods(is_ready=False, waiting="CreateContainerConfigError")),
    Cause.MEMORY_LIMIT_LOW: evidence(pods=pods(ended="OOMKilled", exit_code=137, restarts=2)),
    Cause.GPU_MEMORY_SHORT: evidence(
        pods=pods(ended="Error", ended_message="torch.OutOfMemoryError: CUDA out of memory", exit_code=1, restarts=3)
    ),
    Cause.LIVENESS_TOO_STRICT: evidence(pods=pods(ended="Error", exit_code=137, restarts=2)),
    Cause.ENGINE_CRASHES: evidence(pods=pods(ended="Error", exit_code=2, restarts=5, waiting="CrashLoopBackOff")),
    Cause.MODEL_NOT_LOADED: evidence(pods=pods(is_ready=False, running_since_seconds=NOW - 900)),
    Cause.NODES_UNUSABLE: evidence(
        conditions=(said(Type.PLACED, Reason.NO_ROOM),), gpus=tuple(replace(g, usable=False) for g in gpus(4))
    ),
    Cause.NO_ROOM: evidence(conditions=(said(Type.PLACED, Reason.NO_ROOM),)),
    Cause.SECOND_AUTOSCALER: evidence(
        observation=replace(seen(), workloads=(Workload("3g.40gb", 3, "HorizontalPodAutoscaler rival"),))
    ),
    Cause.REPLICAS_TAKEN: evidence(observation=replace(seen(), workloads=(Workload("3g.40gb", 3, "kubectl scale"),))),
    Cause.EMERGENCY_STOP: short(bounds=Bounds(stop=True)),
    Cause.SERVICE_PAUSED: short(**of(mode=Mode.PAUSED)),
    Cause.ADVISORY_ONLY: short(**of(mode=Mode.ADVISORY)),
    Cause.PIN_TOO_SMALL: short(**of(pinned_replicas=3)),
    Cause.INTENT_LIMITS: short(bounds=bound(max_replicas=3)),
    Cause.MAX_TOO_SMALL: short(**of(max_replicas=3)),
    Cause.BUDGET_TOO_SMALL: short(**of(budget=Budget(watts=300))),
    Cause.POLICY_LIMITS: short(bounds=Bounds(max_watts=300)),
    Cause.PROMETHEUS_UNREACHABLE: evidence(**absent(AbsenceReason.ERROR)),
    Cause.PODS_NOT_SCRAPED: evidence(**absent(AbsenceReason.MISSING), series=frozenset()),
    Cause.SCRAPES_FAIL: evidence(**absent(AbsenceReason.MISSING), series=frozenset({"up", "scrape_samples_scraped"})),
    Cause.METRIC_NAMES_WRONG: evidence(
        **absent(AbsenceReason.MISSING), series=frozenset({"up", "vllm_num_requests_running"})
    ),
    Cause.SCRAPES_STALE: evidence(**absent(AbsenceReason.STALE)),
    Cause.METRICS_NOT_NUMBERS: evidence(**absent(AbsenceReason.NAN)),
    Cause.SLO_UNREACHABLE: evidence(slo=slo(0.1), conditions=(said(Type.PLACED, Reason.SLO_UNREACHABLE),)),
    Cause.GPU_THROTTLED: evidence(slo=slo(0.5), samples=samples(throttled=True)),
    Cause.BATCH_LIMIT_LOW: evidence(
        slo=slo(0.5),
        samples=samples(running=12.0, waiting=30.0),
        engine=Engine("shop/chat-3g-40gb", max_batch=4),
    ),
    Cause.REQUESTS_LONGER: evidence(slo=slo(0.5), samples=samples(input_tokens=8000.0)),
    Cause.PROFILE_OPTIMISTIC: evidence(slo=slo(0.5)),
    Cause.INTENT_EXPIRED: evidence(**ramps(), expired=(Expired("launch", NOW - 7200, 8),)),
    Cause.HISTORY_MISSING: evidence(**ramps(), conditions=(said(Type.FORECAST_READY, Reason.HISTORY_MISSING),)),
    Cause.SLOW_START: evidence(**ramps(), observation=seen(lead_time_seconds=240.0)),
    Cause.BURSTS_TOO_FAST: evidence(**ramps()),
    Cause.POWER_UNDERRATED: evidence(**of(budget=Budget(watts=350)), samples=samples(watts=450.0)),
    Cause.COST_UNBOUNDED: evidence(
        **of(budget=Budget(cost_per_hour=2.0)), samples=samples(cost_per_hour=3.0), prices=(("A100-80GB", 2.3),)
    ),
    Cause.PRICE_MISSING: evidence(**of(budget=Budget(cost_per_hour=2.0)), prices=()),
    Cause.PIN_TOO_LARGE: evidence(**of(pinned_replicas=8), samples=samples(ready=8)),
    Cause.MIN_TOO_LARGE: evidence(**of(min_replicas=8), samples=samples(ready=8)),
    Cause.MIN_BY_INTENT: evidence(bounds=bound(min_replicas=8), samples=samples(ready=8)),
    Cause.GPUS_FRAGMENTED: evidence(
        fragmented=Fragmented(NOW - 3600, Defragmentation(Repacking((MOVE,), ("gpu-1",)), 2, 1), stands=True)
    ),
    Cause.READINESS_UNPROBED: evidence(engine=Engine("shop/chat", has_readiness_probe=False)),
}


@pytest.mark.parametrize("cause", Cause, ids=str)
def test_the_cause_is_found_first_with_its_evidence_and_a_fix(cause: Cause) -> None:
    found = diagnose(CASES[cause])
    assert found[0].cause is cause, [f"{f.cause}: {f.message}" for f in found]
    assert found[0].clues
    assert found[0].message
    assert 0.4 < found[0].confidence <= 1
    fix = found[0].fix
    if cause.fix.startswith("directive"):
        assert isinstance(fix, Proposal)
        assert cause.fix.split()[1].rstrip(",") == fix.directive.verb
    else:
        assert isinstance(fix, FieldChange)
        assert fix.after


def test_a_healthy_service_has_no_findings() -> None:
    assert diagnose(evidence()) == ()


@pytest.mark.parametrize(
    "harmless",
    [
        evidence(samples=(), slo=(), history=None, pods=(), engine=None, decision=None, profile=None),
        evidence(slo=slo(lambda at: 0.2 if at == TIMES[-1] else 0.99)),
        evidence(slo=slo(0.93, requests=3)),
        evidence(**of(mode=Mode.PAUSED)),
        evidence(**of(max_replicas=3)),
        evidence(**of(min_replicas=8), samples=samples(2.0, ready=8), history=history(60.0)),
        evidence(observation=replace(seen(ready=0), load=no_load()), samples=samples(None, ready=0), slo=()),
        evidence(pods=(Pod("chat-0", NOW - 20, waiting="ContainerCreating"),)),
        evidence(pods=pods(ended="Error", exit_code=1, restarts=1)),
        evidence(samples=samples(throttled=None, watts=None)),
    ],
    ids=[
        "nothing known",
        "one bad minute",
        "few requests",
        "paused and idle",
        "at its max and well",
        "a quiet night",
        "it starts",
        "a new pod",
        "one restart",
        "no exporter of GPUs",
    ],
)
def test_what_is_no_fault_is_not_called_one(harmless: Evidence) -> None:
    assert diagnose(harmless) == ()


def test_missing_metrics_are_no_alarm_of_another_kind() -> None:
    found = diagnose(short(**absent(AbsenceReason.STALE), slo=()))
    assert [f.cause for f in found] == [Cause.SCRAPES_STALE]


def test_a_growing_queue_shows_before_anything_has_finished() -> None:
    rising = tuple(replace(s, waiting=5.0 * max(0, n - 105)) for n, s in enumerate(samples(40.0)))
    found = diagnose(evidence(**of(max_replicas=3), samples=rising, slo=()))
    assert [(f.cause, f.symptom) for f in found] == [(Cause.MAX_TOO_SMALL, Symptom.QUEUE_GROWING)]


def test_the_upstream_cause_hides_what_follows_from_it_and_no_other() -> None:
    """Slow replicas are no news while an image is missing; a readiness probe that is missing still is."""
    found = diagnose(
        evidence(
            **ramps(),
            pods=pods(is_ready=False, waiting="ErrImagePull"),
            engine=Engine("shop/chat", has_readiness_probe=False),
        )
    )
    assert [f.cause for f in found] == [Cause.IMAGE_UNAVAILABLE, Cause.READINESS_UNPROBED]


def test_the_proposed_maximum_is_enough_for_the_peak_of_the_day() -> None:
    found = diagnose(short(**of(max_replicas=3), history=history(60.0)))
    fix = found[0].fix
    assert isinstance(fix, Proposal)
    assert (fix.directive.verb, fix.directive.max) == (Verb.SCALE, 15)


optional = st.none() | st.floats(0, 1e6)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(optional, optional, optional, st.integers(0, 50), st.booleans() | st.none()), max_size=30),
    st.floats(0, 1),
    st.sampled_from(list(Cause)),
)
def test_no_evidence_ever_raises(
    rows: list[tuple[float | None, float | None, float | None, int, bool | None]], met: float, cause: Cause
) -> None:
    looks = tuple(
        replace(s, arrival_rps=rps, waiting=waiting, replica_rps=each, ready=ready, throttled=hot, watts=rps)
        for s, (rps, waiting, each, ready, hot) in zip(samples(), rows, strict=False)
    )
    for finding in diagnose(replace(CASES[cause], samples=looks, slo=slo(met), now_seconds=TIMES[len(rows)])):
        assert finding.message


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0, 20))
def test_a_service_that_is_well_has_no_findings_however_its_load_scatters(seed: int, peak_rps: float) -> None:
    random = np.random.default_rng(seed)
    rates, queues, met = random.uniform(0, 14, 120), random.uniform(0, 3, 120), random.uniform(0.955, 1, 120)
    looks = tuple(replace(s, arrival_rps=rates[n], waiting=queues[n]) for n, s in enumerate(samples()))
    shares = dict(zip(TIMES, met, strict=True))
    assert diagnose(evidence(samples=looks, slo=slo(lambda at: shares[at]), history=history(peak_rps))) == ()


def test_every_cause_says_what_it_is_and_how_it_is_mended() -> None:
    assert all(cause.doc.endswith(".") and cause.fix and not cause.fix.endswith(".") for cause in Cause)
