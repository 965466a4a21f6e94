"""Many rates at once: the bound is a bound, the choice serves, and the two are close."""

from collections import Counter
from itertools import product as every
from math import ceil

import pytest
from cynosure.place.fleet import place_fleet
from cynosure.place.need import Need, Stock
from cynosure.place.prices import GPUS
from cynosure.place.relax import relax
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.place import checker
from tests.place.files import A100
from tests.place.rates import GPCS, rates_of

UNLIMITED = Stock({}, {}, A100)


def served(needs: list[Need], chosen: Counter[tuple[str, str]]) -> bool:
    return all(need.is_met({p: chosen[need.service, p] for p in need.choices}) for need in needs)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 90), st.dictionaries(st.sampled_from(sorted(GPCS)), st.integers(5, 40), min_size=2)),
        min_size=1,
        max_size=2,
    ),
    st.integers(0, 3),
)
def test_no_choice_costs_less_than_the_bound(tasks: list[tuple[int, dict[str, int]]], fixed: int) -> None:
    needs = [Need(f"s{n}", A100, float(r), {p: float(w) for p, w in rps.items()}) for n, (r, rps) in enumerate(tasks)]
    relaxed = relax(needs, {"2g.20gb": fixed}, GPUS, {}, 0.0)
    assert served(needs, Counter(relaxed.chosen))
    stands = [Need("fixed", A100, fixed, {"2g.20gb": 1.0})] if fixed else []
    fleet = place_fleet([*needs, *stands], UNLIMITED)
    assert fleet.is_optimal(GPUS)
    assert relaxed.bound <= len(fleet.placed) + 1e-6


def test_the_bound_is_at_least_that_of_slices() -> None:
    """Parts of partitions allowed, these rates fill 2 GPUs; but 3g.40gb leaves the rest of its half unused."""
    needs = [Need(f"s{n}", A100, 10.0, {"3g.40gb": 10.0, "7g.80gb": 11.0}) for n in range(4)]
    assert relax(needs, {}, GPUS, {}, 0.0).bound > 1.99


def test_a_thousand_rates_are_placed_close_to_the_bound() -> None:
    needs = rates_of(1000, seed=5)
    fleet = place_fleet(needs, UNLIMITED, time_limit_seconds=5.0)  # measured: 0.4 s
    assert served(needs, Counter((h.service, h.profile) for found in fleet.placed.values() for h in found))
    assert all(checker.is_legal(tuple(sorted(h.spot for h in found))) for found in fleet.placed.values())
    assert fleet.cost <= 1.005 * fleet.cost_bound
    assert len(fleet.placed) == fleet.cost


@pytest.mark.slow
def test_most_of_what_stands_stays_when_a_few_rates_change() -> None:
    needs = rates_of(400, seed=6)
    before = place_fleet(needs, UNLIMITED).placed
    changed = [Need(n.service, A100, n.amount * (1.3 if k % 100 == 0 else 1.0), n.worth) for k, n in enumerate(needs)]
    after = place_fleet(changed, Stock({}, before, A100))
    assert after.moves <= 8
    assert after.cost <= 1.01 * after.cost_bound


def test_a_large_rate_is_bounded_by_what_any_partitions_give() -> None:
    """Hundreds of partitions of one service: not all ways are looked at, and the bound holds all the same."""
    need = Need("s", A100, 5_000.0, {"1g.10gb": 10.0, "2g.20gb": 21.0, "3g.40gb": 30.0})
    relaxed = relax([need], {}, GPUS, {}, 0.0)
    slices = min(need.amount / worth * GPCS[name] for name, worth in need.worth.items())
    assert relaxed.bound <= min(
        ceil(checker_gpus(need, counts)) for counts in every(range(0, 240, 10), range(0, 240, 10)) if counts != (0, 0)
    )
    assert relaxed.bound >= slices / 7 - 1e-6


def checker_gpus(need: Need, counts: tuple[int, int]) -> float:
    """GPUs by slices alone, the rest served by the smallest."""
    twos, threes = counts
    ones = ceil(max(0.0, need.amount - 21.0 * twos - 30.0 * threes) / 10.0)
    return max((ones + 2 * twos + 3 * threes) / 7, (ones + 2 * twos + 4 * threes) / 8, twos / 3, threes / 2)
