"""Counting what was within a target, from the buckets of a histogram."""

import numpy as np
import pytest
from cynosure.model.signals import Series
from cynosure.observe.attainment import counted

BUCKETS = {"0.1": [5.0, 1.0], "0.5": [9.0, 1.0], "+Inf": [10.0, 4.0]}


@pytest.mark.parametrize(
    ("seconds", "within"),
    [
        pytest.param(0.1, [5, 1], id="at a bound"),
        pytest.param(0.3, [7, 1], id="between two"),
        pytest.param(0.05, [2.5, 0.5], id="below the first"),
        pytest.param(60.0, [9, 1], id="above the last, where nobody knows"),
    ],
)
def test_requests_between_two_bounds_are_spread_evenly(seconds: float, within: list[float]) -> None:
    found = [({"le": le}, Series(np.array([60.0, 120.0]), np.array(values))) for le, values in BUCKETS.items()]
    rows = counted(found, seconds)
    assert rows[:, :2].tolist() == [[60, 10], [120, 4]]
    assert rows[:, 2] == pytest.approx(within)


def test_a_step_without_a_total_is_none() -> None:
    found = [
        ({"le": "0.1"}, Series(np.array([60.0, 120.0]), np.array([1.0, 2.0]))),
        ({"le": "+Inf"}, Series(np.array([120.0]), np.array([4.0]))),
    ]
    assert counted(found, 0.1).tolist() == [[120, 4, 2]]
    assert counted([], 0.1).shape == (0, 3)
