"""A defragmentation from the sentence to its end: the planner and the lifecycle are real, the cluster is a model."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cynosure.api import AutomationPolicy, ScalingIntent, parse
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.intents.bounds import bounds_in_force
from cynosure.intents.verification import Range
from cynosure.model.bounds import Bounds
from cynosure.model.plan import Plan

from tests.builders.moving_world import CODE, VISION, World, holes, slot
from tests.builders.snapshots import CHAT
from tests.reconcile.shop import INTENTS, POLICIES, SERVICES, Shop


@dataclass
class Floor:
    """The shop, with three services on four GPUs."""

    shop: Shop
    world: World = field(default_factory=holes)

    def what_if(self, bounds: Bounds) -> Plan:
        return self.world.plan(bounds)

    async def plan(self, text: str = "defragment") -> str:
        asked = self.shop.ask(text)
        await self.shop.rounds()
        return asked

    async def passes(self, count: int, *, starts: bool = True) -> None:
        """What the loop does beside the lifecycle, which sees it every few seconds."""
        for _ in range(count):
            plan = self.world.plan(in_force(self.shop))
            self.world.act(plan)
            self.world.check()
            self.world.record(plan)
            if starts:
                self.world.start()
            await self.shop.life.round()
            self.shop.now += 5


def in_force(shop: Shop) -> Bounds:
    """The bounds of a pass, from the intents as they are stored."""
    stored = [parse(ScalingIntent, body) for body in shop.server.storage.of(INTENTS)]
    policies = [parse(AutomationPolicy, body) for body in shop.server.storage.of(POLICIES)]
    policy = next((p.spec for p in policies if isinstance(p, AutomationPolicy)), AutomationPolicySpec())
    return bounds_in_force([i for i in stored if isinstance(i, ScalingIntent)], policy, shop.now)


@pytest.fixture
async def floor(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Floor:
    found = Floor(shop)
    monkeypatch.setattr(shop, "what_if", found.what_if)
    for name in ("vision", "code"):
        body = shop.server.storage.objects[SERVICES, "shop", "chat"].body
        shop.add(SERVICES, name, body["spec"])
    shop.evidence.range = Range(1, 3, 60, 60)
    return found


async def test_from_a_sentence_to_free_gpus(floor: Floor) -> None:
    asked = await floor.plan()
    plan = floor.shop.status(asked)["plan"]
    assert "Frees 2 of 4 GPUs" in plan["message"]
    assert {change["path"] for change in plan["diff"]} == {"placement.2g.20gb"}
    assert len(plan["moves"]) == len(plan["diff"])
    await floor.passes(3)
    assert len(floor.world.used()) == 4, "nothing moves before somebody else has approved"
    floor.shop.evidence.range = Range(2, 3, 60, 60)
    floor.shop.approve(asked)
    await floor.shop.rounds()
    assert floor.shop.condition(asked, "Verified") == ("Unknown", "Moving")
    await floor.passes(12)
    assert floor.shop.phase(asked) == "Verified"
    assert len(floor.world.used()) == 2
    assert floor.world.wanted == {CHAT: 2, VISION: 2, CODE: 1}
    assert not in_force(floor.shop).repacking, "what is done holds no more"


async def test_the_requester_does_not_approve_their_own(floor: Floor) -> None:
    asked = await floor.plan()
    floor.shop.approve(asked, approver="alice")
    await floor.shop.rounds()
    assert floor.shop.condition(asked, "Approved") == ("False", "SelfApproval")


async def test_a_plan_that_the_world_left_behind_needs_a_new_approval(floor: Floor) -> None:
    asked = await floor.plan()
    old = floor.shop.status(asked)["plan"]
    taken = old["moves"][0]
    floor.world.foreign = (replace(slot(int(taken["toGpu"][-1]), taken["toStart"]), service=None),)
    floor.shop.approve(asked, digest=old["digest"])
    await floor.shop.rounds()
    assert floor.shop.condition(asked, "Approved") == ("False", "DigestStale")
    assert floor.shop.status(asked)["plan"]["moves"] != old["moves"]


async def test_the_same_plan_is_kept_while_it_can_be_carried_out(floor: Floor) -> None:
    asked = await floor.plan()
    old = floor.shop.status(asked)["plan"]["digest"]
    await floor.shop.rounds(120)
    await floor.shop.rounds()
    assert floor.shop.status(asked)["plan"]["digest"] == old


async def test_nothing_to_gain_is_refused_with_figures(floor: Floor) -> None:
    floor.world = World({CHAT: [slot(0, 0), slot(0, 2)], VISION: [slot(0, 4, VISION)]})
    asked = await floor.plan()
    assert floor.shop.condition(asked, "Planned") == ("False", "NothingToGain")
    assert "3 partitions stand on 1 GPU" in floor.shop.status(asked)["plan"]["message"]


async def test_a_move_that_does_not_come_to_its_end_is_called_off(floor: Floor) -> None:
    asked = await floor.plan()
    floor.shop.approve(asked)
    await floor.shop.rounds()
    await floor.passes(3, starts=False)
    assert sum(floor.world.wanted.values()) == 6
    floor.shop.now += 700
    await floor.passes(3, starts=False)
    assert floor.shop.phase(asked) == "Failed"
    assert "called off" in floor.shop.status(asked)["verification"]["message"]
    assert floor.world.wanted == {CHAT: 2, VISION: 2, CODE: 1}
    assert len(floor.world.used()) == 4


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["undo", "expires"])
async def test_what_ends_in_the_middle_begins_nothing_new(floor: Floor, ends: str) -> None:
    asked = await floor.plan()
    floor.shop.approve(asked)
    await floor.shop.rounds()
    await floor.passes(2, starts=False)
    if ends == "undo":
        undo = floor.shop.ask(directives=[{"verb": "undo", "intent": asked}])
        await floor.shop.rounds()
        floor.shop.approve(undo)
    else:
        soon = datetime.fromtimestamp(floor.shop.now, UTC) + timedelta(seconds=1)
        stored = floor.shop.server.storage.objects[INTENTS, "shop", asked]
        stored.body["spec"]["expires"] = f"{soon:%Y-%m-%dT%H:%M:%SZ}"
        floor.shop.now += 60
    await floor.passes(4)
    assert floor.shop.phase(asked) in ("Undone", "Expired")
    assert floor.world.wanted == {CHAT: 2, VISION: 2, CODE: 1}


@pytest.mark.slow
async def test_the_emergency_stop_waits_and_the_time_with_it(floor: Floor) -> None:
    asked = await floor.plan()
    floor.shop.approve(asked)
    await floor.shop.rounds()
    await floor.passes(2, starts=False)
    before = dict(floor.world.wanted)
    floor.shop.policy(stop=True)
    await floor.passes(2)
    floor.shop.now += 10_000
    await floor.passes(2)
    assert (floor.shop.phase(asked), floor.world.wanted) == ("Applied", before)
    floor.shop.server.storage.delete((POLICIES, "", "default"))
    floor.shop.evidence.range = Range(2, 3, 60, 60)
    await floor.passes(20)

    assert floor.shop.phase(asked) == "Verified"


@pytest.mark.slow
async def test_a_service_that_was_below_its_floor_is_told(floor: Floor) -> None:
    floor.shop.evidence.range = Range(0, 2, 60, 60)
    asked = await floor.plan()
    floor.shop.approve(asked)
    await floor.passes(14)
    assert floor.shop.phase(asked) == "Failed"
    assert "0 to 2 replicas" in floor.shop.status(asked)["verification"]["message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "phase"),
    [
        ({"automaticVerbs": ["defragment"]}, "Verified"),
        ({"automaticVerbs": ["defragment"], "maxMoves": 1}, "Planned"),
        ({"automaticVerbs": ["scale"]}, "Planned"),
    ],
    ids=["allowed", "more moves than allowed", "another verb"],
)
async def test_without_a_person_only_within_the_limits_of_the_administrator(
    floor: Floor, policy: dict[str, Any], phase: str
) -> None:
    floor.shop.evidence.range = Range(2, 3, 60, 60)
    floor.shop.policy(**policy)
    asked = floor.shop.ask("defragment", approval="Automatic")
    await floor.passes(14)
    assert floor.shop.phase(asked) == phase


async def test_moves_are_approved_by_themselves(floor: Floor) -> None:
    asked = floor.shop.ask(directives=[{"verb": "defragment"}, {"verb": "pause", "service": "chat"}])
    await floor.shop.rounds()
    assert floor.shop.condition(asked, "Grounded") == ("False", "Contradiction")
