"""Hops to fewer GPUs: each has room when its turn comes, and the old place is given up only afterwards."""

from cynosure.place.need import Holding, Stock
from cynosure.place.repack import Repacked, played, repack, rooms
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.place import checker
from tests.place.files import A100
from tests.place.test_steps import Placed, placed


def stock(standing: Placed, gpus: int = 0) -> Stock:
    return Stock(dict.fromkeys(range(max(gpus, *(gpu + 1 for gpu in standing))), A100), standing)


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
