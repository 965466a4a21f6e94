"""Traces are read by what is in them, and a bad row is named."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from loadgen.errors import BadLoadInput
from loadgen.readers import read_requests, read_trace
from loadgen.trace import RateSeries, RequestTrace
from tests.loadgen.builders import Write


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,input_tokens,output_tokens\n0,5,1\n1.5,7,2\n",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,5,1\n2023-11-16 18:17:05.4799600,7,2\n",
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,m,5,1,6,a\n6.5,m,7,2,9,b\n",
        "\ufeffoutput_tokens,timestamp,input_tokens\n1,2023-11-16T18:17:03+01:00,5\n2,2023-11-16T18:17:04.5+01:00,7\n",
    ],
    ids=["plain", "azure 2023", "burstgpt", "other order, byte order mark, time zone"],
)
def test_requests_are_recognised_by_their_columns(write_trace: Write, text: str) -> None:
    trace = read_trace(write_trace(text))
    assert isinstance(trace, RequestTrace)
    assert np.diff(trace.at_seconds) == pytest.approx([1.5], abs=1e-5)
    assert trace.input_tokens.tolist() == [5, 7]
    assert trace.output_tokens.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("text", "rps"),
    [
        ("timestamp_utc,per_min_low,per_min_mid\n2024-05-10 00:00:00,1,60\n2024-05-10 00:07:12,1,120\n", [1, 2]),
        ("hour_utc,requests_estimated\n2024-05-10 00:00:00,3600\n2024-05-10 01:00:00,1800\n", [1, 0.5]),
        ("minute,count\n1998-04-30 21:30:00,6\n1998-04-30 21:31:00,12\n", [0.1, 0.2]),
        ("timestamp,value\n0,3\n10,0\n", [3, 0]),
    ],
    ids=["per minute", "per hour", "counts of a minute", "requests per second"],
)
def test_rates_come_in_requests_per_second(write_trace: Write, text: str, rps: list[float]) -> None:
    trace = read_trace(write_trace(text))
    assert isinstance(trace, RateSeries)
    assert trace.rps == pytest.approx(rps)
    assert trace.gap_seconds == pytest.approx(0)


def test_a_gap_and_an_empty_value_are_missing_and_a_zero_is_not(write_trace: Write) -> None:
    trace = read_trace(write_trace("timestamp,value\n0,3\n10,0\n20,\n30,4\n60,5\n"))
    assert isinstance(trace, RateSeries)
    assert trace.at(np.array([5, 15, 25, 35, 45, 65])).tolist() == pytest.approx(
        [3, 0, np.nan, 4, np.nan, 5], nan_ok=True
    )
    assert trace.gap_seconds == 30


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "named-like-text.csv"
    path.write_bytes(gzip.compress(b"timestamp,value\n0,1\n1,2\n"))
    assert isinstance(read_trace(path), RateSeries)


HEADER = "timestamp,input_tokens,output_tokens\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (HEADER, "a header and no requests"),
        ("a,b\n1,2\n", "line 1: the columns 'a,b'"),
        (HEADER + "0,1,1\nsoon,1,1\n", "line 3: 'soon' is no time"),
        (HEADER + "5,1,1\n3,1,1\n", "line 3: time goes back by 2 s"),
        (HEADER + "inf,1,1\n", "line 2: the time 'inf' is not finite"),
        (HEADER + "0,-1,1\n", "line 2: '-1' is no token count"),
        (HEADER + "0,1\n", "line 2: 2 columns"),
        (HEADER + "0,1.5,1\n", "line 2: '1.5' is no token count"),
        ("timestamp,value\n0,1\n1,-2\n", "line 3: '-2' is no rate"),
        ("timestamp,value\n0,1\n0,2\n", "line 3: not later"),
        ("timestamp,value\n0,1\n", "needs at least 2"),
        ("timestamp,value\n0,\n1,nan\n", "every value is missing"),
    ],
    ids=lambda value: value[:24].replace("\n", "|") if isinstance(value, str) else None,
)
def test_a_bad_file_gives_one_line_that_says_where(write_trace: Write, text: str, says: str) -> None:
    with pytest.raises(BadLoadInput) as refused:
        read_trace(write_trace(text))
    assert says in str(refused.value)
    assert "trace.csv" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"\x1f\x8b broken", b"\xff\xfe\x00text", gzip.compress(b"timestamp,value\n")[:-9]])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(BadLoadInput):
        read_trace(path)


def test_token_lengths_cannot_come_from_rates(write_trace: Write) -> None:
    with pytest.raises(BadLoadInput, match="holds rates"):
        read_requests(write_trace("timestamp,value\n0,1\n1,2\n"))


def test_the_azure_code_hour_has_its_empty_minutes_and_bursts(shared_data: Path) -> None:
    trace = read_requests(shared_data / "azure_llm_2023/AzureLLMInferenceTrace_code.csv")
    per_minute = trace.rates(60.0).rps * 60
    assert len(trace.at_seconds) == 8819
    assert int(np.sum(per_minute < 0.5)) > 5, "minutes without a request are part of this hour"
    assert per_minute.max() > 400


def test_the_azure_code_week_has_no_gap_and_its_published_total(shared_data: Path) -> None:
    week = read_trace(shared_data / "azure_llm_2024_digitised/code_week_digitised.csv")
    assert isinstance(week, RateSeries)
    assert week.gap_seconds == pytest.approx(0)
    assert week.counted_until(np.array([week.until_seconds]))[0] == pytest.approx(16_803_695, rel=0.01)
