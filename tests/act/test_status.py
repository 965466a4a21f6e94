"""Status says what is, moves its times only when something turned, and is bounded."""

from dataclasses import replace

import pytest
from cynosure.act.conditions import conditions
from cynosure.act.events import events
from cynosure.act.status import MOST_DECISIONS, Throttle, service_status
from cynosure.act.work import Work
from cynosure.api.conditions import Reason, Type
from cynosure.api.inference_status import InferenceServiceStatus
from cynosure.errors import Conflict, CynosureError, NotFound, Refused, Unavailable
from cynosure.model.condition import Condition, Status
from cynosure.model.plan import Action
from cynosure.model.snapshot import Workload

from tests.act.conftest import decision, replica, service, work


def with_status(found: Work, status: InferenceServiceStatus) -> Work:
    return replace(found, service=found.service.model_copy(update={"status": status}))


def test_a_status_survives_its_way_through_json() -> None:
    status = service_status(work(), conditions(work(), ()), 1000.0)
    assert InferenceServiceStatus.model_validate(status.body()) == status


def test_what_did_not_change_is_not_written() -> None:
    first = service_status(work(), conditions(work(), ()), 1000.0)
    later = with_status(work(decision=decision(made_at_seconds=2000.0)), first)
    second = service_status(later, conditions(later, ()), 2000.0)
    assert second == first
    assert not Throttle(15).is_due(first, second, 1e9)


def test_numbers_alone_wait_and_meaning_does_not() -> None:
    first = service_status(work(), conditions(work(), ()), 1000.0)
    numbers = with_status(work(decision=decision(inputs=(("forecast_rps", 3.0),))), first)
    moved = service_status(numbers, conditions(numbers, ()), 1001.0)
    assert not Throttle(15).is_due(first, moved, 1.0)
    assert Throttle(15).is_due(first, moved, 15.0)
    decided = with_status(work(decision=decision(3)), first)
    assert Throttle(15).is_due(first, service_status(decided, conditions(decided, ()), 1001.0), 0.0)


def test_the_transition_time_moves_only_with_the_status() -> None:
    good = Condition(Type.PLACED, Status.TRUE, Reason.ALL_PLACED, "fine")
    first = service_status(work(), [good], 1000.0)
    same = service_status(with_status(work(), first), [replace(good, message="still")], 2000.0)
    turned = service_status(with_status(work(), first), [replace(good, status=Status.FALSE)], 2000.0)
    assert same.conditions[0].last_transition_time == first.conditions[0].last_transition_time
    assert turned.conditions[0].last_transition_time > first.conditions[0].last_transition_time


def test_history_is_bounded_newest_first_and_without_holds() -> None:
    status = InferenceServiceStatus()
    for n in range(1, 40):
        found = with_status(work(decision=decision(n % 8 + 1, made_at_seconds=float(n))), status)
        status = service_status(found, (), float(n))
    assert len(status.history) == MOST_DECISIONS
    assert status.history[0].made_at > status.history[-1].made_at
    held = with_status(work(decision=decision(action=Action.HOLD)), status)
    assert service_status(held, (), 99.0).history == status.history


def foreign(owner: str) -> Work:
    found = work()
    return replace(found, observation=replace(found.observation, workloads=(Workload("2g.20gb", 5, owner),)))


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Refused("invalid"), ("False", "ApplyRefused")),
        (Conflict("taken", owners=("kubectl",)), ("False", "FieldOwned")),
        (Conflict("modified"), ("Unknown", "Progressing")),
        (Unavailable("no answer"), ("Unknown", "APIUnavailable")),
        (NotFound("gone"), ("Unknown", "Progressing")),
        (None, ("True", "WorkloadInSync")),
    ],
    ids=["refused", "owned", "modified", "unavailable", "not found", "none"],
)
def test_a_failed_write_becomes_a_condition(failure: CynosureError | None, expected: tuple[str, str]) -> None:
    found = {c.type: (c.status, c.reason) for c in conditions(work(), [failure] if failure else [])}
    assert found[Type.WORKLOAD_APPLIED] == expected


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (foreign("kubectl scale"), "ReplicasOwned"),
        (foreign("HorizontalPodAutoscaler x"), "SecondAutoscaler"),
        (work(rivals=("HorizontalPodAutoscaler y",)), "SecondAutoscaler"),
    ],
    ids=["kubectl", "an HPA on the Deployment", "an HPA on the service"],
)
def test_rivals_are_named(found: Work, reason: str) -> None:
    named = {c.type: (c.status, c.reason) for c in conditions(found, ())}
    assert named[Type.CONFLICT_FREE] == ("False", reason)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (work(), ("Unknown", "Progressing")),
        (work(service(mode="Paused")), ("Unknown", "Paused")),
        (work(decision=decision(dry=True)), ("Unknown", "Stopped")),
        (work(conditions=(Condition(Type.PLACED, Status.FALSE, Reason.NO_ROOM, "full"),)), ("False", "NoRoom")),
        (work(observation=replace(work().observation, replicas=(replica("a"), replica("b")))), ("True", "Serving")),
    ],
    ids=["starting", "paused", "stopped", "no room", "serving"],
)
def test_ready_is_the_first_thing_in_the_way(found: Work, expected: tuple[str, str]) -> None:
    ready = conditions(found, ())[0]
    assert (ready.type, (ready.status, ready.reason)) == (Type.READY, expected)


def test_every_reason_is_documented_for_its_condition() -> None:
    cases = [work(), foreign("kubectl scale"), work(service(mode="Advisory")), work(decision=None)]
    failures: list[tuple[CynosureError, ...]] = [
        (),
        (Refused("x"),),
        (Conflict("x", owners=("y",)),),
        (Unavailable("z"),),
    ]
    for found in cases:
        for failed in failures:
            for condition in conditions(found, failed):
                reason = Reason(condition.reason)
                assert condition.type == Type.READY or condition.type in reason.types


def test_events_tell_a_decision_and_a_turn_once() -> None:
    bad = Condition(Type.METRICS_AVAILABLE, Status.FALSE, Reason.METRICS_STALE, "old")
    before = InferenceServiceStatus()
    after = service_status(work(), [bad], 1000.0)
    told = events(work(), before, after, 1000.0, "pod-1")
    assert [event["reason"] for event in told] == ["ForecastDemand", "MetricsStale"]
    assert [event["type"] for event in told] == ["Normal", "Warning"]
    again = with_status(work(), after)
    assert events(again, after, service_status(again, [bad], 1001.0), 1001.0, "pod-1") == []
