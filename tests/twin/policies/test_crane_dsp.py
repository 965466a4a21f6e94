import numpy as np
import pytest
from cynosure.model.signals import Floats
from cynosure.twin.policies.crane_dsp import CraneDsp, Highest, Spectrum, best, error, period, prepared, resampled

from tests.twin.policies.builders import a_week_of_days, seen, setting, window

NOISE = np.random.default_rng(3).normal(0, 1, 7 * 1440)


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        pytest.param(a_week_of_days() + NOISE, 1440, id="a day"),
        pytest.param(20 + NOISE, 0, id="noise has no period"),
        pytest.param(np.full(2880, 5.0), 0, id="a constant has none"),
        pytest.param(np.empty(0), 0, id="nothing"),
        pytest.param(
            20 + 10 * np.sin(2 * np.pi * np.arange(7 * 1440) / 360), 360, id="six hours, which is then not used"
        ),
    ],
)
def test_the_period(signal: Floats, expected: int) -> None:
    assert period(signal, 60.0, np.random.default_rng(1)) == expected


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        pytest.param(11.0, 0.1, id="10 % too much"),
        pytest.param(9.0, -np.log(0.9) / np.log(1.25), id="10 % too little counts as 0.47"),
        pytest.param(5.0, -np.log(0.5) / np.log(1.25), id="50 % too little counts as 3.1"),
    ],
)
def test_too_little_costs_more(predicted: float, expected: float) -> None:
    assert error(np.full(4, 10.0), np.full(4, predicted)) == pytest.approx(expected)


def test_near_zero_the_error_is_absolute() -> None:
    assert error(np.array([0.0, 10.0]), np.array([1.0, 8.0])) == 1.5


def test_the_spectrum_keeps_the_day_and_adds_its_margin() -> None:
    predicted = Spectrum(3, 1.0, 0.10).next_cycle(a_week_of_days(), 1440, 60.0)
    assert predicted == pytest.approx(1.1 * a_week_of_days()[:1440], rel=1e-6)


def test_the_highest_of_all_cycles() -> None:
    assert Highest(0.5).next_cycle(np.array([1.0, 4.0, 3.0, 2.0]), 2, 60.0).tolist() == [4.5, 6.0]


def test_the_best_estimator_is_the_one_that_would_have_been_nearest() -> None:
    near, far = Spectrum(3, 1.0, 0.01), Spectrum(3, 1.0, 0.20)
    assert best((far, near), a_week_of_days(), 1440, 60.0) is near


def test_history_before_a_long_gap_is_dropped_and_short_gaps_are_filled() -> None:
    history = np.arange(4 * 1440, dtype=np.float64)
    history[100:200] = np.nan
    history[3000:3030] = np.nan
    ready = prepared(history, 60.0)
    assert len(ready) == 3 * 1440
    assert ready == pytest.approx(np.arange(1440, 4 * 1440))


def test_finer_history_is_averaged() -> None:
    values, step = resampled(np.array([9.0, 1.0, 3.0, 5.0, 7.0]), 30.0, 60.0)
    assert (values.tolist(), step) == ([2.0, 6.0], 60.0)


def test_the_highest_of_the_next_hour_counts() -> None:
    """Now is midnight at 20 rps; at one o'clock it is 20 + 10 sin(15 deg) = 22.6, with 1 % margin over 7: 4."""
    crane = CraneDsp(setting())
    assert crane.decide(seen(0, window(7.0, 1), replicas=1, history=a_week_of_days())).replicas == 4


@pytest.mark.parametrize(
    "history", [pytest.param((), id="none"), pytest.param(a_week_of_days()[:1500], id="less than two days")]
)
def test_without_enough_history_it_is_an_hpa(history: Floats) -> None:
    assert CraneDsp(setting()).decide(seen(0, window(35.0), history=history)).replicas == 5


def test_without_metrics_the_prediction_may_only_add() -> None:
    crane = CraneDsp(setting())
    counts = [
        crane.decide(seen(at, None, replicas=n, history=a_week_of_days())).replicas for at, n in ((0, 1), (15, 9))
    ]
    assert counts == [4, 9]
