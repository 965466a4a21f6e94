"""What is decided, scenario by scenario."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.calendar import Schedule
from cynosure.model.condition import Condition, Status
from cynosure.model.forecast import Forecast
from cynosure.model.plan import Action, Decision, Plan
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.service import Apart, BatchJob, Budget, Metric, Mode, Service, ServiceKey, Spread, Target, Topology
from cynosure.model.signals import AbsenceReason, Attained
from cynosure.model.snapshot import Observation, Snapshot, Workload
from cynosure.plan import Tuning, plan_cluster
from cynosure.plan.budget import spent_share
from cynosure.plan.reasons import Why
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.snapshots import (
    A100,
    CHAT,
    NOW,
    TPOT,
    TTFT,
    forecast,
    load,
    no_load,
    observation,
    profile,
    reading,
    service,
    snapshot,
)

ANYTHING: Any = None
FREE = Bounds()


def plan(*observations: Observation, ahead: Forecast | None = ANYTHING, bounds: Bounds = FREE, **changes: Any) -> Plan:
    forecasts = {o.service.key: ahead for o in observations} if ahead is not None else {}
    return plan_cluster(snapshot(*observations, **changes), forecasts, bounds)


def only(found: Plan) -> Decision:
    (decision,) = found.decisions
    return decision


def condition(found: Plan, kind: str, key: ServiceKey = CHAT) -> Condition:
    return next(c for c in dict(found.conditions)[key] if c.type == kind)


def bound(**limits: Any) -> Bounds:
    return Bounds(MappingProxyType({CHAT: ServiceBounds(**limits)}))


def test_a_new_service_starts_with_what_its_forecast_asks_for() -> None:
    decision = only(plan(observation(0), ahead=forecast(12)))
    assert (decision.action, decision.reason) == (Action.UP, Why.FIRST)
    assert decision.option.replicas > 1


def test_replicas_come_before_the_load_does() -> None:
    decision = only(plan(observation(1, rps=3), ahead=forecast(20)))
    assert (decision.action, decision.reason) == (Action.UP, Why.FORECAST)
    assert "p90 forecast of" in decision.message
    assert "(p95 ttft <= 500 ms, p95 tpot <= 100 ms); now 3.0 rps" in decision.message


AFTERNOON = Schedule("0 13 * * *", 2 * 3600.0, least=5)
"""NOW is 13:46:40."""


@pytest.mark.parametrize("where", ["spec", "intent"])
def test_a_schedule_holds_replicas_while_it_is_open(where: str) -> None:
    own = (AFTERNOON,) if where == "spec" else ()
    of, limits = service(schedules=own), bound(schedules=() if own else (AFTERNOON,))
    decision = only(plan(observation(1, rps=3, of=of), ahead=forecast(3), bounds=limits))
    assert (decision.option.replicas, decision.reason) == (5, Why.LIMIT)
    over = replace(AFTERNOON, cron="0 9 * * *")
    left = observation(5, rps=3, of=service(schedules=(over,)))
    assert only(plan(left, ahead=forecast(3))).option.replicas < 5


def test_a_maximum_of_a_schedule_takes_replicas_away() -> None:
    quiet = service(schedules=(replace(AFTERNOON, least=None, most=2),))
    found = plan(observation(4, rps=30, of=quiet), ahead=forecast(30))
    assert (only(found).option.replicas, only(found).reason) == (2, Why.LIMIT)
    assert "a schedule (2)" in only(found).message
    assert condition(found, "WithinBudget").reason == "ReplicasLimited"


def test_what_an_intent_prefers_replaces_the_weights_of_the_service() -> None:
    free = service(partitions=())
    here = profile(partitions=("3g.40gb", "7g.80gb"))
    thrifty = tuple(replace(p, watts=30.0 if p.partition == "7g.80gb" else 200.0) for p in here.points)
    known = {"profiles": MappingProxyType({"llm": replace(here, points=thrifty)})}
    cheap = only(plan(observation(0, rps=3, of=free), ahead=forecast(3), **known))
    saving = only(plan(observation(0, rps=3, of=free), ahead=forecast(3), bounds=bound(weights=(0.0, 1.0)), **known))
    assert (cheap.option.partition, saving.option.partition) == ("3g.40gb", "7g.80gb")


def test_a_load_that_no_forecast_saw_is_met_at_once() -> None:
    decision = only(plan(observation(1, rps=20), ahead=forecast(3)))
    assert (decision.action, decision.reason) == (Action.UP, Why.PRESENT)


def test_a_window_that_scatters_does_not_overrule_the_forecast() -> None:
    brim = only(plan(observation(2, rps=8), ahead=forecast(8))).option.capacity_rps
    below = forecast(brim * 0.9)
    assert only(plan(observation(2, rps=brim + 0.3), ahead=below)).action is Action.HOLD
    assert only(plan(observation(2, rps=brim + 4.0), ahead=below)).reason == Why.PRESENT


@pytest.mark.parametrize(
    ("missed", "level"),
    [
        pytest.param(0.0, 50, id="nothing missed"),
        pytest.param(0.02, 67, id="two fifths of it spent"),
        pytest.param(0.06, 90, id="overspent"),
        pytest.param(None, 90, id="not known"),
    ],
)
def test_an_error_budget_that_is_left_makes_the_plan_leaner(missed: float | None, level: int) -> None:
    known = () if missed is None else tuple(Attained(t, 1e9, 1e9 * (1 - missed / 2)) for t in (TTFT, TPOT))
    decision = only(plan(observation(1, load=replace(load(3), attained=known)), ahead=forecast(20)))
    assert f"p{level} forecast of" in decision.message
    assert ("budget_spent" in dict(decision.inputs)) == (missed is not None)


def test_the_budget_of_a_target_that_was_changed_is_not_known() -> None:
    plenty = replace(load(3), attained=tuple(Attained(t, 1e6, 1e6) for t in (TTFT, TPOT)))
    tightened = bound(targets=(replace(TTFT, milliseconds=300),))
    decision = only(plan(observation(1, load=plenty), ahead=forecast(20), bounds=tightened))
    assert "p90 forecast of" in decision.message


def test_a_few_quiet_minutes_prove_little() -> None:
    few = tuple(Attained(t, 100, 100) for t in (TTFT, TPOT))
    assert spent_share(replace(load(3), attained=few), (TTFT, TPOT), Tuning()) == pytest.approx(
        Tuning().budget_prior, abs=0.01
    )


def job(images: int, *, due_in_seconds: float = 500.0) -> Service:
    return service(targets=(), batch=BatchJob(images, 600.0, NOW + due_in_seconds))


def test_a_job_gets_what_does_its_images_in_time_whatever_the_load() -> None:
    new = only(plan(observation(0, of=job(50_000)), ahead=None, profiles=classifier()))
    assert (new.action, new.reason) == (Action.UP, Why.DEADLINE)
    assert "do 50000 images within 600 s" in new.message
    for rps in (None, 0.0, 500.0):
        standing = observation(new.option.replicas, rps, of=job(50_000))
        stays = only(plan(standing, ahead=forecast(1), profiles=classifier()))
        assert (stays.action, stays.reason, stays.option.replicas) == (Action.HOLD, Why.DEADLINE, new.option.replicas)


def test_a_larger_job_needs_more_replicas() -> None:
    small, large = (
        only(plan(observation(0, of=job(images)), ahead=None, profiles=classifier())).option.replicas
        for images in (50_000, 400_000)
    )
    assert small < large


def test_a_job_that_cannot_be_done_in_time_says_so() -> None:
    impossible = service(targets=(), batch=BatchJob(10, 2.0, NOW + 1))
    found = plan(observation(0, of=impossible), ahead=None, profiles=classifier())
    assert not found.decisions
    told = condition(found, "Placed")
    assert told.status is Status.FALSE
    assert "deadlineSeconds: got 2" in told.message


def test_after_its_deadline_what_is_left_is_a_load_like_any_other() -> None:
    late = observation(8, rps=1, of=job(50_000, due_in_seconds=-1))
    decision = only(plan(late, ahead=forecast(1), profiles=classifier()))
    assert (decision.action, decision.reason) == (Action.DOWN, Why.SURPLUS)


def classifier() -> MappingProxyType[str, Profile]:
    points = tuple(
        Point(A100, "3g.40gb", batch, batch / seconds, latency_seconds=seconds)
        for batch, seconds in ((1, 0.02), (8, 0.05), (32, 0.16))
    )
    return MappingProxyType({"llm": Profile("llm", Task.IMAGE_CLASSIFICATION, 8.0, points)})


def test_a_jump_is_met_before_the_whole_window_shows_it() -> None:
    jumped = replace(load(6), surge_rps=reading(20))
    decision = only(plan(observation(1, load=jumped), ahead=forecast(5)))
    assert (decision.action, decision.reason) == (Action.UP, Why.PRESENT)
    by_chance = replace(load(6), surge_rps=reading(7))
    assert only(plan(observation(1, load=by_chance), ahead=forecast(5))).action is Action.HOLD


def test_what_waits_is_worked_off_no_sooner_than_anything_that_is_added_can_help() -> None:
    queue = load(8, waiting=600)
    soon, late = (
        only(plan(observation(2, load=queue, lead_time_seconds=lead), ahead=forecast(8))).option.replicas
        for lead in (10.0, 120.0)
    )
    assert soon > late > 2


def test_what_waits_now_is_worked_off() -> None:
    calm = only(plan(observation(2, rps=8), ahead=forecast(8)))
    queue = only(plan(observation(2, load=load(8, waiting=300)), ahead=forecast(8)))
    assert queue.option.replicas > calm.option.replicas


def test_a_peak_ahead_keeps_replicas_although_the_load_is_low() -> None:
    decision = only(plan(observation(4, rps=3), ahead=forecast(3, later_rps=20)))
    assert (decision.action, decision.reason, decision.option.replicas) == (Action.HOLD, Why.STABILISING, 4)


def test_replicas_go_when_even_the_upper_forecast_needs_fewer() -> None:
    decision = only(plan(observation(4, rps=3), ahead=forecast(3)))
    assert (decision.action, decision.reason, decision.option.replicas) == (Action.DOWN, Why.SURPLUS, 2)


def test_replicas_that_were_just_added_stay() -> None:
    fresh = observation(4, rps=3, capacity_gained_at_seconds=NOW - 10)
    assert only(plan(fresh, ahead=forecast(3))).reason == Why.STABILISING


def test_without_a_forecast_nothing_proves_that_replicas_can_go() -> None:
    found = plan(observation(4, rps=3))
    assert (only(found).action, only(found).reason) == (Action.HOLD, Why.NO_EVIDENCE)
    assert condition(found, "ForecastReady").reason == "HistoryMissing"


def test_a_percentile_that_scatters_around_its_target_adds_nothing() -> None:
    close = observation(3, load=load(8, ttft_milliseconds=530))
    assert only(plan(close, ahead=forecast(8))).action is Action.HOLD


def test_a_missed_target_adds_one_replica_at_a_time() -> None:
    missed = observation(3, load=load(8, ttft_milliseconds=900))
    decision = only(plan(missed, ahead=forecast(8)))
    assert (decision.reason, decision.option.replicas) == (Why.CORRECTION, 4)
    soon = replace(missed, capacity_gained_at_seconds=NOW - 10)
    assert only(plan(soon, ahead=forecast(8))).action is Action.HOLD


@pytest.mark.parametrize("reason", list(AbsenceReason), ids=str)
def test_absent_metrics_hold_the_last_decision_and_say_why(reason: AbsenceReason) -> None:
    found = plan(observation(5, load=no_load(reason)), ahead=forecast(1))
    assert (only(found).action, only(found).reason, only(found).option.replicas) == (Action.HOLD, Why.NO_METRICS, 5)
    assert (condition(found, "MetricsAvailable").status, condition(found, "MetricsAvailable").reason) == (
        Status.FALSE,
        reason.value,
    )


def test_absent_metrics_do_not_change_the_partition_either() -> None:
    """Mean lengths are unknown too: those of the profile could make the present partition look unfit."""
    blind = observation(2, None, of=service(partitions=("7g.80gb",)))
    decision = only(plan(blind, ahead=forecast(20)))
    assert (decision.action, decision.reason) == (Action.HOLD, Why.NO_METRICS)
    assert (decision.option.partition, decision.option.replicas) == ("3g.40gb", 2)


def test_enough_right_after_an_absence_does_not_end_the_wait() -> None:
    back = observation(2, rps=8, last_reason=Why.NO_METRICS)
    first = only(plan(back, ahead=forecast(8)))
    assert (first.action, first.reason) == (Action.HOLD, Why.RECOVERING)
    soon = observation(2, rps=1, last=replace(first, made_at_seconds=NOW - 20))
    assert only(plan(soon, ahead=forecast(1))).reason == Why.RECOVERING


def test_metrics_that_are_back_must_stay_a_while_before_anything_goes() -> None:
    back = observation(5, rps=2, last_reason=Why.NO_METRICS)
    first = only(plan(back, ahead=forecast(2)))
    assert (first.reason, first.option.replicas) == (Why.RECOVERING, 5)
    soon = observation(5, rps=2, last_reason=Why.RECOVERING, last_at=NOW - 20)
    assert only(plan(soon, ahead=forecast(2))).made_at_seconds == NOW - 20, "the time of the recovery is kept"
    later = observation(5, rps=2, last_reason=Why.RECOVERING, last_at=NOW - 90)
    assert only(plan(later, ahead=forecast(2))).action is Action.DOWN


def test_a_pinned_service_has_the_number_that_a_person_named() -> None:
    decision = only(plan(observation(5, rps=20, of=service(pinned_replicas=2)), ahead=forecast(20)))
    assert (decision.reason, decision.option.replicas) == (Why.PINNED, 2)


def test_replicas_that_somebody_else_sets_are_left_alone() -> None:
    owned = observation(5, rps=1, workloads=(Workload("3g.40gb", 5, "HorizontalPodAutoscaler chat"),))
    decision = only(plan(owned, ahead=forecast(1)))
    assert (decision.action, decision.reason) == (Action.HOLD, Why.FOREIGN)


@pytest.mark.parametrize(
    ("what", "bounds", "why"),
    [
        (service(mode=Mode.PAUSED), Bounds(), Why.PAUSED),
        (service(), Bounds(stop=True), Why.STOPPED),
    ],
    ids=["paused", "stopped"],
)
def test_a_persons_stop_changes_nothing(what: Any, bounds: Bounds, why: Why) -> None:
    decision = only(plan(observation(2, rps=30, of=what), ahead=forecast(30), bounds=bounds))
    assert (decision.reason, decision.option.replicas, decision.dry) == (why, 2, True)


def test_advice_is_decided_and_not_acted_on() -> None:
    decision = only(plan(observation(1, rps=20, of=service(mode=Mode.ADVISORY)), ahead=forecast(20)))
    assert decision.dry
    assert decision.action is Action.UP


def test_a_tighter_target_of_an_intent_needs_more_replicas() -> None:
    tight = bound(targets=(Target(Metric.TTFT, 95, 350),))
    loose, strict = (only(plan(observation(4, rps=16), ahead=forecast(16), bounds=b)) for b in (Bounds(), tight))
    assert strict.option.replicas > loose.option.replicas
    assert "p95 ttft <= 350 ms" in strict.message


def test_a_limit_on_gpus_holds_and_is_said() -> None:
    found = plan(observation(2, rps=40), ahead=forecast(40), bounds=bound(max_gpus=2))
    assert only(found).option.replicas == 4
    assert len({slot.gpu for slot in found.placement.slots}) <= 2
    assert condition(found, "WithinBudget").reason == "BudgetLimits"


def test_a_limit_below_what_there_is_takes_replicas_away() -> None:
    decision = only(plan(observation(6, rps=20), ahead=forecast(20), bounds=bound(max_replicas=3)))
    assert (decision.reason, decision.option.replicas) == (Why.LIMIT, 3)


def test_the_budget_of_the_spec_counts_like_an_intent() -> None:
    decision = only(plan(observation(1, rps=40, of=service(budget=Budget(gpus=1))), ahead=forecast(40)))
    assert decision.option.replicas == 2


def test_a_service_that_cannot_fit_says_what_is_missing_and_others_go_on() -> None:
    other = ServiceKey("shop", "other")
    crowded = observation(1, rps=60, of=service(max_replicas=40))
    calm = observation(1, rps=3, of=service(other))
    found = plan(crowded, replace(calm, replicas=(), workloads=()), ahead=forecast(60), count=1)
    placed = condition(found, "Placed")
    assert (placed.status, placed.reason) == (Status.FALSE, "NoRoom")
    assert "3g.40gb on A100-80GB find no place" in placed.message
    assert any(slot.service == CHAT for slot in found.placement.slots)


def test_an_unreachable_slo_names_the_nearest_thing_that_works() -> None:
    impossible = observation(2, of=service(targets=(Target(Metric.TTFT, 95, 20),)))
    found = plan(impossible, ahead=forecast(4))
    assert only(found).option.replicas == 2
    assert condition(found, "Placed").reason == "SLOUnreachable"
    assert "allow a larger partition or a longer time" in condition(found, "Placed").message


def test_a_missing_profile_is_named() -> None:
    found = plan(observation(0, of=service(profile="nobody")), ahead=forecast(4))
    assert found.decisions == ()
    assert condition(found, "ProfileKnown").reason == "ProfileMissing"


def test_a_clearly_cheaper_partition_replaces_the_present_one() -> None:
    wide = service(partitions=())
    found = plan(observation(5, rps=18, of=wide), ahead=forecast(18.3))
    assert (only(found).action, only(found).option.partition) == (Action.MIGRATE, "7g.80gb")
    old = [slot for slot in found.placement.slots if slot.partition == "3g.40gb"]
    assert len(old) == 5, "make before break: the old ones keep their places"


def test_a_partition_that_is_no_longer_allowed_is_replaced() -> None:
    decision = only(plan(observation(2, rps=4, of=service(partitions=("7g.80gb",))), ahead=forecast(4)))
    assert (decision.action, decision.reason) == (Action.MIGRATE, Why.UNFIT)


def test_an_unchanged_decision_keeps_its_time() -> None:
    first = only(plan(observation(2, rps=8), ahead=forecast(8)))
    again = plan(observation(2, rps=8, last=first), ahead=forecast(8), now=NOW + 60)
    assert only(again).made_at_seconds == first.made_at_seconds


cases = st.builds(
    lambda replicas, rps, missing: observation(replicas, None if missing else rps),
    st.integers(1, 12),
    st.floats(0, 60),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(what=cases, ahead=st.one_of(st.none(), st.floats(0, 60)), most=st.integers(1, 12), stop=st.booleans())
def test_whatever_happens_limits_hold_and_absence_takes_nothing_away(
    what: Observation, ahead: float | None, most: int, stop: bool
) -> None:
    limited = replace(what, service=replace(what.service, max_replicas=most))
    bounds = Bounds(stop=stop)
    found = plan(limited, ahead=None if ahead is None else forecast(ahead), bounds=bounds)
    assert found == plan(limited, ahead=None if ahead is None else forecast(ahead), bounds=bounds)
    decision = only(found)
    if stop:
        assert decision.option.replicas == len(what.replicas)
        return
    assert decision.option.replicas <= max(most, 1)
    if what.load.absent is not None and len(what.replicas) <= most:
        assert decision.option.replicas == len(what.replicas)
    if ahead is None and len(what.replicas) <= most:
        assert decision.option.replicas >= len(what.replicas)


@pytest.mark.slow
def test_a_thousand_services_are_planned_in_one_pass() -> None:
    many = [observation(0, of=service(ServiceKey("shop", f"s{n}"))) for n in range(1000)]
    whole: Snapshot = snapshot(*many, count=64, profiles=MappingProxyType({"llm": profile()}))
    found = plan_cluster(whole, {}, Bounds(), Tuning())
    assert len(found.decisions) == 1000
    assert found.placement.unplaced


def test_in_a_dry_run_a_raised_maximum_counts_as_written() -> None:
    busy = snapshot(observation(2, 40.0, of=service(max_replicas=2)))
    raised = Bounds({CHAT: ServiceBounds(max_replicas=6, raised_max=6)})
    decisions = [plan_cluster(busy, {}, bounds).decisions[0].option.replicas for bounds in (Bounds(), raised)]
    assert decisions == [2, 6]


def test_replicas_go_where_the_rules_of_their_service_allow() -> None:
    """Eight GPUs on two nodes: four replicas would stand on two GPUs of one of them."""
    rules = {"spread": (Spread(Topology.NODE),), "min_replicas": 4}
    found = plan(observation(of=service(**rules)))
    nodes = {gpu.uuid: gpu.node for gpu in snapshot().gpus}
    assert sorted(nodes[slot.gpu] for slot in found.placement.slots) == ["node-0", "node-0", "node-1", "node-1"]


def test_what_the_rules_leave_no_room_for_is_said_in_the_condition() -> None:
    rules = {"apart": (Apart(Topology.NODE, CHAT, CHAT),), "min_replicas": 3}
    found = plan(observation(of=service(**rules)))
    assert only(found).option.replicas == 2
    message = condition(found, "Placed").message
    assert "replicas apart by node leaves no room; without it all would fit" in message
