"""Transforms keep what they promise: the peak, the count, the gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.arrivals import arrival_seconds
from loadgen.errors import BadLoadInput
from loadgen.published import code_week
from loadgen.readers import rate_series
from loadgen.trace import RateSeries, RequestTrace
from loadgen.transforms import Compress, Day, Scale, ScaleToPeak, Slice, apply_all

SEEDS = st.integers(0, 2**32 - 1)


def requests(count: int, seconds: float, seed: int = 1) -> RequestTrace:
    random = np.random.default_rng(seed)
    at = np.sort(random.uniform(0, seconds, count))
    lengths = random.integers(1, 100, (2, count))
    return RequestTrace(at, lengths[0], lengths[1], 0.0, seconds, "made")


def random_for(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(rates=st.lists(st.floats(0.01, 1e4), min_size=2, max_size=60), peak=st.floats(0.1, 1e3), seed=SEEDS)
@settings(deadline=None, max_examples=40)
def test_a_rate_series_hits_its_peak_exactly(rates: list[float], peak: float, seed: int) -> None:
    series = rate_series(np.arange(len(rates)) * 25.0, np.array(rates), "made")
    scaled = ScaleToPeak(peak).apply(series, random_for(seed))
    assert scaled.peak_rps(60.0) == pytest.approx(peak)


@given(peak=st.floats(2.0, 60.0), seed=SEEDS)
@settings(deadline=None, max_examples=40)
def test_thinned_and_superposed_requests_hit_their_peak(peak: float, seed: int) -> None:
    scaled = ScaleToPeak(peak).apply(requests(6000, 600.0), random_for(seed))
    assert scaled.peak_rps(60.0) == pytest.approx(peak, rel=0.08), "a stratum's remainder and shifts of a second"
    assert np.all(np.diff(scaled.at_seconds) >= 0)
    assert scaled.at_seconds[0] >= 0
    assert scaled.at_seconds[-1] < 600


@given(count=st.integers(1, 300), factor=st.floats(0.01, 5.0), seed=SEEDS)
@settings(deadline=None, max_examples=40)
def test_scaling_keeps_the_count_to_within_one(count: int, factor: float, seed: int) -> None:
    scaled = requests(count, 100.0).scaled(factor, random_for(seed))
    assert abs(len(scaled.at_seconds) - count * factor) <= 1


def test_a_thinned_request_keeps_its_own_lengths() -> None:
    trace = requests(500, 100.0)
    pairs = set(zip(trace.at_seconds, trace.input_tokens, trace.output_tokens, strict=True))
    thin = trace.scaled(0.3, random_for(2))
    assert set(zip(thin.at_seconds, thin.input_tokens, thin.output_tokens, strict=True)) < pairs


def test_thinning_keeps_a_poisson_stream_as_irregular_as_it_was() -> None:
    thin = requests(40_000, 4000.0).scaled(0.5, random_for(3))
    intervals = np.diff(thin.at_seconds)
    assert intervals.std() / intervals.mean() == pytest.approx(1.0, abs=0.05)


def test_compressing_plays_the_same_requests_in_less_time() -> None:
    week = code_week()
    fast = week.compressed(144.0)
    assert fast.until_seconds - fast.from_seconds == pytest.approx(7 * 600)
    total = lambda s: s.counted_until(np.array([s.until_seconds]))[0]  # noqa: E731
    assert total(fast) == pytest.approx(total(week))


def test_a_day_is_a_calendar_day_and_a_slice_counts_from_the_start() -> None:
    day = Day(3).apply(code_week(), random_for(0))
    assert day.until_seconds - day.from_seconds == 86_400
    assert day.from_seconds == code_week().from_seconds + 3 * 86_400
    morning = Slice(6 * 3600, 12 * 3600).apply(day, random_for(0))
    assert len(morning.starts) == 6


def test_steps_apply_in_order() -> None:
    steps = (Day(4), Compress(144.0), Slice(0, 300), ScaleToPeak(30.0))
    half_day = apply_all(code_week(), steps, random_for(0))
    assert half_day.until_seconds - half_day.from_seconds == pytest.approx(300)
    assert half_day.peak_rps(60.0) == pytest.approx(30)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Day(9), "about 7 days"),
        (Day(-1), "number 0 is the first"),
        (Compress(0.0), "not above 0"),
        (Scale(float("nan")), "not above 0"),
        (ScaleToPeak(-1.0), "not above 0"),
        (Slice(1e9, 2e9), "nothing between"),
    ],
)
def test_a_step_that_cannot_be_is_refused(step: Day | Compress | Scale | ScaleToPeak | Slice, says: str) -> None:
    with pytest.raises(BadLoadInput, match=says):
        step.apply(code_week(), random_for(0))


def gapped() -> RateSeries:
    return rate_series(np.array([0.0, 10.0, 20.0, 30.0, 100.0]), np.array([50.0, 0.0, np.nan, 80.0, 20.0]), "made")


@given(seed=SEEDS, cv=st.floats(0.3, 4.0), arrivals=st.sampled_from(["exact", "poisson", "gamma"]))
@settings(deadline=None, max_examples=40)
def test_nothing_arrives_in_a_gap_or_at_a_rate_of_zero(seed: int, cv: float, arrivals: str) -> None:
    at = arrival_seconds(gapped(), arrivals, cv, random_for(seed))  # type: ignore[arg-type]
    rates = gapped().at(at)
    assert np.all(rates > 0)
    assert np.all(np.diff(at) >= 0)


@pytest.mark.parametrize(("arrivals", "cv"), [("exact", 0.0), ("poisson", 1.0), ("gamma", 0.5), ("gamma", 3.0)])
def test_arrivals_have_the_rate_and_the_burstiness_asked_for(arrivals: str, cv: float) -> None:
    steady = rate_series(np.arange(0, 4000.0, 100.0), np.full(40, 10.0), "made")
    at = arrival_seconds(steady, arrivals, cv, random_for(5))  # type: ignore[arg-type]
    intervals = np.diff(at)
    assert len(at) == pytest.approx(40_000, rel=0.05)
    assert intervals.std() / intervals.mean() == pytest.approx(cv, abs=0.1)
