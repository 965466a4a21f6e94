"""Target: 14 requests at once for each replica, 10 % tolerance."""

import numpy as np
import pytest
from cynosure.twin.policies.kthena import InForce, Kthena, recommended
from cynosure.twin.policies.recommend import Load

from tests.twin.policies.builders import follow, seen, setting, window


@pytest.mark.parametrize(
    ("values", "replicas", "expected"),
    [
        pytest.param([15.4] * 4, 4, 4, id="edge of the tolerance"),
        pytest.param([16.0] * 4, 4, 5, id="ceil(4 x 16 / 14)"),
        pytest.param([28.0] * 2, 4, 4, id="unready count as idle on the way up: 56 / 14 is what there is"),
        pytest.param([70.0] * 2, 4, 10, id="unready count as idle: 140 / 14"),
        pytest.param([7.0] * 2, 4, 1, id="unready do not count at all on the way down"),
    ],
)
def test_the_recommendation(values: list[float], replicas: int, expected: int) -> None:
    assert recommended(np.array(values), 14.0, replicas, replicas - len(values), 0.1) == expected


def test_growth_doubles_the_lowest_count_of_the_last_period() -> None:
    """8 -> 12 is below the panic threshold of 200 %; 4 was in force within the last 15 s, so 8 it is."""
    kthena = Kthena(setting(), Load.CONCURRENCY)
    assert kthena.decide(seen(0, window(running=14.0))).replicas == 4
    assert kthena.decide(seen(15, window(ready=6, running=20.0), replicas=6)).replicas == 8


@pytest.mark.parametrize(
    ("running", "expected"),
    [pytest.param(27.9, 8, id="just below"), pytest.param(28.0, 8, id="200 %"), pytest.param(70.0, 20, id="500 %")],
)
def test_from_twice_the_count_it_panics_and_grows_at_once(running: float, expected: int) -> None:
    assert Kthena(setting(), Load.CONCURRENCY).decide(seen(0, window(running=running))).replicas == expected


def test_panic_holds_for_60_s_then_the_highest_of_300_s() -> None:
    counts = follow(Kthena(setting(), Load.CONCURRENCY), [window(running=28.0), *[window(ready=8, running=7.0)] * 25])
    assert counts[:21] == [8] * 21
    assert counts[21:] == [4] * 5


def test_without_metrics_it_skips() -> None:
    assert follow(Kthena(setting(), Load.CONCURRENCY), [window(), *[None] * 60])[-1] == 4


def test_what_was_in_force_reaches_to_the_edge_of_the_window() -> None:
    in_force = InForce(15)
    for at, count in ((0, 3), (15, 5), (30, 9)):
        in_force.decide(at, count)
    assert [in_force.lowest(30, 9), in_force.lowest(31, 9), in_force.lowest(45.5, 9)] == [3, 5, 9]
