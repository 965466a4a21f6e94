"""The arithmetic of the HPA, by hand: a target of 7 for each of 4 replicas."""

import pytest
from cynosure.twin.policies.recommend import Behaviour, Controller, Growth, Stabilised, ceiling, from_total

NAN = float("nan")


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        pytest.param(28.0, 4, id="at target"),
        pytest.param(30.8, 4, id="the upper edge of the tolerance still holds"),
        pytest.param(30.9, 5, id="beyond it: ceil(30.9 / 7)"),
        pytest.param(25.2, 4, id="the lower edge holds"),
        pytest.param(21.0, 3, id="below it: 21 / 7"),
        pytest.param(0.0, 0, id="no load"),
        pytest.param(NAN, 4, id="an absent metric changes nothing"),
    ],
)
def test_a_total_is_shared_among_the_replicas(total: float, expected: int) -> None:
    assert from_total(total, 7.0, 4) == expected


def test_scale_down_waits_for_the_highest_recommendation_of_the_window() -> None:
    stabilised = Stabilised(300)
    answers = [stabilised.settle(at, 4, 4 if at == 0 else 1) for at in (0.0, 15.0, 299.0, 300.0, 315.0)]
    assert answers == [4, 4, 4, 1, 1]


def test_scale_up_is_not_delayed_by_default() -> None:
    assert Stabilised(300).settle(0, 4, 9) == 9


@pytest.mark.parametrize(("current", "allowed"), [(1, 5), (3, 7), (4, 8), (10, 20)], ids=lambda n: f"{n}")
def test_growth_is_four_pods_or_double_whichever_is_more(current: int, allowed: int) -> None:
    assert Growth(Behaviour()).limit(0, current, 1000) == allowed


def test_growth_counts_what_the_period_already_added() -> None:
    growth = Growth(Behaviour())
    assert [growth.limit(0, 4, 100), growth.limit(5, 8, 100), growth.limit(15, 8, 100)] == [8, 8, 16]


def test_the_controller_stays_within_its_limits() -> None:
    controller = Controller(Behaviour(down_window_seconds=0), max_replicas=6)
    assert [controller.settle(0, 4, 50), controller.settle(15, 6, 0)] == [6, 1]


def test_the_least_growth_wins_over_a_rounding_error() -> None:
    """1.1 x 10 is 11.000000000000002 in binary, and 11 in the rule."""
    assert ceiling(10 * 1.1) == 11
