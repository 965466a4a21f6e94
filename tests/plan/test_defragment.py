"""Moves, proposed and carried out: the world below does what Kubernetes does with what a pass wants."""

from dataclasses import replace
from typing import Any

import pytest
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.gpu import Slot
from cynosure.model.repacking import Move, Repacking, Scope
from cynosure.model.service import Apart, Mode, Spread, Topology
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.moving_world import CODE, EVERYTHING, VISION, World, holes, slot
from tests.builders.snapshots import CHAT


def run(world: World, repacking: Repacking, passes: int = 40) -> None:
    for _ in range(passes):
        plan = world.plan(Bounds(repacking=repacking))
        world.act(plan)
        world.check()
        world.record(plan)
        world.start()


def test_services_that_left_holes_are_packed_without_falling_below_their_floor() -> None:
    world = holes()
    found = world.proposal()
    assert (found.gpus_before, found.gpus_after, found.obstacle) == (4, 2, None)
    run(world, found.repacking)
    assert len(world.used()) == 2
    assert world.used().isdisjoint(found.repacking.frees)
    assert world.wanted == {CHAT: 2, VISION: 2, CODE: 1}
    ended = world.plan(Bounds(repacking=found.repacking)).moving
    assert ended is not None
    assert (ended.over, ended.current, ended.held) == (len(found.repacking.moves), None, ())


def test_the_same_world_gives_the_same_proposal_and_what_was_proposed_is_kept() -> None:
    world = holes()
    first = world.proposal().repacking
    assert world.proposal().repacking == first
    world.at[CODE] = [*world.at[CODE], slot(3, 4, CODE)]
    world.__post_init__()
    kept = Repacking(first.moves[:1], first.frees[:1])
    assert world.proposal(replace(EVERYTHING, proposed=kept)).repacking == kept


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["dies before", "dies before recording", "cannot act", "lives"]), max_size=25))
def test_a_crash_anywhere_loses_nothing(fates: list[str]) -> None:
    """Every pass is by a process that knows only what the cluster keeps."""
    world = holes()
    repacking = world.proposal().repacking
    for fate in fates:
        plan = world.plan(Bounds(repacking=repacking))
        if fate in ("dies before recording", "lives"):
            world.act(plan)
            world.check()
        if fate in ("cannot act", "lives"):
            world.record(plan)
        world.start()
    run(world, repacking)
    assert len(world.used()) == 2
    assert world.wanted == {CHAT: 2, VISION: 2, CODE: 1}


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 20), st.booleans())
def test_moves_that_are_called_off_leave_no_surplus(passes: int, starts: bool) -> None:
    world = holes()
    repacking = world.proposal().repacking
    for _ in range(passes):
        plan = world.plan(Bounds(repacking=repacking))
        world.act(plan)
        world.check()
        world.record(plan)
        if starts:
            world.start()
    run(world, Repacking(), passes=3)
    assert world.wanted == {CHAT: 2, VISION: 2, CODE: 1}


def test_a_replica_that_does_not_start_keeps_the_old_one() -> None:
    world = holes()
    repacking = world.proposal().repacking
    for _ in range(10):
        plan = world.plan(Bounds(repacking=repacking))
        world.act(plan)
        world.check()
        world.record(plan)
    moving = world.plan(Bounds(repacking=repacking)).moving
    assert moving is not None
    assert (moving.over, moving.current, moving.waits_for) == (0, repacking.moves[0], "the new replica to be ready")


@pytest.mark.slow
def test_the_stop_leaves_everything_as_it_is_and_is_resumed_from() -> None:
    world = holes()
    repacking = world.proposal().repacking
    run(world, repacking, passes=2)
    before = world.wanted
    for _ in range(3):
        plan = world.plan(Bounds(repacking=repacking, stop=True))
        world.act(plan)
        world.record(plan)
    assert world.wanted == before
    run(world, repacking)
    assert world.wanted == {CHAT: 2, VISION: 2, CODE: 1}


def test_a_service_that_is_paused_meanwhile_is_left_alone() -> None:
    world = holes()
    repacking = world.proposal().repacking
    first = repacking.moves[0].service
    world.changes[first] = {"mode": Mode.PAUSED}
    run(world, repacking, passes=5)
    moving = world.plan(Bounds(repacking=repacking)).moving
    assert moving is not None
    assert "left alone" in moving.waits_for
    assert len(world.used()) == 4


def test_a_target_that_somebody_else_took_is_not_fought_over() -> None:
    world = holes()
    repacking = world.proposal().repacking
    world.foreign = (replace(repacking.moves[0].target, service=None),)
    run(world, repacking, passes=5)
    moving = world.plan(Bounds(repacking=repacking)).moving
    assert moving is not None
    assert "has no room" in moving.waits_for
    assert world.wanted == {CHAT: 2, VISION: 2, CODE: 1}


@pytest.mark.slow
def test_more_load_in_the_middle_of_a_move_is_served() -> None:
    world = holes()
    repacking = world.proposal().repacking
    run(world, repacking, passes=2)
    moved = repacking.moves[0].service
    world.at[moved] = [*world.at[moved], slot(9, 0, moved)]  # its minimum
    for _ in range(40):
        plan = world.plan(Bounds(repacking=repacking))
        world.act(plan)
        world.record(plan)
        world.start()
    assert world.wanted[moved] == len(world.at[moved])


@pytest.mark.parametrize(
    ("changes", "bounds"),
    [
        ({"mode": Mode.PAUSED}, Bounds()),
        ({"mode": Mode.ADVISORY}, Bounds()),
        ({"pinned_replicas": 2}, Bounds()),
        ({}, Bounds(services={CHAT: ServiceBounds(pinned_replicas=2)})),
        ({}, Bounds(services={CHAT: ServiceBounds(max_gpus=2)})),
        ({"spread": (Spread(Topology.NODE),)}, Bounds()),
        ({"apart": (Apart(Topology.NODE, CHAT, CHAT),)}, Bounds()),
    ],
    ids=["paused", "advisory", "pinned", "pinned by an intent", "held to GPUs", "spread", "apart"],
)
def test_a_service_that_must_not_be_touched_keeps_its_gpus(changes: dict[str, Any], bounds: Bounds) -> None:
    world = holes()
    world.changes[CHAT] = changes
    found = world.proposal(bounds=bounds)
    touched = {place.gpu for move in found.repacking.moves for place in (move.origin, move.target)}
    assert touched <= {"gpu-2", "gpu-3"}
    assert (found.gpus_before, found.gpus_after) == (2, 1)


def test_foreign_partitions_stay_alone() -> None:
    world = holes()
    world.foreign = (Slot("gpu-3", 4, "3g.40gb"),)
    found = world.proposal()
    assert "gpu-3" not in {place.gpu for move in found.repacking.moves for place in (move.origin, move.target)}


def test_a_gpu_whose_partitions_cannot_be_where_they_are_said_to_be_stays_alone() -> None:
    """A driver that tells no starts has everything start at slice 0."""
    world = World({CHAT: [slot(0, 0), slot(1, 0)], VISION: [slot(0, 0, VISION)]})
    assert world.proposal().obstacle == "1 partitions stand on 1 GPU, and no fewer GPUs would hold them"


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (Scope("shop", service="chat"), "no partition of shop/chat"),
        (Scope("other"), "no partition of namespace other"),
        (Scope("shop", node="node-9"), "on node node-9"),
        (Scope("shop", product="H100-80GB"), "on H100-80GB"),
    ],
)
def test_nothing_in_scope_says_so(scope: Scope, said: str) -> None:
    world = World({CHAT: [slot(0, 0)], VISION: [slot(0, 2, VISION), slot(1, 2, VISION)]})
    found = world.proposal(scope)
    assert not found.repacking
    assert said in (found.obstacle or "")
    assert "limit:" in (found.obstacle or "")


def test_nothing_to_gain_says_how_much_stands() -> None:
    world = World({CHAT: [slot(0, 0), slot(0, 2), slot(0, 4)]})
    assert world.proposal().obstacle == "3 partitions stand on 1 GPU, and no fewer GPUs would hold them"


def test_one_at_a_time() -> None:
    world = holes()
    under_way = Repacking((Move(slot(0, 0), slot(2, 4)),))
    assert "one defragmentation at a time" in (world.proposal(bounds=Bounds(repacking=under_way)).obstacle or "")
