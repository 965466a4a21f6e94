"""A service that is new believes what the methods were worth to others, until it knows better itself."""

import numpy as np
import pytest
from cynosure.forecast import LEVELS, Horizon, Learner, Worth, fleet_worth
from cynosure.model.signals import Floats, Series

HORIZON = Horizon(600, 3600, 86400)
DAY = 144
MEDIAN = LEVELS.index(0.5)


def series(values: Floats) -> Series:
    return Series(600.0 * np.arange(1, len(values) + 1), values)


def noisy(seed: int, steps: int = 3 * DAY) -> Floats:
    """A level that stays, under noise of a third: the last value is a bad guess, a slow mean a good one."""
    return np.maximum(100 * (1 + np.random.default_rng(seed).standard_normal(steps) / 3), 0)


def learned(values: Floats) -> Learner:
    learner = Learner(HORIZON)
    learner.forecast(series(values), 600.0 * len(values))
    return learner


def lent(values: Floats) -> Worth:
    worth = learned(values).worth
    assert worth is not None
    return worth


def off(values: Floats, borrowed: Worth) -> float:
    """How far the median one step ahead is from the level."""
    forecast = Learner(HORIZON).forecast(series(values), 600.0 * len(values), borrowed)
    assert forecast is not None
    return abs(float(forecast.values[0, MEDIAN]) - 100)


def test_what_served_the_others_serves_a_new_service_from_its_first_minutes() -> None:
    fleet = fleet_worth(lent(noisy(seed)) for seed in range(5))
    alone, borrowing = (np.mean([off(noisy(seed, 8), w) for seed in range(20, 40)]) for w in ({}, fleet))
    assert borrowing < 0.85 * alone


def test_a_service_that_is_not_like_the_others_is_soon_judged_by_itself() -> None:
    """Borrowed is a liking for slow means, and this load climbs."""
    fleet = fleet_worth(lent(noisy(seed)) for seed in range(5))
    climb = 100 + 5.0 * np.arange(DAY // 2)
    said = Learner(HORIZON).forecast(series(climb), 600.0 * len(climb), fleet)
    assert said is not None
    assert said.values[0, MEDIAN] == pytest.approx(climb[-1] + 5, rel=0.02)


def test_a_service_lends_once_it_has_seen_two_seasons() -> None:
    assert Learner(HORIZON).worth is None
    assert learned(noisy(1, 2 * DAY - 1)).worth is None
    assert learned(noisy(1, 2 * DAY)).worth is not None


def test_the_middle_of_the_fleet_counts_and_too_few_are_no_fleet() -> None:
    services = [{"trend": np.array([share, 1.0])} for share in (0.8, 0.9, 1.0, 1.1, 99.0)]
    services[0]["trend"][1] = np.nan
    fleet = fleet_worth([*services, {"seasonal": np.array([0.5, 0.5])}])
    assert fleet.keys() == {"trend"}
    np.testing.assert_array_equal(fleet["trend"], [1.0, np.nan])
    assert fleet_worth(services[:4]) == fleet_worth([]) == {}


def test_a_short_history_says_whose_experience_it_goes_by() -> None:
    fleet = fleet_worth(lent(noisy(seed)) for seed in range(5))
    forecasts = [Learner(HORIZON).forecast(series(noisy(9, 2)), 1200.0, known) for known in ({}, fleet)]
    alone, borrowing = (forecast.reason for forecast in forecasts if forecast)
    assert alone.endswith("the last value stands in")
    assert borrowing.endswith("they are weighed as other services found them")
