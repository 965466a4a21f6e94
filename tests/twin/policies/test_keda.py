from functools import partial

import pytest
from cynosure.twin.policies.keda import Keda
from cynosure.twin.port import Window

from tests.twin.policies.builders import follow, seen, setting, window

BUSY, IDLE = window(28.0), window(0.0)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        pytest.param(window(28.0), 4, id="at target"),
        pytest.param(window(35.0), 5, id="35 rps / 7"),
        pytest.param(window(70.0), 8, id="70 rps / 7, but no more than double"),
    ],
)
def test_it_is_an_hpa_on_the_sum_of_the_query(metrics: Window, expected: int) -> None:
    assert Keda(setting()).decide(seen(0, metrics)).replicas == expected


@pytest.mark.parametrize("absent", [None, window(0.0)], ids=["an empty answer", "no traffic"])
def test_an_empty_answer_counts_as_no_load(absent: Window | None) -> None:
    """The stabilisation window holds for 300 s, then one replica, and none once the cooldown is over."""
    counts = follow(Keda(setting()), [BUSY, *[absent] * 30])
    assert counts[:20] == [4] * 20
    assert counts[20] == 1
    assert counts[-1] == 0


def test_an_empty_answer_is_a_failed_query_if_null_values_are_not_ignored() -> None:
    assert follow(Keda(setting(), ignore_null_values=False), [BUSY, *[None] * 40])[-1] == 4


def test_a_minimum_keeps_it_from_zero() -> None:
    assert follow(Keda(setting(), min_replicas=2), [BUSY, *[IDLE] * 60])[-1] == 2


def test_it_wakes_at_the_next_poll() -> None:
    keda = partial(Keda(setting()).decide)
    keda(seen(0, BUSY))
    answers = [keda(seen(at, metrics, replicas=0)).replicas for at, metrics in ((600, IDLE), (615, BUSY), (630, BUSY))]
    assert answers[0] == 0
    assert answers[1] == 0, "the scaler is polled every 30 s"
    assert answers[2] >= 1
