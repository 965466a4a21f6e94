"""How sure a verdict is: intervals hold the truth as often as they say, and two targets are compared in pairs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.comparison import compare
from loadgen.confidence import difference_interval, share_interval
from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes, Status
from loadgen.slo import Slo

SLO = Slo.parse("e2e_p95_ms=100")


def served(latency_seconds: list[float]) -> Outcomes:
    count = len(latency_seconds)
    latency, zeros = np.array(latency_seconds), np.zeros(count, np.int64)
    status = np.full(count, int(Status.SUCCEEDED))
    return Outcomes(np.arange(count) / 10.0, latency, latency, latency, zeros, zeros, status, count / 10, "", {}, {})


@given(st.lists(st.booleans(), min_size=1, max_size=300), st.floats(0.001, 1e4))
@settings(deadline=None, max_examples=40)
def test_an_interval_holds_its_share_and_stays_within_0_and_1(flags: list[bool], span: float) -> None:
    met = np.array(flags)
    low, high = share_interval(np.linspace(0, span, len(flags)), met)
    assert -1e-9 <= low <= met.mean() + 1e-9
    assert met.mean() - 1e-9 <= high <= 1 + 1e-9


def test_few_requests_leave_doubt_even_if_all_are_met() -> None:
    assert share_interval(np.arange(10.0), np.ones(10, bool))[0] < 0.8
    assert share_interval(np.arange(10_000.0), np.ones(10_000, bool))[0] > 0.999


def test_requests_that_share_their_fate_leave_more_doubt() -> None:
    at, random = np.arange(4000) / 10, np.random.default_rng(1)
    alone = random.random(4000) < 0.9
    together = np.repeat(random.random(40) < 0.9, 100)
    widths = [np.diff(share_interval(at, flags))[0] for flags in (alone, together)]
    assert widths[1] > 4 * widths[0]


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    at, held = np.arange(800) / 10, 0
    for _ in range(60):
        a, b = random.random(800) < 0.8, random.random(800) < 0.7
        low, high = difference_interval(at, a, b)
        held += low <= 0.1 <= high
    assert 0.88 <= held / 60 <= 1


def test_a_difference_that_is_plain_is_decided_and_one_that_is_not_is_left_open() -> None:
    good, bad = served([0.05] * 200), served([0.05] * 100 + [0.5] * 100)
    plain = compare(good, bad, SLO)
    assert plain["attainment"] == [1.0, 0.5]
    assert (plain["only_first_attained"], plain["only_second_attained"]) == (100, 0)
    assert plain["decided"] == "first"
    assert plain["p_value"] < 1e-20
    assert compare(bad, good, SLO)["decided"] == "second"
    same = compare(good, good, SLO)
    assert (same["decided"], same["p_value"], same["attainment_difference"]) == (None, 1.0, 0.0)


@pytest.mark.parametrize(("only_first", "only_second", "p"), [(1, 5, 0.21875), (0, 8, 0.0078125), (3, 3, 1.0)])
def test_the_test_of_pairs_is_exact_for_few(only_first: int, only_second: int, p: float) -> None:
    a = served([0.05] * only_first + [0.5] * only_second + [0.05] * 10)
    b = served([0.5] * only_first + [0.05] * only_second + [0.05] * 10)
    assert compare(a, b, SLO)["p_value"] == pytest.approx(p)


def test_other_schedules_are_not_compared() -> None:
    a = served([0.05] * 20)
    with pytest.raises(BadLoadInput, match="the same schedule"):
        compare(a, replace(a, due_seconds=a.due_seconds + 1), SLO)
