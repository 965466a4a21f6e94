"""The exact packing against brute force: nothing has fewer GPUs, and with those nothing has fewer moves."""

from collections import Counter
from dataclasses import dataclass
from itertools import product as every
from math import ceil
from typing import Any

import pytest
from cynosure.model.mig import geometry_of
from cynosure.place.answer import answer_of
from cynosure.place.fleet import place_fleet
from cynosure.place.integer_program import HIGHS
from cynosure.place.milp import Found, Milp
from cynosure.place.need import Holding, Need, Stock
from cynosure.place.prices import GPUS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.place import checker
from tests.place.files import A100, demand, gpus

NAMES = ("1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb")
SERVICES = ("a", "b", "c")

quick = settings(max_examples=40, deadline=None)
wishes = st.dictionaries(st.tuples(st.sampled_from(SERVICES), st.sampled_from(NAMES)), st.integers(1, 3), max_size=4)


def as_demand(wanted: dict[tuple[str, str], int]) -> dict[str, Any]:
    return demand(**{s: {p: n for (name, p), n in wanted.items() if name == s} for s in sorted({s for s, _ in wanted})})


def needs_of(wanted: dict[tuple[str, str], int]) -> list[Need]:
    return [Need(service, A100, count, {profile: 1.0}) for (service, profile), count in sorted(wanted.items())]


def solve(wanted: dict[tuple[str, str], int], stock: Stock = Stock({}, {}, A100)) -> dict[str, Any]:  # noqa: B008
    needs = needs_of(wanted)
    return answer_of(place_fleet(needs, stock), needs, stock, GPUS)


def stock_of(answer: dict[str, Any], count: int | None = None) -> Stock:
    standing = {
        gpu["gpu"]: tuple(Holding(s["start"], s["profile"], s["service"]) for s in gpu["slices"])
        for gpu in answer["placement"]
    }
    return Stock({}, standing, A100) if count is None else Stock(dict.fromkeys(range(count), A100), standing)


def profiles(wanted: dict[tuple[str, str], int]) -> list[str]:
    return [profile for (_, profile), count in wanted.items() for _ in range(count)]


@quick
@given(wishes)
def test_nothing_fits_on_fewer_gpus(wanted: dict[tuple[str, str], int]) -> None:
    answer = solve(wanted)
    checker.check(answer, as_demand(wanted))
    assert (answer["gpus"], answer["optimal"]) == (checker.fewest_gpus(profiles(wanted)), True)


@quick
@given(before=wishes, after=wishes)
def test_nothing_on_as_few_gpus_moves_less(
    before: dict[tuple[str, str], int], after: dict[tuple[str, str], int]
) -> None:
    current = solve(before)
    stock = stock_of(current)
    answer = solve(after, stock)
    checker.check(answer, as_demand(after), current=current)
    standing = checker.partitions(current)
    wanted = [(service, profile) for (service, profile), count in after.items() for _ in range(count)]
    assert answer["gpus"] == checker.fewest_gpus(profiles(after))
    if len(standing) <= 10:
        assert answer["moves"] == checker.fewest_moves(wanted, standing, answer["gpus"])
    assert answer["optimal"]


@quick
@given(wishes, st.integers(0, 4))
def test_more_gpus_never_place_less(wanted: dict[tuple[str, str], int], count: int) -> None:
    few, more = (solve(wanted, Stock(dict.fromkeys(range(n), A100))) for n in (count, count + 1))
    for answer, n in ((few, count), (more, count + 1)):
        checker.check(answer, as_demand(wanted), inventory={"gpus": gpus(n)})
        assert answer["optimal"]
    assert lacking(more) <= lacking(few)
    assert (lacking(few) == 0) == checker.fits_on(profiles(wanted), count)


def lacking(answer: dict[str, Any]) -> int:
    return sum(u["count"] for u in answer["unplaced"])


@quick
@given(
    st.dictionaries(
        st.sampled_from(SERVICES),
        st.tuples(
            st.integers(1, 30),
            st.dictionaries(st.sampled_from(NAMES), st.integers(6, 40), min_size=1, max_size=3),
        ),
        min_size=1,
        max_size=2,
    )
)
def test_no_other_choice_of_partitions_needs_fewer_gpus(rates: dict[str, tuple[int, dict[str, int]]]) -> None:
    needs = [
        Need(name, A100, float(rate), {p: float(w) for p, w in rps.items()}) for name, (rate, rps) in rates.items()
    ]
    fleet = place_fleet(needs, Stock({}, {}, A100))
    assert fleet.is_optimal(GPUS)
    assert all(need.is_met(counts_of(fleet, need.service)) for need in needs)
    ways = every(*(enough(rate, rps) for rate, rps in rates.values()))
    assert len(fleet.placed) == min(checker.fewest_gpus([p for way in choice for p in way]) for choice in ways)


def counts_of(fleet: Any, service: str) -> Counter[str]:
    return Counter(held.profile for found in fleet.placed.values() for held in found if held.service == service)


def enough(rate: int, rps: dict[str, int]) -> list[tuple[str, ...]]:
    """Every choice of partitions that serves the rate, and would not with one less."""
    names = sorted(rps)
    found = []
    for counts in every(*(range(ceil(rate / rps[name]) + 1) for name in names)):
        served = sum(rps[name] * count for name, count in zip(names, counts, strict=True))
        least = min((rps[name] for name, count in zip(names, counts, strict=True) if count), default=0)
        if served >= rate > served - least:
            found.append(tuple(name for name, count in zip(names, counts, strict=True) for _ in range(count)))
    return found


@quick
@given(wishes, st.integers(0, 3))
def test_the_same_task_has_the_same_answer(wanted: dict[tuple[str, str], int], count: int) -> None:
    stock = Stock(dict.fromkeys(range(count), A100))
    assert solve(wanted, stock) == solve(dict(reversed(list(wanted.items()))), stock)


def test_a_service_keeps_its_own_partitions_when_it_shrinks() -> None:
    """Of those that stand only some may stay: those whose places nobody needs more."""
    current = [Holding(0, "3g.40gb", "a"), Holding(4, "3g.40gb", "a")], [Holding(0, "3g.40gb", "a")]
    stock = Stock({}, {gpu: tuple(held) for gpu, held in enumerate(current)}, A100)
    answer = solve({("a", "3g.40gb"): 2}, stock)
    assert (answer["gpus"], answer["moves"]) == (1, 1)


def test_a_rate_that_falls_keeps_what_stands_where_no_gpu_is_saved() -> None:
    need = Need("a", A100, 30.0, {"1g.10gb": 10.0, "2g.20gb": 21.0})
    standing = {0: (Holding(0, "1g.10gb", "a"), Holding(1, "1g.10gb", "a"), Holding(2, "1g.10gb", "a"))}
    assert place_fleet([need], Stock({}, standing, A100)).placed == standing


@pytest.mark.parametrize("product", ["A30-24GB", "A100-40GB", "H100-94GB", "H200-141GB", "B200-180GB", "L40S"])
def test_every_product_is_packed_by_its_own_geometry(product: str) -> None:
    names = [profile.name for profile in geometry_of(product).profiles]
    needs = [Need(name, product, 3, {name: 1.0}) for name in names]
    fleet = place_fleet(needs, Stock({}, {}, product))
    assert fleet.is_optimal(GPUS)
    assert all(geometry_of(product).legal([h.spot for h in held]) for held in fleet.placed.values())
    assert sum(map(len, fleet.placed.values())) == 3 * len(names)


@dataclass
class Stopped:
    """HiGHS, whose time is over after so many programs."""

    programs: int
    name: str = "highs"

    def solve(self, program: Milp, *, step: float, time_limit_seconds: float) -> Found:
        self.programs -= 1
        return HIGHS.solve(program, step=step, time_limit_seconds=time_limit_seconds if self.programs >= 0 else 0.0)


@pytest.mark.parametrize("programs", [0, 1])
def test_a_search_that_is_cut_short_keeps_what_it_found_and_claims_no_more(programs: int) -> None:
    """The rules leave 19 partitions out, the first program 11; only then is the cost looked at."""
    wanted = {("a", "2g.20gb"): 4, ("b", "4g.40gb"): 6, ("c", "1g.10gb"): 2, ("d", "3g.40gb"): 8}
    needs = needs_of(wanted | {("e", "2g.20gb"): 9, ("f", "4g.40gb"): 4})
    stock = Stock(dict.fromkeys(range(7), A100))
    whole, cut = place_fleet(needs, stock), place_fleet(needs, stock, solver=Stopped(programs))
    assert (whole.unplaced.total(), whole.is_optimal(GPUS)) == (11, True)
    assert (cut.unplaced.total(), cut.is_most) == ((11, True) if programs else (19, False))
    assert not cut.is_optimal(GPUS)
