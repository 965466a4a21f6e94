"""Target: 14 requests at once for each replica."""

import pytest
from cynosure.twin.policies.aibrix_apa import AibrixApa
from cynosure.twin.policies.recommend import Load

from tests.twin.policies.builders import seen, setting, window


def by_concurrency() -> AibrixApa:
    return AibrixApa(setting(), Load.CONCURRENCY)


@pytest.mark.parametrize(
    ("running", "replicas", "expected"),
    [
        pytest.param(15.4, 4, 4, id="1.1 is still within the tolerance"),
        pytest.param(15.5, 4, 5, id="above it: ceil(4 x 1.107)"),
        pytest.param(12.6, 4, 4, id="0.9 is still within the tolerance"),
        pytest.param(12.5, 10, 9, id="below it: ceil(10 x 0.893)"),
        pytest.param(56.0, 4, 8, id="at most twice as many"),
        pytest.param(1.0, 10, 5, id="at most half as few"),
        pytest.param(0.0, 1, 1, id="never below one"),
        pytest.param(140.0, 15, 20, id="never above the limit"),
    ],
)
def test_one_decision(running: float, replicas: int, expected: int) -> None:
    assert (
        by_concurrency().decide(seen(0, window(ready=replicas, running=running), replicas=replicas)).replicas
        == expected
    )


@pytest.mark.parametrize(
    ("running", "expected"),
    [
        pytest.param(28.0, 4, id="up: pending count as idle, 2 x 28 / 14"),
        pytest.param(42.0, 6, id="up: 2 x 42 / 14, rather than 4 x 3 cut to 8"),
        pytest.param(7.0, 3, id="down: pending count as at target, 2 x 7 / 14 + 2"),
    ],
)
def test_pending_replicas(running: float, expected: int) -> None:
    assert by_concurrency().decide(seen(0, window(ready=2, running=running), replicas=4)).replicas == expected


def test_the_cooldown_takes_the_lowest_of_its_window_as_published() -> None:
    apa = by_concurrency()
    loads = ((0.0, 7.0, 8), (10.0, 14.0, 8), (20.0, 12.0, 8))
    assert [apa.decide(seen(at, window(ready=n, running=load), replicas=n)).replicas for at, load, n in loads] == [
        4,
        8,
        4,
    ]


def test_without_metrics_it_keeps_what_there_is() -> None:
    assert by_concurrency().decide(seen(0, None, replicas=6)).replicas == 6


def test_by_default_it_counts_requests_per_second() -> None:
    """42 rps over 4 replicas is 10.5 each, 1.5 times the 7 of the target."""
    assert AibrixApa(setting()).decide(seen(0, window(42.0))).replicas == 6
