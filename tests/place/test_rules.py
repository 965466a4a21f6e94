"""Placing by a rule: always legal, and each rule does what it is named for."""

from collections import Counter

import pytest
from cynosure.place.greedy import efficient, large_first, place_greedily
from cynosure.place.need import Holding, Need, Stock
from cynosure.place.rules import Rule, best_region, first_fit, fragmentation_gradient, most_open
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.place import checker
from tests.place.files import A100

NAMES = tuple(checker.A100)
RULES: dict[str, Rule] = {
    "first fit": first_fit,
    "best region": best_region,
    "most open": most_open,
    "fragmentation gradient": fragmentation_gradient({"1g.10gb": 0.5, "3g.40gb": 0.3, "7g.80gb": 0.2}),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@settings(max_examples=25, deadline=None)
@given(names=st.lists(st.sampled_from(NAMES), max_size=25), gpus=st.one_of(st.none(), st.integers(0, 5)))
def test_whatever_comes_is_placed_legally_or_said_to_lack(rule: Rule, names: list[str], gpus: int | None) -> None:
    stock = Stock({}, {}, A100) if gpus is None else Stock(dict.fromkeys(range(gpus), A100))
    items = [(f"s{number % 3}", name) for number, name in enumerate(names)]
    placed, lacking = place_greedily(items, A100, stock, rule, {})
    assert all(checker.is_legal(tuple(sorted(held.spot for held in found))) for found in placed.values())
    stands = Counter((held.service, held.profile) for found in placed.values() for held in found)
    assert stands + lacking == Counter(items)
    assert gpus is not None or not lacking


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_stands_is_never_touched(rule: Rule) -> None:
    standing = {0: (Holding(4, "3g.40gb", "other"),), 1: (Holding(0, "7g.80gb", "other"),)}
    placed, _ = place_greedily([("a", "4g.40gb"), ("a", "3g.40gb")], A100, Stock({}, standing, A100), rule, standing)
    assert all(set(found) <= set(placed[gpu]) for gpu, found in standing.items())


def test_first_fit_takes_the_lowest_gpu_and_start() -> None:
    placed, _ = place_greedily([("a", "1g.10gb")] * 8, A100, Stock({}, {}, A100), first_fit, {})
    assert [[held.start for held in found] for found in placed.values()] == [[0, 1, 2, 3, 4, 5, 6], [0]]


def test_a_4g_stays_possible_where_the_other_rules_block_it() -> None:
    """Beside a 1g at 6, another one at 0 blocks both 3g and 4g; the free region is as long with it at 5."""
    standing = (("1g.10gb", 6),)
    assert first_fit(A100, standing, "1g.10gb") == best_region(A100, standing, "1g.10gb") == (0.0, 0)
    found = most_open(A100, standing, "1g.10gb")
    assert found is not None
    assert checker.is_legal((*standing, ("1g.10gb", found[1]), ("4g.40gb", 0)))


def test_the_gradient_prefers_gpus_that_are_broken_already() -> None:
    rule = RULES["fragmentation gradient"]
    standing = {1: (Holding(0, "1g.10gb", "x"), Holding(4, "1g.10gb", "x"))}
    placed, _ = place_greedily([("a", "1g.10gb")], A100, Stock(dict.fromkeys(range(3), A100)), rule, standing)
    assert list(placed) == [1]


def test_segments_are_configured_as_in_parvagpu() -> None:
    """As many of the most efficient as are filled, and the smallest that serves the rest."""
    need = Need("a", A100, 92.0, {"1g.10gb": 9.0, "2g.20gb": 20.0, "3g.40gb": 39.0})
    assert efficient(need) == {"3g.40gb": 2, "2g.20gb": 1}


def test_large_partitions_come_first() -> None:
    counts = {("a", "1g.10gb"): 1, ("b", "4g.40gb"): 1, ("c", "3g.40gb"): 2}
    assert large_first(counts, A100) == [("b", "4g.40gb"), ("c", "3g.40gb"), ("c", "3g.40gb"), ("a", "1g.10gb")]
