"""Every order of steps is safe when played: GPUs stay legal, services above their floors, and the target is reached."""

from collections import Counter
from typing import Any

import pytest
from cynosure.place.need import Holding, Stock
from cynosure.place.steps import Action, Step, steps_between
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.place import checker
from tests.place.files import A100

Placed = dict[int, tuple[Holding, ...]]
FULL = Stock({}, {}, None)


def placed(**gpus: list[tuple[str, int, str]]) -> Placed:
    """Write ``gpu0=[("3g.40gb", 0, "chat")]``."""
    return {
        int(name.removeprefix("gpu")): tuple(Holding(start, profile, service) for profile, start, service in of)
        for name, of in gpus.items()
    }


def steps(before: Placed, after: Placed, stock: Stock | None = None) -> tuple[Step, ...]:
    known = dict.fromkeys({*before, *after}, A100)
    found = steps_between(before, after, known, stock or Stock(known))
    play(before, after, found)
    return found


def slices(standing: set[tuple[int, Holding]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for _, held in standing:
        found[held.service] += checker.A100[held.profile][0]
    return found


def play(before: Placed, after: Placed, found: tuple[Step, ...]) -> None:
    """Play the waves, each in the order given and in its opposite: both must be safe."""
    start = {(gpu, held) for gpu, held_there in before.items() for held in held_there}
    target = {(gpu, held) for gpu, held_there in after.items() for held in held_there}
    floors = slices(start) & slices(target)
    for order in (1, -1):
        standing = set(start)
        for wave in range(1, max((step.wave for step in found), default=0) + 1):
            together = [step for step in found if step.wave == wave][::order]
            for step in together:
                below = max(s.below_floor for s in together if s.partition.service == step.partition.service)
                one_step(step, standing, start & target, floors, below)
        assert standing == target


def one_step(step: Step, standing: set[Any], kept: set[Any], floors: Counter[str], below: int) -> None:
    at = step.gpu, step.partition
    assert at not in kept, "what stays is not touched"
    if step.action is Action.CREATE:
        assert at not in standing
        standing.add(at)
        assert checker.is_legal(spots_on(frozenset(standing), step.gpu))
    else:
        standing.remove(at)
        assert (floors - slices(standing))[step.partition.service] <= below


def test_nothing_to_do_takes_no_step() -> None:
    same = placed(gpu0=[("3g.40gb", 0, "a")])
    assert steps(same, same) == ()


def test_the_new_replica_is_ready_before_the_old_one_goes() -> None:
    found = steps(placed(gpu0=[("3g.40gb", 0, "a")]), placed(gpu1=[("3g.40gb", 0, "a")]))
    assert [(step.action, step.gpu, step.wave) for step in found] == [(Action.CREATE, 1, 1), (Action.REMOVE, 0, 2)]


def test_what_is_not_wanted_any_more_goes_first_where_it_is_in_the_way() -> None:
    found = steps(placed(gpu0=[("7g.80gb", 0, "old")]), placed(gpu0=[("4g.40gb", 0, "a"), ("3g.40gb", 4, "b")]))
    assert [step.action for step in found] == [Action.REMOVE, Action.CREATE, Action.CREATE]
    assert [step.wave for step in found] == [1, 2, 2]


def test_independent_moves_share_waves() -> None:
    before = placed(gpu0=[("3g.40gb", 0, "a")], gpu1=[("3g.40gb", 0, "b")])
    after = placed(gpu2=[("3g.40gb", 0, "a"), ("3g.40gb", 4, "b")])
    assert max(step.wave for step in steps(before, after)) == 2


def test_a_chain_is_resolved_from_its_free_end() -> None:
    before = placed(gpu0=[("4g.40gb", 0, "a")], gpu1=[("4g.40gb", 0, "b")], gpu2=[])
    after = placed(gpu1=[("4g.40gb", 0, "a")], gpu2=[("4g.40gb", 0, "b")])
    found = steps(before, after)
    assert [step.partition.service for step in found] == ["b", "b", "a", "a"]
    assert not any(step.is_temporary or step.below_floor for step in found)


SWAPPED = (
    placed(gpu0=[("4g.40gb", 0, "a")], gpu1=[("7g.80gb", 0, "b")]),
    placed(gpu0=[("7g.80gb", 0, "b")], gpu1=[("4g.40gb", 0, "a")]),
)


def test_a_swap_borrows_a_free_gpu() -> None:
    found = steps(*SWAPPED, Stock(dict.fromkeys(range(3), A100)))
    assert [step.gpu for step in found if step.is_temporary] == [2, 2]
    assert not any(step.below_floor for step in found)


def test_a_swap_on_full_gpus_says_who_is_interrupted_and_how_far() -> None:
    """A rolling update on full GPUs deadlocks elsewhere (LLMKube, issue 192); here it is known beforehand."""
    found = steps(*SWAPPED)
    assert [(step.partition.service, step.below_floor) for step in found if step.below_floor] == [("a", 4)]


def test_the_right_one_of_two_removals_is_found() -> None:
    """Service a can spare one of its two; only the one on GPU 1 makes room for what lets the other go."""
    before = placed(gpu0=[("4g.40gb", 0, "a")], gpu1=[("4g.40gb", 0, "a")], gpu2=[("7g.80gb", 0, "b")])
    after = placed(gpu0=[("7g.80gb", 0, "c")], gpu1=[("4g.40gb", 0, "a")], gpu2=[("7g.80gb", 0, "b")])
    found = steps(before, after)
    assert not any(step.below_floor for step in found)


PARTS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(tuple(checker.A100)), st.integers(0, 6), st.sampled_from("abc")),
    max_size=14,
)


def legal_placement(parts: list[tuple[int, str, int, str]]) -> Placed:
    found: dict[int, list[Holding]] = {gpu: [] for gpu in range(4)}
    for gpu, profile, start, service in parts:
        spots = tuple(sorted([*(held.spot for held in found[gpu]), (profile, start)]))
        if checker.is_legal(spots):
            found[gpu].append(Holding(start, profile, service))
    return {gpu: tuple(sorted(held)) for gpu, held in found.items() if held}


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(PARTS, PARTS, st.integers(4, 6))
def test_any_change_is_played_safely(
    before: list[tuple[int, str, int, str]], after: list[tuple[int, str, int, str]], gpus: int
) -> None:
    stock = Stock(dict.fromkeys(range(gpus), A100))
    found = steps(legal_placement(before), legal_placement(after), stock)
    assert found == steps(legal_placement(before), legal_placement(after), stock)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(PARTS, PARTS)
def test_a_deadlock_is_claimed_only_where_there_is_one(
    before: list[tuple[int, str, int, str]], after: list[tuple[int, str, int, str]]
) -> None:
    start, target = legal_placement(before), legal_placement(after)
    found = steps(start, target)
    if any(step.is_temporary or step.below_floor for step in found):
        assert not safe_order_exists(start, target)


def safe_order_exists(before: Placed, after: Placed) -> bool:
    """Try every order of creating what is new and removing what is old."""
    start = frozenset((gpu, held) for gpu, found in before.items() for held in found)
    target = frozenset((gpu, held) for gpu, found in after.items() for held in found)
    floors, seen, todo = slices(set(start)) & slices(set(target)), {start}, [start]
    while todo:
        standing = todo.pop()
        if standing == target:
            return True
        for after_it in neighbours(standing, start, target, floors):
            if after_it not in seen and len(seen) < 20_000:
                seen.add(after_it)
                todo.append(after_it)
    return False


def neighbours(
    standing: frozenset[tuple[int, Holding]],
    start: frozenset[tuple[int, Holding]],
    target: frozenset[tuple[int, Holding]],
    floors: Counter[str],
) -> list[frozenset[tuple[int, Holding]]]:
    made = [standing | {at} for at in target - standing]
    legal = [s for s in made if all(checker.is_legal(spots_on(s, gpu)) for gpu in {gpu for gpu, _ in s})]
    less = [standing - {at} for at in (start - target) & standing]
    return legal + [s for s in less if not floors - slices(set(s))]


def spots_on(standing: frozenset[tuple[int, Holding]], gpu: int) -> checker.Spots:
    return tuple(sorted(held.spot for number, held in standing if number == gpu))
