"""What a forecast says of a history, however short, gappy or dull it is."""

import numpy as np
import pytest
from cynosure.forecast import LEVELS, Horizon, fit_forecast
from cynosure.forecast.grid import on_grid
from cynosure.forecast.methods import Method
from cynosure.forecast.portfolio import methods
from cynosure.model.forecast import Forecast
from cynosure.model.signals import Series
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.series import DAY, daily_load, without

HORIZON = Horizon(step_seconds=5.0, seconds=120.0, season_seconds=DAY)
MEDIAN = LEVELS.index(0.5)


def fitted(history: Series, now: float | None = None) -> Forecast:
    found = fit_forecast(history, float(history.times[-1]) if now is None else now, HORIZON)
    assert found is not None
    return found


def test_a_load_with_a_season_is_seen_rising_before_it_rises() -> None:
    history = daily_load(3.25)
    found = fitted(history)
    ahead = found.made_at_seconds + 5.0 * np.arange(1, HORIZON.steps + 1)
    truth = 10 - 6 * np.cos(2 * np.pi * ahead / DAY)
    assert np.abs(found.values[:, MEDIAN] - truth).mean() < 0.5
    assert found.backtest_wape is not None
    assert found.backtest_wape < 0.1
    assert found.backtest_coverage == pytest.approx(0.9, abs=0.08)


def test_a_load_without_a_season_is_not_given_one() -> None:
    times = np.arange(0.0, 3 * DAY, 5.0)
    walk = 50 + np.cumsum(np.random.default_rng(4).standard_normal(len(times)))
    found = fitted(Series(times, np.maximum(walk, 0)))
    assert not found.method.startswith("similar")
    assert found.values[0, MEDIAN] == pytest.approx(walk[-1], abs=1.0)


def test_a_gap_is_missing_and_not_zero() -> None:
    gap = without(daily_load(4.0), 2.4 * DAY, 2.7 * DAY)
    values = on_grid(gap, float(gap.times[-1]), 5.0).values
    assert np.isnan(values).sum() == pytest.approx(0.3 * DAY / 5, abs=2)
    assert fitted(gap).values[:, MEDIAN] == pytest.approx(fitted(daily_load(4.0)).values[:, MEDIAN], abs=1.0)


def test_a_gap_up_to_now_keeps_the_level() -> None:
    history = daily_load(0.5)
    assert fitted(history, now=float(history.times[-1]) + 60).values[0, MEDIAN] > 10


def test_a_short_history_says_how_much_is_missing() -> None:
    found = fitted(daily_load(0.2))
    assert found.history_seconds < found.wanted_seconds == 2 * DAY
    assert not found.method.startswith("similar")


def test_one_sample_is_forecast_with_the_spread_of_random_arrivals() -> None:
    found = fitted(Series(np.array([100.0]), np.array([4.0])))
    assert found.values[0, MEDIAN] == pytest.approx(4)
    assert found.values[0, LEVELS.index(0.95)] > 6
    assert found.backtest_wape is None
    assert found.backtest_coverage is None
    assert "too little history" in found.reason


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]], ids=["empty", "all NaN"])
def test_nothing_known_is_no_forecast(values: list[float]) -> None:
    history = Series(np.arange(float(len(values))), np.array(values))
    assert fit_forecast(history, 100.0, HORIZON) is None


def test_zero_load_is_a_load() -> None:
    times = np.arange(0.0, 2 * DAY, 5.0)
    found = fitted(Series(times, np.zeros(len(times))))
    assert found.values[:, MEDIAN] == pytest.approx(0)


@pytest.mark.parametrize("method", methods(120, (120, 30)), ids=lambda m: m.name)
def test_no_method_looks_ahead(method: Method) -> None:
    values, leads = daily_load(4.0).values, np.array([1, 7, 24])
    origins = np.array([250, 320, 410])
    said = method.paths(values, origins, leads)
    assert np.isfinite(said).any()
    for row, origin in zip(said, origins.tolist(), strict=True):
        alone = method.paths(values[: origin + 1], np.array([origin]), leads)[0]
        np.testing.assert_allclose(row, alone, equal_nan=True)


histories = st.lists(st.tuples(st.floats(0, 2000), st.floats(0, 1e6)), min_size=1, max_size=80)


@settings(max_examples=25, deadline=None)
@given(samples=histories)
def test_quantiles_are_finite_rising_and_never_negative(samples: list[tuple[float, float]]) -> None:
    times, values = np.array(sorted(samples)).T
    found = fitted(Series(times, values))
    assert np.isfinite(found.values).all()
    assert (found.values >= 0).all()
    assert (np.diff(found.values, axis=1) >= 0).all()
    assert found.values.shape == (HORIZON.steps, len(LEVELS))
