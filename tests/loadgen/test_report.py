"""The report says what happened to all that was offered, and its arithmetic can be checked by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes, Status, merge
from loadgen.report import check_measurable, report_of
from loadgen.schedule import Kind
from loadgen.slo import Slo, SloTarget

NAN = float("nan")


def outcomes(*rows: tuple[float, float, float, float, int, int], kind: Kind = Kind.COMPLETION) -> Outcomes:
    """Rows of due, lag, first and latency seconds, tokens, status."""
    due, lag, first, latency, tokens, status = (np.array(column) for column in zip(*rows, strict=True))
    kinds = np.full(len(rows), int(kind))
    where = {kind.name.lower(): "http://localhost/v1/completions"}
    floats = (column.astype(np.float64) for column in (due, lag, first, latency))
    return Outcomes(*floats, tokens, kinds, status, 10.0, "builtin", where, {"seed": 1})


GOOD = (0.0, 0.001, 0.2, 0.4, 11, Status.SUCCEEDED)
SLOW_START = (1.0, 0.020, 0.9, 1.1, 11, Status.SUCCEEDED)
SLOW_TOKENS = (2.0, 0.001, 0.2, 2.2, 11, Status.SUCCEEDED)
REFUSED = (3.0, 0.001, NAN, NAN, 0, 503)
UNSENT = (4.0, NAN, NAN, NAN, 0, Status.UNSENT)
SLO = Slo.parse("ttft_p50_ms=400, tpot_p95_ms=40")


def test_attainment_is_over_all_that_was_offered() -> None:
    report = report_of(outcomes(GOOD, SLOW_START, SLOW_TOKENS, REFUSED, UNSENT), SLO)
    assert (report["offered"], report["sent"], report["succeeded"], report["failed"]) == (5, 4, 3, 1)
    assert report["verdict"]["attainment"] == pytest.approx(1 / 5)
    shares = {t["target"]: (t["share"], t["met"]) for t in report["verdict"]["targets"]}
    assert shares == {"ttft_p50_ms=400": (2 / 5, False), "tpot_p95_ms=40": (2 / 5, False)}
    assert report["failures"] == {"http_503": 1, "unsent": 1}
    assert report["late"] == 1


def test_latencies_are_of_what_succeeded_and_null_where_nothing_was() -> None:
    report = report_of(outcomes(GOOD, REFUSED), Slo())
    assert report["ttft_ms"]["p50"] == pytest.approx(200)
    assert report["tpot_ms"]["p50"] == pytest.approx(20)
    assert report_of(outcomes(REFUSED), Slo())["ttft_ms"] == {"p50": None, "p95": None, "p99": None}


def test_a_percentile_is_met_by_its_share_of_requests() -> None:
    rows = [(n / 10, 0.0, 0.1 if n else 0.9, 1.0, 1, Status.SUCCEEDED) for n in range(20)]
    assert report_of(outcomes(*rows), Slo.parse("ttft_p95_ms=400"))["verdict"]["met"]
    assert not report_of(outcomes(*rows), Slo.parse("ttft_p96_ms=400"))["verdict"]["met"]


def test_an_answer_of_one_token_has_no_time_between_tokens() -> None:
    single = (0.0, 0.0, 0.1, 0.1, 1, Status.SUCCEEDED)
    assert report_of(outcomes(single), Slo.parse("tpot_p95_ms=1"))["verdict"]["met"]


def test_an_error_of_the_rate_is_of_the_sent_requests_by_second() -> None:
    """Intended are 2, 1, 1 in the first three seconds; sent are 2, 0, 1: one is late, and one is never sent."""
    rows = [(0.1, 0.0), (0.2, 0.0), (1.5, 0.6), (2.5, NAN)]
    made = [(due, lag, NAN, NAN, 0, Status.UNSENT if np.isnan(lag) else 503) for due, lag in rows]
    report = report_of(outcomes(*made), Slo())
    assert report["rate_wape"] == pytest.approx(1 / 4)
    assert report["rate_rmse"] == pytest.approx(np.sqrt(((1 / 2) ** 2) / 10)), "over ten seconds, range 0 to 2"


def test_a_burst_due_just_before_a_second_is_no_error_of_the_rate() -> None:
    """Sent a millisecond late, it would count into the next second."""
    bursts = [(second + 0.9999, 0.001, NAN, NAN, 0, 503) for second in range(0, 9, 2) for _ in range(10)]
    spread = [(n / 10 + 0.05, 0.001, NAN, NAN, 0, 503) for n in range(100)]
    report = report_of(outcomes(*sorted(bursts + spread)), Slo())
    assert (report["rate_rmse"], report["rate_wape"]) == (0, 0)
    late = [(due, 0.5, *rest) for due, _, *rest in bursts]
    assert report_of(outcomes(*sorted(late + spread)), Slo())["rate_wape"] > 0.5  # type: ignore[arg-type]


def test_the_series_has_gaps_where_nothing_was_offered() -> None:
    series = report_of(outcomes(GOOD, SLOW_START, REFUSED), SLO)["series"]
    assert series["offered_rps"][:5] == [1, 1, 0, 1, 0]
    assert series["attained_share"][:5] == [1, 0, None, 0, None]
    assert series["served_rps"][:3] == [1, 0, 1]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 10),
            st.floats(0, 5) | st.just(NAN),
            st.floats(0, 5) | st.just(NAN),
            st.floats(0, 60) | st.just(NAN),
            st.integers(0, 5000),
            st.sampled_from([*Status, 429, 500]),
        ),
        min_size=1,
        max_size=50,
    ),
    st.integers(1, 4),
)
@settings(deadline=None, max_examples=30)
def test_outcomes_survive_their_travels_and_shards_join(rows: list[tuple[float, ...]], shards: int) -> None:
    whole = outcomes(*sorted(rows))  # type: ignore[arg-type]
    parts = [outcomes(*sorted(rows)[n::shards]) for n in range(min(shards, len(rows)))]  # type: ignore[arg-type]
    back = merge([Outcomes.from_bytes(part.to_bytes(), "the log") for part in parts])
    for name in ("due_seconds", "lag_seconds", "first_seconds", "latency_seconds"):
        assert np.sort(getattr(back, name)) == pytest.approx(np.sort(getattr(whole, name)), abs=1e-5, nan_ok=True)
    assert sorted(back.status.tolist()) == sorted(whole.status.tolist())
    assert (back.targets, back.provenance) == (whole.targets, {"seed": 1})


def test_a_report_is_valid_json() -> None:
    json.dumps(report_of(outcomes(GOOD, UNSENT), SLO), allow_nan=False)


def test_an_slo_reads_as_it_is_written() -> None:
    assert Slo.parse("ttft_p95_ms=400,e2e_p99.9_ms=8000").targets == (
        SloTarget("ttft", 95, 400),
        SloTarget("e2e", 99.9, 8000),
    )
    assert str(Slo.parse(" ttft_p95_ms = 400 ,")) == "ttft_p95_ms=400"
    assert Slo.parse("").targets == ()


@pytest.mark.parametrize("text", ["ttft=400", "speed_p95_ms=4", "ttft_p95_ms=-1", "ttft_p95_s=4", "ttft_p0_ms=4"])
def test_an_slo_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadLoadInput, match="slo: "):
        Slo.parse(text)


def test_a_classifier_is_not_held_to_tokens() -> None:
    with pytest.raises(BadLoadInput, match="e2e"):
        check_measurable(Slo.parse("ttft_p95_ms=400"), {Kind.CLASSIFICATION})
    check_measurable(Slo.parse("e2e_p95_ms=400"), {Kind.CLASSIFICATION})
