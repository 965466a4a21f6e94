"""The parts of the life of an intent that need no cluster, and what must hold for all of them."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from cynosure.api import InferenceService, ScalingIntent
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.conditions import Reason, Type
from cynosure.api.directive import BoundMetric, Directive
from cynosure.api.intent_status import Phase, Refusal
from cynosure.intents.bounds import Holding, bounds_in_force, bounds_of
from cynosure.intents.conflicts import clashes, contradiction
from cynosure.intents.digest import plan_digest
from cynosure.intents.effects import (
    Effect,
    LatencyLimit,
    Migration,
    ModeChange,
    Pin,
    Preference,
    ReplicaLimit,
    Timetable,
    UseLimit,
    effects_of,
)
from cynosure.intents.facts import Facts
from cynosure.intents.grounding import Grounded, ground
from cynosure.intents.phase import phase_of, ready_of
from cynosure.intents.verification import LatencyEvidence, Range, latency_finding, range_finding, verdict, wilson
from cynosure.intents.writes import Write, writes_of
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.calendar import Schedule
from cynosure.model.condition import Condition, Status
from cynosure.model.repacking import Repacking
from cynosure.model.service import Metric, Mode, ServiceKey, Target
from cynosure.model.signals import AbsenceReason, Absent
from cynosure.place.blame import smallest_conflict
from hypothesis import given
from hypothesis import strategies as st

CHAT, VISION = ServiceKey("shop", "chat"), ServiceKey("shop", "vision")
NOW = 1_800_000_000.0


def inference_service(
    name: str = "chat", namespace: str = "shop", generation: int = 1, **scale: int
) -> InferenceService:
    return InferenceService.model_validate(
        {
            "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "generation": generation},
            "spec": {
                "model": {"name": name, "profile": name},
                "engine": {"kind": "emulated"},
                "slo": {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 400}]},
                "scale": {"min": 1, "max": 8, **scale},
            },
            "status": {"replicas": 3},
        }
    )


def facts(*services: InferenceService, **policy: Any) -> Facts:
    return Facts(services or (inference_service(), inference_service("vision")), AutomationPolicySpec(**policy))


def grounded(*directives: dict[str, Any], at: Facts | None = None) -> Grounded | Refusal:
    return ground([Directive.model_validate(d) for d in directives], "shop", at or facts())


def effects(*directives: dict[str, Any], at: Facts | None = None) -> tuple[Effect, ...]:
    found = grounded(*directives, at=at)
    assert isinstance(found, Grounded), found
    return effects_of(found.directives)


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ({"verb": "scale", "service": "chat", "factor": "2"}, [Pin(CHAT, 6)]),
        ({"verb": "scale", "service": "chat", "factor": "0.5"}, [Pin(CHAT, 2)]),
        ({"verb": "scale", "service": "chat", "delta": -1}, [Pin(CHAT, 2)]),
        ({"verb": "scale", "service": "chat", "min": 2, "max": 6}, [ReplicaLimit(CHAT, 2, 6)]),
        ({"verb": "pause", "service": "*"}, [ModeChange(CHAT, Mode.PAUSED), ModeChange(VISION, Mode.PAUSED)]),
        (
            {"verb": "bound", "service": "chat", "metric": "ttft", "value": "0.3", "unit": "s"},
            [LatencyLimit(CHAT, Target(Metric.TTFT, 95, 300))],
        ),
        (
            {"verb": "bound", "service": "*", "metric": "watts", "value": "1.5", "unit": "kW"},
            [UseLimit(None, BoundMetric.WATTS, 1500)],
        ),
        (
            {"verb": "bound", "service": "chat", "metric": "attainment", "value": "99", "unit": "percent"},
            [LatencyLimit(CHAT, Target(Metric.TTFT, 99, 400))],
        ),
        (
            {"verb": "schedule", "service": "chat", "days": ["mon", "fri"], "from": "08:30", "to": "18:00", "min": 2},
            [Timetable(CHAT, Schedule("30 8 * * mon,fri", 34200, "UTC", 2))],
        ),
        (
            {"verb": "schedule", "service": "chat", "from": "22:00", "to": "06:00", "replicas": 1},
            [Timetable(CHAT, Schedule("0 22 * * *", 28800, "UTC", 1, 1))],
        ),
        (
            {"verb": "schedule", "service": "chat", "cron": "0 8 * * 1-5", "timeZone": "Europe/Madrid", "max": 4},
            [Timetable(CHAT, Schedule("0 8 * * 1-5", 3600, "Europe/Madrid", None, 4))],
        ),
        ({"verb": "prefer", "service": "chat", "objective": "energy"}, [Preference(CHAT, 0, 1)]),
        ({"verb": "prefer", "service": "chat", "objective": "cost", "weight": "0.75"}, [Preference(CHAT, 0.75, 0.25)]),
        ({"verb": "migrate", "service": "chat", "partition": "2g.20gb"}, [Migration(CHAT, "2g.20gb")]),
        ({"verb": "migrate", "service": "chat", "gpu": "H100-80GB"}, [Migration(CHAT, None, "H100-80GB")]),
    ],
    ids=[
        "double",
        "halve",
        "one less",
        "range",
        "all",
        "seconds",
        "kilowatts",
        "attainment",
        "office hours",
        "night",
        "cron",
        "energy",
        "mostly cost",
        "partition",
        "product",
    ],
)
def test_grounding_makes_names_and_numbers_absolute(directive: dict[str, Any], expected: list[Effect]) -> None:
    assert list(effects(directive)) == expected


@pytest.mark.parametrize(
    ("directives", "reason"),
    [
        ([{"verb": "pause", "service": "chta"}], "UnknownService"),
        ([{"verb": "pause", "service": "chat", "namespace": "other"}], "UnknownService"),
        ([{"verb": "scale", "service": "chat", "replicas": 9}], "Infeasible"),
        ([{"verb": "scale", "service": "chat", "replicas": 0}], "Infeasible"),
        ([{"verb": "scale", "service": "chat", "max": 500}], "OutsideLimits"),
        ([{"verb": "bound", "service": "chat", "metric": "gpus", "value": "0.5", "unit": "count"}], "Infeasible"),
        ([{"verb": "bound", "service": "*", "metric": "watts", "value": "9", "unit": "kW"}], "OutsideLimits"),
        ([{"verb": "delete", "service": "*"}], "UnsafeRequest"),
        ([{"verb": "deploy", "service": "chat", "model": "llm"}], "Infeasible"),
        ([{"verb": "deploy", "service": "second", "model": "llm"}], "UnknownModel"),
        ([{"verb": "migrate", "service": "chat", "node": "node-1"}], "NotAnIntent"),
        ([{"verb": "prefer", "service": "chat", "objective": "latency"}], "NotAnIntent"),
        ([{"verb": "schedule", "service": "chat", "from": "08:00", "to": "18:00", "min": 9}], "Infeasible"),
        (
            [{"verb": "prefer", "service": "chat", "objective": o} for o in ("energy", "cost")],
            "Contradiction",
        ),
        ([{"verb": "undo"}], "NotAnIntent"),
        ([{"verb": "pause", "service": "chat"}, {"verb": "resume", "service": "chat"}], "Contradiction"),
        (
            [{"verb": "scale", "service": "chat", "min": 4}, {"verb": "scale", "service": "chat", "replicas": 3}],
            "Contradiction",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_has_a_reason_and_a_limit(directives: list[dict[str, Any]], reason: str) -> None:
    found = grounded(*directives, at=facts(max_replicas=100, max_watts=2000))
    assert isinstance(found, Refusal)
    assert found.reason == reason
    assert "limit:" in found.message


def test_a_protected_namespace_is_left_alone() -> None:
    found = grounded({"verb": "pause", "service": "chat"}, at=facts(protected_namespaces=("shop",)))
    assert isinstance(found, Refusal)
    assert found.reason == "ProtectedNamespace"


def test_a_sum_does_not_reach_into_other_namespaces() -> None:
    both = facts(inference_service(), inference_service("other", "elsewhere"))
    found = grounded({"verb": "bound", "service": "*", "metric": "gpus", "value": "4", "unit": "count"}, at=both)
    assert isinstance(found, Refusal)
    assert found.reason == "OutsideLimits"


def test_a_looser_target_is_a_risk() -> None:
    found = grounded({"verb": "bound", "service": "chat", "metric": "ttft", "value": "900", "unit": "ms"})
    assert isinstance(found, Grounded)
    assert "relaxation" in found.risks[0]


numbers = st.integers(1, 8)
limits = st.builds(lambda a, b: ReplicaLimit(CHAT, min(a, b), max(a, b)), numbers, numbers)
latencies = st.builds(
    lambda p, ms: LatencyLimit(CHAT, Target(Metric.TTFT, p, ms)), st.sampled_from([50.0, 95.0, 99.0]), st.floats(1, 9e3)
)
uses = st.builds(
    UseLimit,
    st.sampled_from([None, CHAT]),
    st.sampled_from([BoundMetric.GPUS, BoundMetric.WATTS, BoundMetric.COST_PER_HOUR]),
    st.integers(1, 100).map(float),
)
some_effects = st.lists(st.one_of(limits, latencies, uses), max_size=4).map(tuple)


def no_looser(after: ServiceBounds | Bounds, before: ServiceBounds | Bounds) -> bool:
    caps = [(getattr(after, n), getattr(before, n)) for n in ("max_gpus", "max_watts", "max_cost_per_hour")]
    return all(old is None or (new is not None and new <= old) for new, old in caps)


@pytest.mark.slow
@given(st.lists(some_effects, max_size=4), some_effects)
def test_one_more_intent_never_loosens_a_bound(held: list[tuple[Effect, ...]], more: tuple[Effect, ...]) -> None:
    policy = AutomationPolicySpec()
    first = [Holding("shop", f"i{n}", own) for n, own in enumerate(held)]
    before, after = bounds_of(first, policy), bounds_of([*first, Holding("shop", "new", more)], policy)
    old, new = before.of(CHAT), after.of(CHAT)
    assert no_looser(after, before)
    assert no_looser(new, old)
    assert (new.min_replicas or 0) >= (old.min_replicas or 0)
    assert (new.max_replicas or 99) <= (old.max_replicas or 99)
    assert (new.min_replicas or 0) <= (new.max_replicas or 99)
    kept = {(t.metric, t.percentile): t.milliseconds for t in new.targets}
    assert all(kept[t.metric, t.percentile] <= t.milliseconds for t in old.targets)


def intent(name: str, *directives: dict[str, Any], applied: float | None = NOW, **spec: Any) -> ScalingIntent:
    at = None if applied is None else datetime.fromtimestamp(applied, UTC)
    condition = {"type": "Applied", "status": "True", "reason": "InForce", "lastTransitionTime": at}
    return ScalingIntent.model_validate(
        {
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"text": name, **spec},
            "status": {
                "directives": [{"namespace": "shop", **d} for d in directives],
                "conditions": [condition] if at else [],
                "appliedAt": at,
            },
        }
    )


SLOW = {"verb": "scale", "service": "chat", "max": 3}


@pytest.mark.parametrize(
    ("intents", "expected"),
    [
        ([intent("a", SLOW)], 3),
        ([intent("a", SLOW, applied=None)], None),
        ([intent("a", SLOW, expires="2020-01-01T00:00:00Z")], None),
        ([intent("a", {**SLOW, "expires": "2020-01-01T00:00:00Z"})], None),
        ([intent("a", SLOW), intent("b", {"verb": "undo", "intent": "a"}, applied=NOW + 1)], None),
        ([intent("a", SLOW), intent("b", {**SLOW, "max": 5}, applied=NOW + 1, supersedes="a")], 5),
        ([intent("b", {"verb": "undo", "intent": "a"}, applied=NOW - 9), intent("a", SLOW)], 3),
    ],
    ids=["applied", "not applied", "expired", "directive expired", "undone", "superseded", "a later one of the name"],
)
def test_only_what_is_in_force_bounds(intents: list[ScalingIntent], expected: int | None) -> None:
    assert bounds_in_force(intents, AutomationPolicySpec(), NOW + 60).of(CHAT).max_replicas == expected


DIRECTIVES = (
    {"verb": "scale", "service": "chat", "max": 3},
    {"verb": "bound", "service": "vision", "metric": "e2e", "value": "200", "unit": "ms", "percentile": 95},
)


def digest(
    order: tuple[int, ...] = (0, 1), at: Facts | None = None, uid: str = "u", writes: tuple[Write, ...] = ()
) -> str:
    at = at or facts()
    found = grounded(*(DIRECTIVES[n] for n in order), at=at)
    assert isinstance(found, Grounded)
    return plan_digest(uid, found.directives, [(CHAT, VISION)[n] for n in order], writes, (), at, Repacking())


def test_the_digest_ignores_order_and_the_load() -> None:
    busy = inference_service().model_copy(
        update={"status": inference_service().status.model_copy(update={"replicas": 7})}
    )
    assert len({digest(), digest((1, 0)), digest(at=facts(busy, inference_service("vision")))}) == 1


@pytest.mark.parametrize(
    "other",
    [
        digest((0,)),
        digest(uid="another"),
        digest(at=facts(inference_service(generation=2), inference_service("vision"))),
        digest(writes=(Write(CHAT, "spec.mode", "Automatic", "Paused"),)),
    ],
    ids=["directives", "intent", "generation", "writes"],
)
def test_the_digest_changes_when_it_must(other: str) -> None:
    assert other != digest()


def test_clashes_come_in_pairs() -> None:
    wanted = {"a": [ReplicaLimit(CHAT, 1, 3)], "b": [Pin(CHAT, 5)], "c": [ReplicaLimit(CHAT, 2, None)]}
    assert [clash.sources for clash in clashes(wanted)] == [("a", "b")]
    assert contradiction([Pin(CHAT, 5), ReplicaLimit(CHAT, 1, 3)])


@given(st.sets(st.integers(0, 9), min_size=1, max_size=4))
def test_the_smallest_conflict_is_found_exactly(guilty: set[int]) -> None:
    names = [str(n) for n in range(10)]
    assert set(smallest_conflict(names, lambda rest: not {str(n) for n in guilty} <= set(rest))) == {
        str(n) for n in guilty
    }


conditions = st.lists(
    st.builds(
        Condition,
        st.sampled_from([t.value for t in Type]),
        st.sampled_from(Status),
        st.sampled_from([r.value for r in Reason]),
        st.just(""),
    ),
    max_size=8,
)


@given(conditions)
def test_every_set_of_conditions_has_a_phase(found: list[Condition]) -> None:
    assert isinstance(phase_of(found), Phase)
    assert ready_of(found).type == Type.READY


def test_phases_along_the_way() -> None:
    way = [(Type.GROUNDED, Phase.PENDING), (Type.PLANNED, Phase.PLANNED), (Type.APPROVED, Phase.APPROVED)]
    way += [(Type.APPLIED, Phase.APPLIED), (Type.VERIFIED, Phase.VERIFIED)]
    so_far = list(itertools.accumulate(([Condition(kind, Status.TRUE, "", "")] for kind, _ in way), list.__add__))
    assert [phase_of(found) for found in so_far] == [phase for _, phase in way]


TTFT = Target(Metric.TTFT, 95, 300)


@pytest.mark.parametrize(
    ("buckets", "met"),
    [
        (((300, 990), (float("inf"), 1000)), True),
        (((300, 900), (float("inf"), 1000)), False),
        (((300, 951), (float("inf"), 1000)), None),
        (((300, 30), (float("inf"), 30)), None),
        (((250, 940), (500, 999), (float("inf"), 1000)), None),
        ((), None),
    ],
    ids=["met", "missed", "too close", "too few", "between buckets", "none"],
)
def test_a_latency_is_judged_with_confidence(buckets: tuple[tuple[float, float], ...], met: bool | None) -> None:
    assert latency_finding(CHAT, TTFT, LatencyEvidence(buckets)).met is met


@pytest.mark.parametrize(
    ("seen", "met"),
    [
        (Range(1, 4, 50, 60), True),
        (Range(1, 5, 50, 60), False),
        (Range(1, 4, 10, 60), None),
        (Absent(AbsenceReason.STALE, "old"), None),
    ],
    ids=["met", "above", "gaps", "absent"],
)
def test_a_cap_is_judged_by_the_maximum(seen: Range | Absent, met: bool | None) -> None:
    assert range_finding(None, "gpus", "count", None, 4, seen).met is met


def test_absence_ends_unverified() -> None:
    nothing = [latency_finding(CHAT, TTFT, Absent(AbsenceReason.MISSING, "no series"))]
    assert [verdict(nothing, look).reason for look in range(3)] == ["Measuring", "Measuring", "MetricsMissing"]
    assert all(verdict(nothing, look).status is Status.UNKNOWN for look in range(3))


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_interval_holds_the_share(total: int, share: float) -> None:
    low, high = wilson(share * total, total)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_half_the_range_of_a_published_example() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662 at 95 %."""
    assert wilson(81, 263, 1.959964) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_a_maximum_above_that_of_the_spec_raises_it_and_says_so() -> None:
    """A bound only tightens; a sentence that allows more would otherwise do nothing."""
    at = facts(inference_service(max=8))
    found = grounded({"verb": "scale", "service": "chat", "max": 12}, at=at)
    assert isinstance(found, Grounded)
    assert found.risks == ("relaxation: spec.scale.max of shop/chat is raised from 8 to 12",)
    assert writes_of(effects_of(found.directives), at) == (Write(CHAT, "spec.scale.max", 8, 12),)
    assert writes_of(effects({"verb": "scale", "service": "chat", "max": 6}, at=at), at) == ()


def test_a_dry_run_plans_with_the_maximum_that_would_be_written() -> None:
    held = [Holding("shop", "more", (ReplicaLimit(CHAT, None, 12),))]
    assert bounds_of(held, AutomationPolicySpec(), pins=True).of(CHAT).raised_max == 12
    assert bounds_of(held, AutomationPolicySpec()).of(CHAT).raised_max is None
