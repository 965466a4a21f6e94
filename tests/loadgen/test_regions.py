"""The same day at other hours: nothing is lost, every region has its peak by its own clock, and peaks flatten."""

import numpy as np
import pytest

from loadgen.build import Recipe, build_schedule
from loadgen.errors import BadLoadInput
from loadgen.pipeline import parse_transforms
from loadgen.published import code_tokens, code_week
from loadgen.schedule import Schedule
from loadgen.trace import RateSeries, RequestTrace, rate_series
from loadgen.transforms import Compress, apply_all

HOUR = 3600.0
DAY = np.where(np.arange(24) == 14, 10.0, 0.0)
"""Everybody asks from 14:00 to 15:00, local time."""


def busy_hour() -> RateSeries:
    return rate_series(HOUR * np.arange(24), DAY, "made")


def hours(series: RateSeries) -> list[float]:
    found = series.at(HOUR * (np.arange(24) + 0.5))
    return [float(rate) for rate in found]


def requests() -> RequestTrace:
    at = 14 * HOUR + np.arange(6000) * 0.5
    return RequestTrace(at, np.arange(6000), np.arange(6000), 0.0, 24 * HOUR, "made")


def test_each_region_peaks_by_its_own_clock() -> None:
    spread = apply_all(busy_hour(), parse_transforms(["regions=50:0+30:-5+20:8"]), np.random.default_rng(1))
    rates = hours(spread)
    assert (rates[14], rates[19], rates[6]) == pytest.approx((5, 3, 2))
    assert sum(rates) == pytest.approx(10)


def test_who_is_ahead_of_midnight_comes_in_at_the_end() -> None:
    spread = apply_all(busy_hour(), parse_transforms(["regions=1:14+1:-12"]), np.random.default_rng(1))
    assert (hours(spread)[0], hours(spread)[2]) == pytest.approx((5, 5))


def test_half_an_hour_is_an_offset_too() -> None:
    spread = apply_all(busy_hour(), parse_transforms(["regions=1:5.5"]), np.random.default_rng(1))
    assert spread.at(np.array([8.4, 8.6, 9.4, 9.6]) * HOUR) == pytest.approx([0, 10, 10, 0])


def test_each_request_goes_to_one_region_and_none_is_lost() -> None:
    steps = parse_transforms(["regions=70:0+30:-5"])
    one, again, other = (apply_all(requests(), steps, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert sorted(one.input_tokens.tolist()) == list(range(6000))
    assert np.all(np.diff(one.at_seconds) >= 0)
    assert np.mean(one.at_seconds > 18 * HOUR) == pytest.approx(0.3, abs=0.02)
    assert np.array_equal(one.at_seconds, again.at_seconds)
    assert not np.array_equal(one.at_seconds, other.at_seconds)


def test_regions_flatten_the_published_week_and_keep_its_requests() -> None:
    week = code_week()
    spread = apply_all(week, parse_transforms(["regions=1:-8+1:0+1:8"]), np.random.default_rng(1))
    assert spread.counted_until(np.array([spread.until_seconds])) == pytest.approx(
        week.counted_until(np.array([week.until_seconds]))
    )
    assert spread.rps.max() / spread.rps.mean() < 0.8 * week.rps.max() / week.rps.mean()


def test_it_is_told_in_the_report() -> None:
    steps = [*parse_transforms(["regions=2:1+1:-5"]), Compress(8640)]
    schedule = build_schedule(busy_hour(), Recipe(steps, tokens=code_tokens()))
    told = Schedule.from_bytes(schedule.to_bytes(), "a test").provenance["transforms"][0]
    assert told["transform"] == "Regions"
    assert told["regions"][1] == {"weight": 1.0, "utc_offset_hours": -5.0}


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (["regions=1:25"], "-12 to 14 hours"),
        (["regions=0:1"], "a weight above 0"),
        (["regions=1"], "write regions=WEIGHT:UTC_OFFSET_HOURS"),
        (["slice=0:7200", "regions=1:1+1:2"], "lasts 7200 s here, and a day is the least"),
    ],
)
def test_what_cannot_be_is_one_line(steps: list[str], says: str) -> None:
    with pytest.raises(BadLoadInput, match=says):
        apply_all(busy_hour(), parse_transforms(steps), np.random.default_rng(1))
