from dataclasses import replace

import numpy as np
import pytest
from cynosure.twin.policies.dynamo import Dynamo, Engine
from cynosure.twin.policies.predictors import Arima, Constant, Kalman, Predictor

from tests.twin.policies.builders import POINTS, follow, seen, setting, window


def fed(predictor: Predictor, values: list[float]) -> float:
    for value in values:
        predictor.observe(value)
    return predictor.next()


def test_the_constant_is_the_last_value() -> None:
    assert fed(Constant(), [3.0, 8.0]) == 8.0


def test_the_kalman_filter_finds_a_trend() -> None:
    assert fed(Kalman(), [float(n) for n in range(200)]) == pytest.approx(200.0, abs=0.5)


def test_the_first_gain_of_the_kalman_filter() -> None:
    """P = 1000·I ahead is [[2001, 1000], ...] with q = 1, so the gain is 2001 / 2011 and the trend's 1000 / 2011."""
    level = 10 + 2001 / 2011 * 10
    assert fed(Kalman(), [10.0, 20.0]) == pytest.approx(level + 1000 / 2011 * 10)


def test_kalman_before_any_value() -> None:
    assert Kalman().next() == 0.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([1.0, 2.0], 2.0, id="too few: the last"),
        pytest.param([4.0] * 30, 4.0, id="constant"),
        pytest.param([], 0.0, id="none"),
    ],
)
def test_arima_at_its_edges(values: list[float], expected: float) -> None:
    assert fed(Arima(), values) == expected


def test_arima_follows_an_autoregression() -> None:
    pytest.importorskip("statsforecast")
    values = [float(x) for x in 100 + 30 * np.sin(np.arange(200) / 8)]
    assert fed(Arima(), values) == pytest.approx(100 + 30 * np.sin(200 / 8), abs=3)


def test_the_largest_batch_within_both_limits() -> None:
    """At batch 8 an iteration is 14 ms and 8 x 500 / 100 prompt tokens of 0.24 ms: 23.6 ms, so 8 / (100 x 23.6 ms)."""
    engine = Engine(POINTS)
    assert engine.best_rps(500, 100, ttft=10.0, itl=0.0237) == pytest.approx(8 / (100 * 0.0236), rel=1e-6)


@pytest.mark.parametrize(("ttft", "itl"), [(0.001, 1.0), (1.0, 0.001)], ids=["ttft", "itl"])
def test_out_of_reach_it_sizes_for_batch_one(ttft: float, itl: float) -> None:
    one = 1 / (100 * (0.010 + 5 * 0.10 / 500))
    assert Engine(POINTS).best_rps(500, 100, ttft, itl) == pytest.approx(one)


def test_the_kv_cache_limits_the_batch() -> None:
    small = tuple(replace(point, kv_cache_tokens=550 * 8) for point in POINTS)
    assert Engine(small).best_rps(500, 100, 9, 9) == pytest.approx(8 / (100 * 0.0236), rel=1e-6)


def test_replicas_are_the_predicted_rate_over_that_of_an_engine() -> None:
    rate = Engine(POINTS).best_rps(500, 100, 1.0, 0.04)
    dynamo = Dynamo(setting(), predictor="constant")
    assert dynamo.decide(seen(0, window(2.5 * rate))).replicas == 3


def test_missing_load_enters_the_predictor_as_zero() -> None:
    assert follow(Dynamo(setting(), predictor="constant"), [window(28.0), None])[1] == 1


def test_the_history_is_the_warm_up_trace() -> None:
    rate = Engine(POINTS).best_rps(500, 100, 1.0, 0.04)
    rising = np.linspace(0, 5 * rate, 600)
    dynamo = Dynamo(setting(), predictor="kalman")
    assert dynamo.decide(seen(0, window(5 * rate), history=rising)).replicas >= 5


@pytest.mark.parametrize(
    ("kv", "replicas", "expected"),
    [
        pytest.param(1.01, 4, 5, id="any above 1: one more"),
        pytest.param(0.59, 4, 3, id="all below 0.6: one fewer"),
        pytest.param(0.60, 4, 4, id="between"),
    ],
)
def test_the_load_loop(kv: float, replicas: int, expected: int) -> None:
    dynamo = Dynamo(setting(), predictor="constant", load_loop=True)
    assert dynamo.interval_seconds == 5
    assert dynamo.decide(seen(0, window(1.0, replicas, kv=kv), replicas=replicas)).replicas == expected


def test_the_load_loop_stays_above_the_throughput_bound() -> None:
    rate = Engine(POINTS).best_rps(500, 100, 1.0, 0.04)
    dynamo = Dynamo(setting(), predictor="constant", load_loop=True)
    assert dynamo.decide(seen(0, window(3.5 * rate, 4, kv=0.1))).replicas == 4
