"""What the methods make of a load together: shifts, bursts, weekends, drift; and that nothing knows the future."""

from time import perf_counter

import numpy as np
import pytest
from cynosure.forecast import LEVELS, Horizon, Learner, fit_forecast
from cynosure.forecast.calibrate import track
from cynosure.forecast.combine import combined, tempered, weights
from cynosure.forecast.evaluate import Protocol, Scores, evaluate
from cynosure.forecast.fit import MEDIAN
from cynosure.forecast.periods import periods
from cynosure.forecast.similar import SimilarSeasons
from cynosure.model.signals import Floats, Series

DAY = 144
"""Steps of a day, at 10 minutes each."""


def series(values: Floats) -> Series:
    return Series(600.0 * np.arange(len(values)), values)


def days(count: int, *, noise: float = 0.05, seed: int = 3) -> Floats:
    """A daily wave around 100 between 40 and 160, with noise in proportion."""
    steps = np.arange(count * DAY)
    wave = 100 - 60 * np.cos(2 * np.pi * steps / DAY)
    return wave * (1 + noise * np.random.default_rng(seed).standard_normal(len(steps)))


def scored(values: Floats, ahead: int = 1, start: float = 0.6) -> Scores:
    return evaluate(series(values), Protocol(Horizon(600, 600.0 * ahead, 86400), start, history_steps=14 * DAY))


def median_after(values: Floats, ahead: int = 1) -> Floats:
    found = fit_forecast(series(values), 600.0 * (len(values) - 1), Horizon(600, 600.0 * ahead, 86400))
    assert found is not None
    return found.values[:, MEDIAN]


def relative(scores: Scores) -> float:
    """Error of the median as a share of that of the last value."""
    return float(np.abs(scores.actual - scores.quantiles[:, MEDIAN]).sum()) / float(
        np.abs(scores.actual - scores.last_value).sum()
    )


@pytest.mark.parametrize("ahead", [1, 6])
def test_the_evaluation_says_what_the_operator_would_have_said(ahead: int) -> None:
    values = days(3)
    scores, horizon = scored(values, ahead, 0.9), Horizon(600, 600.0 * ahead, 86400)
    for row in (0, len(scores.actual) // 2, len(scores.actual) - 1):
        origin = len(values) - len(scores.actual) + row - ahead
        product = fit_forecast(series(values[: origin + 1]), 600.0 * origin + 300, horizon)
        assert product is not None
        np.testing.assert_allclose(product.values[ahead - 1], scores.quantiles[row], rtol=1e-6)


def test_a_daily_load_is_forecast_as_well_as_its_noise_allows() -> None:
    scores = scored(days(10), ahead=6)
    assert scores.wape == pytest.approx(0.05 * np.sqrt(2 / np.pi), rel=0.2)
    assert relative(scores) < 0.4


def test_a_random_walk_is_not_made_worse_than_its_last_value() -> None:
    walk = 500 + np.cumsum(np.random.default_rng(1).standard_normal(6 * DAY))
    assert relative(scored(walk)) < 1.03


def test_a_level_that_shifts_is_followed_within_half_an_hour() -> None:
    values = days(6, noise=0.02)
    values[5 * DAY :] *= 5
    for later in (3, 12, 48):
        said = median_after(values[: 5 * DAY + later])[0]
        assert said == pytest.approx(values[5 * DAY + later], rel=0.15)


@pytest.mark.parametrize(("steps_ago", "most"), [(1, 800), (2, 200), (4, 180)])
def test_one_spike_is_no_new_level(steps_ago: int, most: float) -> None:
    """As the newest value a tenfold spike may be a new level; one step later it is known not to be."""
    values = days(6)[: 5 * DAY + DAY // 2]
    values[-steps_ago] *= 10
    assert median_after(values, ahead=6).max() < most


def test_monday_is_forecast_from_weekdays_and_not_from_sunday() -> None:
    week = np.repeat([1.0, 1.0, 1.0, 1.0, 1.0, 0.2, 0.2], DAY)
    values = days(14, noise=0.02) * np.tile(week, 2)
    monday_noon = 7 * DAY + DAY // 2
    method = SimilarSeasons(DAY, half=0, level_window=3, level="as_is")
    said = method.paths(values[: monday_noon + 1], np.array([monday_noon]), np.array([18]))
    assert said[0, 0] == pytest.approx(values[monday_noon + 18], rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "ahead"),
    [("none", 1), ("none", 6), ("scatter grows", 1), ("scatter grows", 6), ("level doubles", 1)],
)
def test_quantiles_hold_whatever_the_load_does(change: str, ahead: int) -> None:
    values, noisy = days(14), days(14, noise=0.15)
    if change == "scatter grows":
        values[9 * DAY :] = noisy[9 * DAY :]
    if change == "level doubles":
        values[10 * DAY :] *= 2
    scores = scored(values, ahead)
    steps = len(scores.actual)
    for level in (0.9, 0.99):
        half_width = 2.58 * np.sqrt(level * (1 - level) / steps)
        assert scores.coverage(level) == pytest.approx(level, abs=half_width)


def test_a_burst_widens_the_band_and_calm_narrows_it() -> None:
    actual = np.full((300, 1), 10.0)
    actual[100:140] = 30.0
    bands = track(np.full((300, 1), 10.0), actual, np.array([1]), season=100)
    width = bands.around(np.full((300, 1), 10.0), np.arange(300))[:, 0, LEVELS.index(0.9)]
    assert width[115] > 1.5 * width[99]
    assert width[299] < width[140] / 2


def test_periods_are_those_that_the_load_has() -> None:
    random, steps = np.random.default_rng(2), np.arange(10 * DAY)
    shift = 40 * (np.sin(2 * np.pi * steps / 50) > 0)
    noise = random.standard_normal(len(steps))
    assert periods(100 + noise, DAY) == (DAY, 7 * DAY)
    assert periods((100 + noise)[: 3 * DAY], DAY) == (DAY,)
    assert periods(days(10, noise=0.3), DAY) == (DAY, 7 * DAY), "noise on the slope of the daily peak is no period"
    day, week, other = periods(100 + noise + shift, DAY)
    assert (day, week) == (DAY, 7 * DAY)
    assert other % 50 in (0, 1, 49)


def test_weights_follow_the_errors_and_know_no_future() -> None:
    random = np.random.default_rng(5)
    actual = 100 + random.standard_normal((200, 1))
    said = np.stack([actual + random.normal(0, size, actual.shape) for size in (4.0, 1.0, 4.0)])
    said[2, :150] = np.nan
    delays, equal = np.array([1]), np.ones(3)
    share = weights(said, tempered(said, actual), delays, 48, equal)
    assert share.sum(axis=0) == pytest.approx(1)
    assert share[1, 60:].mean() > 0.9
    assert (share[2, :150] == 0).all()
    surprise = actual.copy()
    surprise[120:] = 1e6
    np.testing.assert_allclose(weights(said, tempered(said, surprise), delays, 48, equal)[:, :121], share[:, :121])
    handicapped = weights(said, tempered(said, actual), delays, 48, np.array([1.0, 10.0, 1.0]))
    assert handicapped[1].mean() < 0.1


def test_between_two_fits_a_forecast_follows_the_load_with_what_is_known() -> None:
    values, horizon = days(8), Horizon(600, 3600, 86400)
    learner = Learner(horizon, learn_seconds=6000)
    for later in range(0, 20, 4):
        past = series(values[: 7 * DAY + later])
        now = float(past.times[-1])
        said, anew = learner.forecast(past, now), fit_forecast(past, now, horizon)
        assert said is not None
        assert anew is not None
        assert said.made_at_seconds == now
        np.testing.assert_allclose(said.values[:, MEDIAN], anew.values[:, MEDIAN], rtol=0.1)


def test_a_method_that_goes_astray_pulls_no_other_along() -> None:
    said = np.array([10.0, 11.0, 12.0, 1000.0, np.nan]).reshape(5, 1, 1)
    share = np.array([0.2, 0.3, 0.3, 0.2, 0.0]).reshape(5, 1, 1)
    assert combined(said, share)[0, 0] == pytest.approx(11.5)
    assert combined(said, share * [[[0]], [[0]], [[0]], [[1]], [[0]]])[0, 0] == pytest.approx(1000)
    assert combined(said, np.zeros((5, 1, 1)))[0, 0] == 10


def test_looking_a_forecast_up_takes_microseconds() -> None:
    found = fit_forecast(series(days(3)), 600.0 * 3 * DAY, Horizon(600, 36000, 86400))
    assert found is not None
    batches = []
    for _ in range(20):
        began = perf_counter()
        for _ in range(50):
            found.peak_rps(0.95, found.made_at_seconds, found.made_at_seconds + 36000)
        batches.append((perf_counter() - began) / 50)
    assert min(batches) < 20e-6
