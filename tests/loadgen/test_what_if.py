"""Other stories of a trace keep what they promise: totals, order, the unit of time, and the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.arrivals import Bursts, Sessions, arrival_seconds, own_cv
from loadgen.build import Recipe, build_schedule
from loadgen.errors import BadLoadInput
from loadgen.pipeline import FORMS, parse_transforms
from loadgen.published import code_tokens, code_week
from loadgen.trace import RateSeries, RequestTrace, rate_series
from loadgen.transforms import ScaleToPeak, apply_all, described
from loadgen.what_if import BootstrapDays, Gaps
from tests.loadgen.builders import Write

SEEDS = st.integers(0, 2**32 - 1)
RATES = st.lists(st.one_of(st.floats(0, 1e3), st.just(float("nan"))), min_size=3, max_size=40).filter(
    lambda rates: np.isfinite(rates).any()
)


def series_of(rates: list[float], step: float = 10.0) -> RateSeries:
    return rate_series(100.0 + step * np.arange(len(rates)), np.array(rates), "made")


def requests(count: int, seconds: float, seed: int = 1) -> RequestTrace:
    random = np.random.default_rng(seed)
    at = np.sort(random.uniform(0, seconds, count))
    return RequestTrace(at, np.arange(count), np.arange(count), 0.0, seconds, "made")


def total(series: RateSeries) -> float:
    return float(series.counted_until(np.array([series.until_seconds]))[0])


def applied(trace: RateSeries, *texts: str, seed: int = 1) -> RateSeries:
    return apply_all(trace, parse_transforms(texts), np.random.default_rng(seed))


@given(rates=RATES, turn=st.floats(-1e4, 1e4))
@settings(deadline=None, max_examples=40)
def test_shifting_loses_nothing_and_shifting_back_restores(rates: list[float], turn: float) -> None:
    before = series_of(rates)
    try:
        after = applied(before, f"shift={turn}")
    except BadLoadInput:
        return  # one of the halves holds nothing but a gap
    assert total(after) == pytest.approx(total(before), rel=1e-6, abs=1e-6)
    assert (after.from_seconds, after.until_seconds) == pytest.approx((before.from_seconds, before.until_seconds))
    assert after.gap_seconds == pytest.approx(before.gap_seconds, abs=1e-6)


@given(rates=RATES)
@settings(deadline=None, max_examples=40)
def test_gaps_are_bridged_zeroed_or_closed_and_never_invented(rates: list[float]) -> None:
    series = series_of(rates)
    for mode in ("bridge", "zero"):
        filled = applied(series, f"gaps={mode}")
        assert filled.gap_seconds == pytest.approx(0, abs=1e-6)
        assert np.all(np.diff(filled.starts) > 0)
    assert total(applied(series, "gaps=zero")) == pytest.approx(total(series))
    assert total(applied(series, "gaps=bridge")) >= total(series) - 1e-6
    closed = applied(series, "gaps=close")
    assert total(closed) == pytest.approx(total(series))
    assert closed.until_seconds == pytest.approx(series.until_seconds - series.gap_seconds)
    assert applied(series, "gaps=keep") == series


def test_a_bridge_is_a_straight_line() -> None:
    series = series_of([0.0, np.nan, np.nan, np.nan, 40.0])
    middles = 100.0 + 10 * np.arange(5) + 5
    assert applied(series, "gaps=bridge").at(middles) == pytest.approx([0, 20 / 3, 20, 100 / 3, 40])


def test_a_crowd_multiplies_its_window_only() -> None:
    crowded = applied(series_of([1.0, 2.0, 3.0, 4.0]), "flash-crowd=15:10:5")
    at = np.array([105, 112, 117, 122, 127, 135.0])
    assert crowded.at(at) == pytest.approx([1, 2, 10, 15, 3, 4])


@given(seed=SEEDS, times=st.floats(1.5, 6))
@settings(deadline=None, max_examples=25)
def test_a_crowd_of_requests_is_as_large_as_asked(seed: int, times: float) -> None:
    (crowd,) = parse_transforms([f"flash-crowd=20:50:{times}"])
    before = requests(2000, 100.0, seed)
    after = crowd.apply(before, np.random.default_rng(seed))
    assert np.all(np.diff(after.at_seconds) >= 0)
    inside = np.sum((before.at_seconds >= 20) & (before.at_seconds < 70))
    assert len(after.at_seconds) - len(before.at_seconds) == pytest.approx(inside * (times - 1), abs=2)
    outside = lambda t: np.sum((t.at_seconds < 20) | (t.at_seconds >= 70))  # noqa: E731
    assert outside(after) == outside(before)


def test_parts_follow_one_another() -> None:
    spliced = applied(series_of([1.0, 2.0, 3.0, 4.0]), "splice=30:40+0:20+10:15")
    assert spliced.rps.tolist() == [4, 1, 2, 2]
    assert np.diff(spliced.starts).tolist() == [10, 10, 10]
    assert spliced.until_seconds - spliced.from_seconds == 35


def test_another_file_is_added_on_top_or_after(write_trace: Write) -> None:
    other = write_trace("timestamp,value\n0,10\n10,20\n")
    series = series_of([1.0, np.nan, 3.0])
    on_top = applied(series, f"superpose={other}")
    assert on_top.at(np.array([105, 115, 125.0])) == pytest.approx([11, np.nan, 3], nan_ok=True)
    assert applied(series, f"append={other}").at(np.array([125, 135, 145.0])).tolist() == [3, 10, 20]
    with pytest.raises(BadLoadInput, match="do not add up"):
        apply_all(requests(9, 9.0), parse_transforms([f"append={other}"]), np.random.default_rng(1))
    assert described(parse_transforms([f"append={other}"])) == [{"transform": "Append", "other": str(other)}]


@given(days=st.integers(1, 9), seed=SEEDS)
@settings(deadline=None, max_examples=30)
def test_days_are_drawn_whole_and_by_the_seed(days: int, seed: int) -> None:
    drawn, again = (applied(code_week(), f"bootstrap-days={days}", seed=seed) for _ in range(2))
    week = code_week().rps.reshape(7, 24).tolist()
    assert drawn.until_seconds - drawn.from_seconds == days * 86_400
    assert all(day in week for day in drawn.rps.reshape(days, 24).tolist())
    assert drawn.rps.tolist() == again.rps.tolist()


def test_averages_and_normal_form() -> None:
    series = series_of([1.0, 3.0, np.nan, 5.0, 7.0])
    assert applied(series, "average=20").rps.tolist() == [2, 5, 7]
    assert applied(series, "normalise").rps.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert applied(series, "normalise").gap_seconds == 10


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("faster=2", "'faster' is unknown; one of scale=FACTOR"),
        ("scale=lots", "write scale=FACTOR"),
        ("thin=2", "write thin=SHARE"),
        ("gaps=mend", "write gaps=keep|bridge|zero|close"),
        ("flash-crowd=1:2", "write flash-crowd=AT:LASTING:TIMES"),
        ("flash-crowd=1:2:0.5", "is no crowd"),
        ("flash-crowd=1e9:2:3", "nothing between"),
        ("bootstrap-days=1", "0 whole ones"),
        ("scale=-1", "not above 0"),
        ("append=absent.csv", "absent.csv"),
    ],
)
def test_a_step_that_cannot_be_says_how_it_is_written(text: str, says: str) -> None:
    with pytest.raises((BadLoadInput, FileNotFoundError)) as refused:
        applied(series_of([1.0, 2.0]), text)
    assert says in str(refused.value)


@pytest.mark.parametrize("text", ["average=5", "normalise"])
def test_steps_for_rates_refuse_requests(text: str) -> None:
    with pytest.raises(BadLoadInput, match="give a series of rates"):
        apply_all(requests(5, 5.0), parse_transforms([text]), np.random.default_rng(1))


def test_every_step_can_be_written() -> None:
    assert len(FORMS) == 13
    assert isinstance(parse_transforms(["gaps=bridge"])[0], Gaps)
    assert isinstance(parse_transforms(["bootstrap-days=3"])[0], BootstrapDays)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=15)
def test_bursts_keep_the_mean_the_order_and_the_gaps(seed: int) -> None:
    series = series_of([50.0, 0.0, np.nan, 80.0, 20.0], step=400.0)
    bursts = Bursts(times=4, share=0.2, seconds=5)
    at = arrival_seconds(series, "mmpp", 1.0, np.random.default_rng(seed), bursts)
    assert np.all(np.diff(at) >= 0)
    assert np.all(series.at(at) > 0)
    assert len(at) > 0
    assert at.tolist() == arrival_seconds(series, "mmpp", 1.0, np.random.default_rng(seed), bursts).tolist()


def test_bursts_are_burstier_than_poisson() -> None:
    steady = series_of([20.0] * 400)
    counts = {
        kind: np.histogram(arrival_seconds(steady, kind, 1.0, np.random.default_rng(3)), 800)[0]  # type: ignore[arg-type]
        for kind in ("poisson", "mmpp")
    }
    dispersion = {kind: count.var() / count.mean() for kind, count in counts.items()}
    assert dispersion["poisson"] == pytest.approx(1, abs=0.2)
    assert dispersion["mmpp"] > 10
    assert counts["mmpp"].mean() == pytest.approx(100, rel=0.2)


@pytest.mark.parametrize("wrong", [(11.0, 0.1, 5.0), (1.0, 0.1, 5.0), (2.0, 0.0, 5.0), (2.0, 0.1, 0.0)])
def test_bursts_that_cannot_keep_the_mean_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(BadLoadInput, match="cannot keep the mean"):
        Bursts(*wrong)


@given(seed=SEEDS, turns=st.floats(1, 8), think=st.floats(0.1, 500))
@settings(deadline=None, max_examples=25)
def test_users_ask_only_while_there_is_a_rate(seed: int, turns: float, think: float) -> None:
    series = series_of([50.0, 0.0, np.nan, 80.0, 20.0], step=100.0)
    at = arrival_seconds(series, "sessions", 1.0, np.random.default_rng(seed), sessions=Sessions(turns, think))
    assert np.all(np.diff(at) >= 0)
    assert np.all(series.at(at) > 0)


def test_users_who_ask_again_keep_the_rate_and_come_in_clusters() -> None:
    steady = series_of([20.0] * 400)
    at = arrival_seconds(steady, "sessions", 1.0, np.random.default_rng(3), sessions=Sessions(5, 1))
    counts = np.histogram(at, 800)[0]
    assert len(at) == pytest.approx(80_000, rel=0.05)
    assert counts.var() / counts.mean() > 4, "one user's questions stand close together"


def test_sessions_that_are_none_are_refused() -> None:
    with pytest.raises(BadLoadInput, match="such as 4:20"):
        Sessions(0.5, 20)


@pytest.mark.parametrize("cv", [0.4, 1.0, 2.5])
def test_the_own_variation_is_apart_from_the_changes_of_the_rate(cv: float) -> None:
    tides = series_of([5.0, 40.0] * 5, step=240.0)
    at = arrival_seconds(tides, "gamma", cv, np.random.default_rng(2))
    trace = RequestTrace(at, np.zeros(len(at), np.int64), np.zeros(len(at), np.int64), 100.0, 2500.0, "made", False)
    assert own_cv(trace) == pytest.approx(cv, rel=0.1)
    told = build_schedule(trace, Recipe(arrivals="gamma", tokens=code_tokens())).provenance["arrivals"]
    assert told == {"kind": "gamma", "cv": own_cv(trace)}


def test_a_load_that_is_no_requests_needs_a_peak() -> None:
    usage = rate_series(np.array([0.0, 60.0]), np.array([0.02, 0.04]), "made", unit="CPU")
    with pytest.raises(BadLoadInput, match="holds CPU, not requests; say its peak"):
        build_schedule(usage, Recipe(tokens=code_tokens()))
    schedule = build_schedule(usage, Recipe((ScaleToPeak(10.0),), tokens=code_tokens()))
    assert len(schedule) == pytest.approx(900, rel=0.15)


def test_rates_that_tell_no_variation_need_one() -> None:
    with pytest.raises(BadLoadInput, match="--cv 1 is as Poisson"):
        build_schedule(code_week(), Recipe((ScaleToPeak(1.0),), arrivals="gamma", tokens=code_tokens()))
