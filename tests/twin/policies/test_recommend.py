"""The arithmetic of the HPA, by hand: a target of 7 for each of 4 replicas."""

import numpy as np
import pytest
from cynosure.twin.policies.recommend import Behaviour, Controller, Growth, Stabilised, from_pods, from_total

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


@pytest.mark.parametrize(
    ("values", "replicas", "expected"),
    [
        pytest.param([14.0] * 4, 4, 8, id="all ready, twice the target"),
        pytest.param([14.0] * 2, 4, 4, id="two start: they count as idle, 28 / (4 x 7) is at target"),
        pytest.param([28.0] * 2, 4, 8, id="two start, four times the target: 56 / 7"),
        pytest.param([3.5] * 2, 4, 3, id="two start on the way down: they count as at target, 21 / 7"),
        pytest.param([7.7] * 4, 4, 4, id="edge of the tolerance"),
        pytest.param([8.0] * 3, 4, 4, id="a correction that turns the direction holds"),
        pytest.param([], 4, 4, id="no pod has the metric"),
        pytest.param([NAN, 7.0], 4, 4, id="NaN is no metric"),
    ],
)
def test_a_metric_of_each_pod(values: list[float], replicas: int, expected: int) -> None:
    assert from_pods(np.array(values), 7.0, replicas) == expected


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
