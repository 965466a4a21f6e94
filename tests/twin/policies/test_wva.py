"""Saturated from 0.80 of the KV cache or 5 waiting; spare at least 0.10 and 3."""

import numpy as np
import pytest
from cynosure.twin.policies.wva import Wva
from cynosure.twin.port import Window

from tests.twin.policies.builders import seen, setting, window


def replicas(kv: list[float], waiting: list[float] | None = None) -> Window:
    metrics = window(ready=len(kv))
    metrics.kv_usage[:] = kv
    metrics.waiting[:] = waiting or [0.0] * len(kv)
    return metrics


@pytest.mark.parametrize(
    ("metrics", "step"),
    [
        pytest.param(replicas([0.70] * 4), 0, id="spare 0.10 is just enough, and one fewer would not be"),
        pytest.param(replicas([0.71] * 4), 1, id="spare 0.09"),
        pytest.param(replicas([0.1] * 4, [2.0] * 4), 0, id="queue spare 3, but 2 x 4/3 leaves 2.33"),
        pytest.param(replicas([0.1] * 4, [2.1] * 4), 1, id="queue spare 2.9"),
        pytest.param(replicas([0.52] * 4), -1, id="0.52 x 4/3 = 0.693 leaves 0.107"),
        pytest.param(replicas([0.53] * 4), 0, id="0.53 x 4/3 = 0.707 leaves 0.093"),
        pytest.param(replicas([0.9, 0.9, 0.1, 0.1]), -1, id="saturated ones are left out of the mean"),
        pytest.param(replicas([0.9, 0.9, 0.9, 0.1]), 0, id="fewer than two that are not saturated"),
        pytest.param(replicas([0.9] * 4), 1, id="all saturated: nothing is spare"),
        pytest.param(replicas([0.1]), 0, id="a single one stays"),
    ],
)
def test_one_decision(metrics: Window, step: int) -> None:
    count = len(metrics.kv_usage)
    assert Wva(setting()).decide(seen(0, metrics, replicas=count)).replicas == count + step


def test_it_waits_while_replicas_start() -> None:
    assert Wva(setting()).decide(seen(0, replicas([0.9] * 3), replicas=4)).replicas == 4


def test_it_decides_once_a_minute_on_the_highest_of_the_minute() -> None:
    wva = Wva(setting())
    loads = [0.2, 0.75, 0.2, 0.2, 0.2]
    counts = [wva.decide(seen(15.0 * n, replicas([kv] * 4), replicas=4)).replicas for n, kv in enumerate(loads)]
    assert counts == [3, 4, 4, 4, 5]


def test_without_metrics_it_keeps_what_there_is() -> None:
    wva = Wva(setting())
    wva.decide(seen(0, replicas([0.6] * 4)))
    assert wva.decide(seen(60, None)).replicas == 4


def test_the_window_is_not_changed() -> None:
    metrics = replicas([0.2] * 4)
    Wva(setting()).decide(seen(0, metrics))
    assert np.all(metrics.kv_usage == 0.2)
