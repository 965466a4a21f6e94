"""A schedule is the same after its travels, the same for the same seed, and whole when its shards are joined."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.build import Recipe, TokenLimit, build_schedule
from loadgen.columns import encode
from loadgen.errors import BadLoadInput
from loadgen.published import code_tokens, code_week
from loadgen.readers import read_requests, read_trace
from loadgen.schedule import Kind, Schedule
from loadgen.tokens import TraceTokens
from loadgen.trace import RequestTrace, rate_series
from loadgen.transforms import Compress, Day, ScaleToPeak
from tests.loadgen.builders import evenly

ROWS = st.lists(
    st.tuples(st.floats(0, 86_400), st.integers(0, 2**31), st.integers(0, 2**31), st.integers(0, 1)),
    min_size=1,
    max_size=80,
)
DEMO_DAY = Recipe(transforms=(Day(4), Compress(144.0), ScaleToPeak(30.0)), tokens=code_tokens(), seed=7)


def schedule_of(rows: list[tuple[float, int, int, int]]) -> Schedule:
    at, inputs, outputs, kinds = zip(*sorted(rows), strict=True)
    return Schedule.of(np.array(at), np.array(inputs), np.array(outputs), np.array(kinds), 86_400.0, {"seed": 1})


def same(one: Schedule, other: Schedule) -> bool:
    arrays = ("send_at_seconds", "input_tokens", "output_tokens", "kind")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


@given(ROWS)
@settings(deadline=None, max_examples=30)
def test_a_schedule_survives_its_travels(rows: list[tuple[float, int, int, int]]) -> None:
    sent = schedule_of(rows)
    arrived = Schedule.from_bytes(sent.to_bytes(), "the wire")
    assert same(arrived, sent)
    assert (arrived.duration_seconds, arrived.provenance) == (86_400.0, {"seed": 1})


@given(ROWS, st.integers(1, 9))
@settings(deadline=None, max_examples=30)
def test_shards_together_are_the_whole(rows: list[tuple[float, int, int, int]], count: int) -> None:
    whole = schedule_of(rows)
    shards = [whole.shard(index, count) for index in range(count)]
    joined = np.concatenate([np.column_stack([s.send_at_seconds, s.input_tokens, s.output_tokens]) for s in shards])
    expected = np.column_stack([whole.send_at_seconds, whole.input_tokens, whole.output_tokens])
    assert sorted(map(tuple, joined)) == sorted(map(tuple, expected))


@given(st.binary(max_size=200), st.integers(0, 2000))
@settings(deadline=None, max_examples=30)
def test_damaged_bytes_are_refused_and_never_crash(noise: bytes, cut: int) -> None:
    whole = evenly(200, 10.0).to_bytes()
    for data in (noise, whole[: min(cut, len(whole) - 1)], b"cynosure-columns/1\n" + noise):
        with pytest.raises(BadLoadInput):
            Schedule.from_bytes(data, "the wire")


@pytest.mark.parametrize(
    "change",
    [
        {"send_at_ticks": np.array([3, 1])},
        {"send_at_ticks": np.array([-1, 1])},
        {"kind": np.array([0, 7])},
        {"other": np.array([0, 1])},
    ],
    ids=["order", "before the start", "kind", "column"],
)
def test_what_is_well_packed_but_no_schedule_is_refused(change: dict[str, np.ndarray]) -> None:
    names = ("send_at_ticks", "input_tokens", "output_tokens", "kind")
    columns = {name: np.array([0, 1]) for name in names if "other" not in change or name != "kind"} | change
    with pytest.raises(BadLoadInput, match="no schedule"):
        Schedule.from_bytes(encode(columns, {"duration_seconds": 1.0, "provenance": {}}), "the wire")


def test_a_bomb_is_not_unpacked() -> None:
    bomb = evenly(200, 10.0).to_bytes().replace(b'"rows":200', b'"rows":9000000')
    with pytest.raises(BadLoadInput, match="at most 2000000"):
        Schedule.from_bytes(bomb, "the wire")


def test_the_demo_day_is_the_same_for_the_same_seed_and_small_enough_to_travel() -> None:
    day = build_schedule(code_week(), DEMO_DAY)
    assert same(day, build_schedule(code_week(), DEMO_DAY))
    assert day.duration_seconds == pytest.approx(600)
    assert 5_000 < len(day) < 18_000
    assert len(day.to_bytes()) < 6 * len(day)


def test_another_seed_is_another_day_with_the_same_shape() -> None:
    one, other = (
        build_schedule(code_week(), Recipe(DEMO_DAY.transforms, tokens=code_tokens(), seed=s)) for s in (1, 2)
    )
    assert not same(one, other) if len(one) == len(other) else True
    hours = [np.histogram(s.send_at_seconds, 24, (0, 600))[0] for s in (one, other)]
    assert np.corrcoef(*hours)[0, 1] > 0.98


def test_where_a_schedule_comes_from_travels_along() -> None:
    told = build_schedule(code_week(), DEMO_DAY).provenance
    assert "no trace file" in told["trace"]
    assert told["transforms"][2] == {"transform": "ScaleToPeak", "rps": 30.0, "window_seconds": 60.0}
    assert told["arrivals"] == {"kind": "poisson"}


def test_a_limit_on_tokens_is_kept_and_told() -> None:
    recipe = Recipe(DEMO_DAY.transforms, tokens=code_tokens(), limit=TokenLimit(2000, 20), seed=7)
    day = build_schedule(code_week(), recipe)
    assert day.input_tokens.max() == 2000
    assert day.output_tokens.max() == 20
    assert 0 < day.provenance["tokens"]["inputs_cut"] < len(day)


def test_images_need_no_token_lengths_and_texts_do() -> None:
    images = build_schedule(code_week(), Recipe(DEMO_DAY.transforms, kind=Kind.CLASSIFICATION))
    assert set(images.kind.tolist()) == {1}
    with pytest.raises(BadLoadInput, match="--tokens"):
        build_schedule(code_week(), Recipe(DEMO_DAY.transforms))


def test_recorded_requests_keep_their_times_and_lengths() -> None:
    trace = RequestTrace(np.array([5.0, 6.5]), np.array([3, 4]), np.array([1, 0]), 5.0, 7.0, "made")
    schedule = build_schedule(trace, Recipe())
    assert schedule.send_at_seconds.tolist() == [0.0, 1.5]
    assert schedule.output_tokens.tolist() == [1, 1], "a server cannot be asked for no token"


def test_a_trace_without_a_request_is_said_to_be_one() -> None:
    silent = rate_series(np.array([0.0, 60.0]), np.zeros(2), "silent.csv")
    for arrivals in ("exact", "poisson", "mmpp", "sessions"):
        with pytest.raises(BadLoadInput, match=r"silent\.csv: not one request falls"):
            build_schedule(silent, Recipe(arrivals=arrivals, tokens=code_tokens()))  # type: ignore[arg-type]


def test_too_long_and_too_many_name_what_would_fit() -> None:
    with pytest.raises(BadLoadInput, match="--speedup 7 or more"):
        build_schedule(code_week(), Recipe((ScaleToPeak(0.01),), tokens=code_tokens()))
    with pytest.raises(BadLoadInput, match="at most 2000000 are sent"):
        build_schedule(code_week(), Recipe((Day(0),), tokens=code_tokens()))


def test_the_azure_day_with_tokens_of_the_azure_hour(shared_data: Path) -> None:
    week = read_trace(shared_data / "azure_llm_2024_digitised/code_week_digitised.csv")
    hour = read_requests(shared_data / "azure_llm_2023/AzureLLMInferenceTrace_code.csv")
    day = build_schedule(week, Recipe(DEMO_DAY.transforms, tokens=TraceTokens(hour), seed=7))
    per_minute = np.histogram(day.send_at_seconds, 10, (0, 600))[0] / 60
    assert per_minute.max() == pytest.approx(30, rel=0.08), "the peak asked for, within Poisson noise"
    assert set(day.input_tokens.tolist()) <= set(hour.input_tokens.tolist())


def test_published_lengths_are_close_to_those_of_the_hour(shared_data: Path) -> None:
    hour = read_requests(shared_data / "azure_llm_2023/AzureLLMInferenceTrace_code.csv")
    inputs, outputs = code_tokens().draw(20_000, np.random.default_rng(1))
    assert np.median(inputs) == pytest.approx(np.median(hour.input_tokens), rel=0.05)
    assert outputs.mean() == pytest.approx(hour.output_tokens.mean(), rel=0.25)
