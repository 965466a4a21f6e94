"""Money, watts and confidential GPUs: what limits one service, and what limits all of them together."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.condition import Condition, Status
from cynosure.model.forecast import Forecast
from cynosure.model.gpu import GpuClass
from cynosure.model.plan import Action, Decision, Plan
from cynosure.model.profile import Profile
from cynosure.model.service import Budget, Mode, ServiceKey
from cynosure.model.snapshot import Observation
from cynosure.plan import plan_cluster
from cynosure.plan.reasons import Why
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.snapshots import A100, CHAT, forecast, observation, profile, service, snapshot

EURO_AN_HOUR = 7.0
EACH = EURO_AN_HOUR * 3 / 7
"""Of a 3g.40gb."""
VISION = ServiceKey("shop", "vision")
PRICED = GpuClass(A100, {"EUR": EURO_AN_HOUR})


def plan(*observations: Observation, rps: float = 40, bounds: Bounds | None = None, **classes: GpuClass) -> Plan:
    ahead: dict[ServiceKey, Forecast] = {o.service.key: forecast(rps) for o in observations}
    known = {found.product: found for found in classes.values()}
    there = snapshot(*observations, classes=MappingProxyType(known), profiles=MappingProxyType({"llm": powered()}))
    return plan_cluster(there, ahead, bounds or Bounds())


def powered() -> Profile:
    plain = profile()
    return replace(plain, points=tuple(replace(p, watts=100.0) for p in plain.points))


def decisions(found: Plan) -> dict[ServiceKey, Decision]:
    return {decision.service: decision for decision in found.decisions}


def budget(found: Plan, key: ServiceKey = CHAT) -> Condition:
    return next(c for c in dict(found.conditions)[key] if c.type == "WithinBudget")


def chat(replicas: int = 1, **changes: Any) -> Observation:
    return observation(replicas, rps=10, of=service(**changes))


def vision(replicas: int = 1, **changes: Any) -> Observation:
    return observation(replicas, rps=10, of=service(VISION, **changes))


@pytest.mark.parametrize("where", ["spec", "intent", "fleet"])
def test_a_limit_on_cost_is_kept(where: str) -> None:
    limit = 3.5 * EACH
    spec = Budget(cost_per_hour=limit) if where == "spec" else Budget()
    own = ServiceBounds(max_cost_per_hour=limit if where == "intent" else None)
    whole = Bounds(MappingProxyType({CHAT: own}), max_cost_per_hour=limit if where == "fleet" else None)
    found = plan(chat(budget=spec), bounds=whole, a100=PRICED)
    decision = decisions(found)[CHAT]
    assert decision.option.replicas == 3
    assert decision.option.cost_per_hour == pytest.approx(3 * EACH)
    assert (budget(found).status, budget(found).reason) == (Status.FALSE, "BudgetLimits")


def test_a_limit_without_a_price_adds_nothing_and_says_so() -> None:
    found = plan(chat(2, budget=Budget(cost_per_hour=100.0, currency="USD")), a100=PRICED)
    assert decisions(found)[CHAT].option.replicas == 2
    assert (budget(found).status, budget(found).reason) == (Status.UNKNOWN, "PriceUnknown")
    assert "no GPUClass has a price of A100-80GB in USD" in budget(found).message


def test_a_new_service_without_a_price_starts_at_its_minimum() -> None:
    found = plan(chat(0, budget=Budget(cost_per_hour=100.0), min_replicas=2))
    assert decisions(found)[CHAT].option.replicas == 2


@pytest.mark.parametrize("what", ["cost", "watts"])
def test_a_limit_of_the_fleet_counts_the_sum(what: str) -> None:
    """Each alone would fit."""
    limit = {"cost": {"max_cost_per_hour": 8 * EACH}, "watts": {"max_watts": 800.0}}[what]
    found = plan(chat(), vision(), bounds=Bounds(**limit), a100=PRICED)
    chosen = {key: decision.option.replicas for key, decision in decisions(found).items()}
    assert sum(chosen.values()) == 8
    assert abs(chosen[CHAT] - chosen[VISION]) <= 1, "the largest growth gives first"
    assert all("of all services together allows" in budget(found, key).message for key in chosen)


def test_who_is_large_gives_before_who_is_small() -> None:
    found = plan(chat(6), vision(1), rps=10, bounds=Bounds(max_watts=500.0))
    chosen = decisions(found)
    assert chosen[CHAT].option.replicas + chosen[VISION].option.replicas <= 5
    assert (chosen[CHAT].action, chosen[CHAT].reason) == (Action.DOWN, Why.LIMIT)
    assert chosen[VISION].option.replicas >= 1


def test_who_is_paused_counts_and_gives_nothing() -> None:
    found = plan(chat(), vision(4, mode=Mode.PAUSED), bounds=Bounds(max_watts=600.0))
    assert decisions(found)[VISION].option.replicas == 4
    assert decisions(found)[CHAT].option.replicas == 2


def test_confidential_work_stays_off_other_gpus() -> None:
    plain = plan(chat(0, confidential=True), a100=PRICED)
    known = next(c for c in dict(plain.conditions)[CHAT] if c.type == "ProfileKnown")
    assert (known.status, CHAT in decisions(plain)) == (Status.FALSE, False)
    assert "on a confidential GPU, as no GPUClass says that one is" in known.message
    secret = plan(chat(0, confidential=True), a100=replace(PRICED, confidential=True))
    assert decisions(secret)[CHAT].option.replicas > 1


@pytest.mark.slow
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 40), st.integers(2, 20))
def test_no_sum_is_exceeded_where_minima_allow(one: int, other: int, rps: int, limit: int) -> None:
    found = plan(chat(one), vision(other), rps=rps, bounds=Bounds(max_watts=100.0 * limit))
    assert sum(d.option.replicas for d in found.decisions) <= max(limit, 2)
    assert all(d.option.replicas >= 1 for d in found.decisions)
