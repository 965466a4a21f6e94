import numpy as np
import pytest
from cynosure.twin.policies.phpa import HoltWinters, Model, Phpa, line_at

from tests.twin.policies.builders import follow, seen, setting, window


@pytest.mark.parametrize("length", [16, 24, 29])
def test_holt_winters_continues_a_season_on_a_line_exactly(length: int) -> None:
    n = np.arange(length + 1)
    series = 10 + 0.5 * n + np.array([0, 3, 1, -2, -1, -1])[n % 6]
    assert HoltWinters().forecast(series[:-1]) == pytest.approx(series[-1])


def test_holt_winters_agrees_with_the_library_that_the_original_uses() -> None:
    api = pytest.importorskip("statsmodels.tsa.api")
    series = 10 + 3 * np.sin(np.arange(24)) + np.random.default_rng(0).normal(0, 0.3, 24)
    model = api.ExponentialSmoothing(
        series, trend="add", seasonal="add", seasonal_periods=6, initialization_method="estimated"
    )
    fitted = model.fit(smoothing_level=0.9, smoothing_trend=0.9, smoothing_seasonal=0.9)
    assert HoltWinters().forecast(series) == pytest.approx(float(fitted.forecast(1)[0]), rel=0.02)


def test_a_line_is_continued() -> None:
    assert line_at(np.array([0.0, 10.0, 20.0]), np.array([1.0, 2.0, 3.0]), 40.0) == pytest.approx(5.0)


@pytest.mark.parametrize("times", [[5.0], [5.0, 5.0]], ids=["one value", "all at the same time"])
def test_a_line_through_one_time_is_the_mean(times: list[float]) -> None:
    assert line_at(np.array(times), np.full(len(times), 3.0), 40.0) == 3.0


def test_too_few_values_for_holt_winters_leave_the_hpa() -> None:
    assert follow(Phpa(setting()), [window(28.0)] * 10) == [4] * 10


def test_a_rising_line_is_followed_ahead() -> None:
    """2, 3, 4 wanted at 0, 15, 30 s: the line has 6 at 60 s."""
    phpa = Phpa(setting(), model=Model.LINEAR, look_ahead_seconds=30)
    answers = [phpa.decide(seen(15.0 * n, window(7.0 * (n + 2), n + 2), replicas=n + 2)).replicas for n in range(3)]
    assert answers == [2, 5, 6]


def test_the_calculated_count_is_a_lower_bound() -> None:
    falling = [window(7.0 * n, 4) for n in (12, 8, 4)]
    assert follow(Phpa(setting(), model=Model.LINEAR), falling, replicas=12)[0] == 12


def test_only_the_stored_seasons_are_kept() -> None:
    phpa = Phpa(setting())
    follow(phpa, [window(28.0)] * 100)
    assert 24 <= len(phpa._past) < 30


def test_without_metrics_it_keeps_what_there_is() -> None:
    assert Phpa(setting()).decide(seen(0, None, replicas=7)).replicas == 7
