"""Hops to fewer GPUs: each has room when its turn comes, and the old place is given up only afterwards."""

import pytest
from cynosure.place.need import Holding, Stock
from cynosure.place.repack import Repacked, make_room, played, repack, rooms
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.place import checker
from tests.place.files import A100
from tests.place.test_steps import Placed, placed


def stock(standing: Placed, gpus: int = 0) -> Stock:
    return Stock(dict.fromkeys(range(max([gpus, *(gpu + 1 for gpu in standing)])), A100), standing)


def played_safely(of: Stock, found: Repacked) -> Placed:
    """Every intermediate state stands on legal GPUs; a service never has less than it had."""
    for count in range(len(found.hops) + 1):
        standing = played(of, found.hops[:count])
        assert standing is not None
        for held in standing.values():
            assert checker.is_legal(tuple(h.spot for h in held))
        assert sorted(labels(standing)) == sorted(labels(of.standing))
    return standing


def labels(standing: Placed) -> list[tuple[str, str]]:
    return [(h.service, h.profile) for held in standing.values() for h in held]


def test_the_holes_that_services_left_are_filled() -> None:
    here = stock(placed(gpu0=[("3g.40gb", 0, "a")], gpu1=[("2g.20gb", 4, "b")], gpu2=[("3g.40gb", 4, "c")]))
    found = repack(here)
    after = played_safely(here, found)
    assert len(found.freed) == len(found.hops) == 1 == sum(not held for held in after.values())


def test_what_is_dense_stays() -> None:
    full = [("3g.40gb", 0, "a"), ("3g.40gb", 4, "b")]
    assert repack(stock(placed(gpu0=full, gpu1=[("3g.40gb", 0, "c")]))).hops == ()


def test_a_gpu_that_is_empty_already_is_no_gain() -> None:
    assert repack(stock(placed(gpu1=[("3g.40gb", 0, "a")]), gpus=4)).hops == ()


def test_one_that_is_in_the_way_makes_room_on_its_own_gpu_first() -> None:
    """A 1g at slice 1 keeps the 3g out, although there is room for both."""
    here = stock(placed(gpu0=[("1g.10gb", 1, "a"), ("2g.20gb", 4, "b")], gpu1=[("3g.40gb", 0, "c")]))
    found = repack(here)
    assert len(found.freed) == 1
    played_safely(here, found)


def test_what_could_start_afterwards_is_counted() -> None:
    here = stock(placed(gpu0=[("1g.10gb", 0, "a")], gpu1=[("1g.10gb", 5, "b")]))
    after = played(here, repack(here).hops) or {}
    assert [(room.before, room.after) for room in rooms(here, after)] == [(12, 12)]
    small = placed(gpu0=[("3g.40gb", 0, "a"), ("1g.10gb", 5, "b")], gpu1=[("1g.10gb", 1, "b")])
    packed = placed(gpu0=[("3g.40gb", 0, "a"), ("1g.10gb", 5, "b"), ("1g.10gb", 4, "b")], gpu1=[])
    gains = {room.partition: (room.before, room.after) for room in rooms(stock(small), packed)}
    assert gains == {"1g.10gb": (8, 8), "3g.40gb": (1, 2)}


@st.composite
def fleets(draw: st.DrawFn) -> Stock:
    """Whatever replicas that came and went can leave."""
    standing: Placed = {}
    for gpu in range(draw(st.integers(2, 4))):
        held: list[Holding] = []
        for number, (profile, start) in enumerate(draw(st.lists(st.sampled_from(SPOTS), max_size=4))):
            if checker.is_legal((*(h.spot for h in held), (profile, start))):
                held.append(Holding(start, profile, f"{draw(st.sampled_from('abc'))}{number % 2}"))
        standing[gpu] = tuple(held)
    return Stock(dict.fromkeys(range(len(standing)), A100), standing)


SPOTS = [("1g.10gb", 1), ("1g.10gb", 5), ("2g.20gb", 2), ("2g.20gb", 4), ("3g.40gb", 0), ("3g.40gb", 4)]


@given(fleets())
@settings(max_examples=25, deadline=None)
def test_any_fleet_is_repacked_safely(here: Stock) -> None:
    found = repack(here)
    after = played_safely(here, found)
    used, then = ({gpu for gpu, held in of.items() if held} for of in (here.standing, after))
    assert set(found.freed) == used - then
    assert len(then) < len(used) or not found.hops


BIG = (A100, "3g.40gb")


def startable(of: Stock, after: Placed, profile: str) -> int:
    """How many more of a profile could start, GPU by GPU, by the checker's own table."""
    count = 0
    for gpu in of.products:
        spots = tuple(h.spot for h in after.get(gpu, ()))
        for start in checker.A100[profile][2]:
            if checker.is_legal((*spots, (profile, start))):
                spots = (*spots, (profile, start))
                count += 1
    return count


def test_one_hop_on_the_same_gpu_makes_room_where_no_gpu_becomes_free() -> None:
    here = stock(placed(gpu0=[("1g.10gb", 1, "a"), ("2g.20gb", 4, "b")]))
    assert repack(here).hops == ()
    found = make_room(here, {BIG: 1})
    assert len(found.hops) == 1
    assert found.freed == ()
    assert startable(here, dict(here.standing), "3g.40gb") == 0
    assert startable(here, played_safely(here, found), "3g.40gb") == 1


def test_as_much_room_as_there_can_be_is_made() -> None:
    """Three are wanted, one can be."""
    here = stock(placed(gpu0=[("1g.10gb", 1, "a"), ("2g.20gb", 4, "b")]))
    assert startable(here, played_safely(here, make_room(here, {BIG: 3})), "3g.40gb") == 1


def test_nobody_gives_way_to_what_is_not_there_yet() -> None:
    full = [("3g.40gb", 0, "a"), ("3g.40gb", 4, "b")]
    assert make_room(stock(placed(gpu0=full)), {BIG: 2, (A100, "1g.10gb"): 7}).hops == ()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["1g.10gb", "2g.20gb", "3g.40gb"]), st.integers(0, 6)), max_size=8
    ),
    st.sampled_from(["2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"]),
    st.integers(1, 3),
)
def test_hops_to_more_room_are_safe_and_none_is_made_for_nothing(
    tried: list[tuple[int, str, int]], profile: str, count: int
) -> None:
    standing: Placed = {}
    for number, (gpu, name, start) in enumerate(tried):
        spots = [h.spot for h in standing.get(gpu, ())]
        if checker.is_legal((*spots, (name, start))):
            standing[gpu] = (*standing.get(gpu, ()), Holding(start, name, f"s{number}"))
    here = stock(standing, gpus=3)
    found = make_room(here, {(A100, profile): count})
    after = played_safely(here, found)
    if found.hops and not found.blocked:
        before = startable(here, dict(here.standing), profile)
        assert before < count
        assert startable(here, after, profile) > before
