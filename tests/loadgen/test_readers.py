"""Traces are read by what is in them, and a bad row is named."""

import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgen.errors import BadLoadInput
from loadgen.formats.bytes_column import columns_of
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
        ("time;requests per minute\n0;60\n30;120\n", [1, 2]),
        ("timestamp,count\n0,30\n60,120\n120,60\n", [0.5, 2, 1]),
        ("Minute\tRequests\n0\t60\n1\t120\n", [1, 2]),
        ("ts_ms,qps\n0,1\n500,2\n", [1, 2]),
        ("client,t_s,rate_rps,cv\na,0,1,3\na,600,2,3\nb,0,4,1\nb,600,8,1\n", [5, 10]),
        (
            '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[10,"1"],[20,"NaN"],'
            '[30,"4"]]},{"metric":{},"values":[[10,"2"],[20,"3"]]}]}}',
            [3, 3, 4],
        ),
    ],
    ids=[
        "per minute",
        "per hour",
        "counts of a minute",
        "requests per second",
        "a unit in the value",
        "counts of a step",
        "numbered minutes",
        "a unit in the time",
        "clients summed",
        "range query",
    ],
)
def test_rates_come_in_requests_per_second(write_trace: Write, text: str, rps: list[float]) -> None:
    trace = read_trace(write_trace(text))
    assert isinstance(trace, RateSeries)
    assert trace.rps == pytest.approx(rps)
    assert trace.gap_seconds == pytest.approx(0)


@pytest.mark.parametrize(
    "text",
    [
        '{"timestamp": 5000, "input_length": 5, "output_length": 1, "hash_ids": [1]}\n'
        '{"timestamp": 6500, "input_length": 7, "output_length": 2, "hash_ids": [1, 2]}\n',
        '{"ts": "2023-11-16T18:17:03Z", "prompt_tokens": 5, "completion_tokens": 1}\n\n'
        '{"completion_tokens": 2, "ts": "2023-11-16T18:17:04.5Z", "prompt_tokens": "7"}\n',
        'name;arrival_ms;prompt_tokens;output_tokens\n"a;b";5000;5;1\nc;6500;7;2\n',
        "timestamp,num_prefill_tokens,num_decode_tokens\n1700000005000,5,1\n1700000006500,7,2\n",
    ],
    ids=["mooncake", "json lines", "semicolons and quotes", "epoch milliseconds"],
)
def test_requests_of_other_forms(write_trace: Write, text: str) -> None:
    trace = read_trace(write_trace(text))
    assert isinstance(trace, RequestTrace)
    assert np.diff(trace.at_seconds) == pytest.approx([1.5], abs=1e-5)
    assert (trace.input_tokens.tolist(), trace.output_tokens.tolist(), trace.has_tokens) == ([5, 7], [1, 2], True)


LOG = (
    '10.0.0.1 - ann [10/Oct/2000:13:55:37 -0700] "GET /a HTTP/1.0" 200 2326\n'
    '::1 - - [10/Oct/2000:13:55:36 -0700] "GET /\\"b HTTP/1.0" 404 - "http://from.example/" "Agent (x; y)"\n'
)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (LOG, [971_211_336.0, 971_211_337.0]),
        ('{"time_iso8601": "2000-10-10T13:55:36-07:00", "uri": "/a"}\n', [971_211_336.0]),
        ("arrival_s,model\n0.5,a\n0.5,b\n", [0.5, 0.5]),
        ("timestamp\n1\n2\n", [1.0, 2.0]),
    ],
    ids=["combined log, in order of completion", "json log, one line", "arrivals", "times alone"],
)
def test_requests_without_token_lengths_say_so(write_trace: Write, text: str, at: list[float]) -> None:
    trace = read_trace(write_trace(text))
    assert isinstance(trace, RequestTrace)
    assert trace.at_seconds.tolist() == at
    assert trace.until_seconds > at[-1]
    assert not trace.has_tokens
    with pytest.raises(BadLoadInput, match="no token lengths"):
        read_requests(write_trace(text))


def test_what_the_reader_assumes_is_said(write_trace: Write) -> None:
    assert "sorted" in read_trace(write_trace(LOG)).notes[0]
    assert "steps of 60 s" in read_trace(write_trace("timestamp,hits\n0,1\n60,2\n")).notes[0]
    assert "last 1 s" in read_trace(write_trace(HEADER + "7,1,1\n")).notes[0]
    usage = read_trace(write_trace("time,instance_index,avg_cpu_usage\n300000000,1,0.2\n600000000,1,0.1\n"))
    assert isinstance(usage, RateSeries)
    assert usage.unit.startswith("CPU")
    assert usage.from_seconds == 300.0


def test_only_one_series_of_several(write_trace: Write) -> None:
    file = write_trace("client,t_s,rate_rps,cv\na,0,1,3\na,600,2,3\nb,0,4,1\nb,600,8,2\n")
    one = read_trace(file, {"Client": "b"})
    assert isinstance(one, RateSeries)
    assert (one.rps.tolist(), one.cv) == ([4, 8], pytest.approx((4 + 16) / 12))
    with pytest.raises(BadLoadInput, match="no column 'user' to choose by"):
        read_trace(file, {"user": "b"})
    with pytest.raises(BadLoadInput, match="0 rows"):
        read_trace(file, {"client": "z"})


def test_a_block_boundary_is_no_boundary_of_the_trace(write_trace: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.formats.csv_rows.BLOCK_CHARACTERS", 40)
    rows = "".join(f"{n / 4},{n},{n + 1}\n" for n in range(50))
    trace = read_requests(write_trace(HEADER + rows))
    assert trace.at_seconds.tolist() == [n / 4 for n in range(50)]
    with pytest.raises(BadLoadInput, match="line 52: time goes back by 12"):
        read_trace(write_trace(HEADER + rows + "0,1,1\n"))
    quoted = read_requests(write_trace(HEADER + rows + '99,"3",4\n100,5,6\n'))
    assert quoted.input_tokens.tolist()[-2:] == [3, 5]


@pytest.mark.slow
@given(
    rows=st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1),
    order=st.permutations(["timestamp", "input_tokens", "output_tokens", "note"]),
    delimiter=st.sampled_from(",;\t|"),
    quoted=st.booleans(),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(
    write_trace: Write, rows: list[tuple[int, int, int]], order: list[str], delimiter: str, quoted: bool
) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    note = '"x"' if quoted else "x"
    cells = [{"timestamp": at / 8, "input_tokens": i, "output_tokens": o, "note": note} for at, i, o in rows]
    lines = [delimiter.join(order), *(delimiter.join(str(row[name]) for name in order) for row in cells)]
    trace = read_requests(write_trace("\r\n".join(lines)))
    assert trace.at_seconds.tolist() == [at / 8 for at, _, _ in rows]
    assert trace.input_tokens.tolist() == [i for _, i, _ in rows]
    assert trace.output_tokens.tolist() == [o for _, _, o in rows]


DECIMALS = st.from_regex(r"[0-9]{1,9}(\.[0-9]{0,5})?|\.[0-9]{1,5}", fullmatch=True)
OTHERS = st.sampled_from(["", ".", "1.2.3", "-1", "1e3", " 1", "nan", "1234567890123456", "x"])


@pytest.mark.slow
@given(st.lists(DECIMALS, min_size=1, max_size=30), st.one_of(st.none(), OTHERS))
@settings(deadline=None, max_examples=60)
def test_digits_in_memory_are_the_numbers_of_their_text(cells: list[str], other: str | None) -> None:
    cells = [*cells, other] if other is not None else cells
    column = columns_of("".join(f"{cell},\n" for cell in cells).encode(), ",", 2)
    assert column is not None
    assert list(column[0]) == cells
    numbers = column[0].numbers()
    assert numbers is None if other is not None else numbers is not None
    if numbers is not None:
        assert numbers.tolist() == [float(cell) for cell in cells]


@pytest.mark.parametrize("text", ["a,b\n1\n", "1,2,3\n4,5\n", "1,2\n\n3,4\n", "1,2"])
def test_rows_of_other_lengths_are_not_taken_from_memory(text: str) -> None:
    assert columns_of(text.encode(), ",", 2) is None


@given(st.binary(max_size=400))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_crash_the_reader(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "noise"
    path.write_bytes(noise)
    with suppress(BadLoadInput):
        read_trace(path)


def test_a_gap_and_an_empty_value_are_missing_and_a_zero_is_not(write_trace: Write) -> None:
    trace = read_trace(write_trace("timestamp,value\n0,3\n10,0\n20,\n30,4\n60,5\n"))
    assert isinstance(trace, RateSeries)
    assert trace.at(np.array([5, 15, 25, 35, 45, 65])).tolist() == pytest.approx(
        [3, 0, np.nan, 4, np.nan, 5], nan_ok=True
    )
    assert trace.gap_seconds == 30
    assert trace.notes == ("30 s have no value: they are missing, and nothing is sent there",)


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "named-like-text.csv"
    path.write_bytes(gzip.compress(b"timestamp,value\n0,1\n1,2\n"))
    assert isinstance(read_trace(path), RateSeries)


HEADER = "timestamp,input_tokens,output_tokens\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        (HEADER, "a header and no requests"),
        ("a,b\n1,2\n", "line 1: the columns 'a,b'"),
        ("timestmp,input_tokens,output_tokens\n1,2,3\n", "is 'timestmp' 'timestamp'?"),
        ("timestamp,input_tokens\n1,2\n", "input_tokens without output tokens"),
        ("timestamp,temperature\n1,2\n", "no column of rates, counts or tokens"),
        ("0,5,1\n1,7,2\n", "line 1: '0,5,1' is no header"),
        (HEADER + "0,1,1\nsoon,1,1\n", "line 3: 'soon' is no time"),
        (HEADER + "0,1,1\nnan,1,1\n", "line 3: 'nan' is no time"),
        (HEADER + "-4,1,1\n", "line 2: '-4' is negative"),
        (HEADER + "inf,1,1\n", "line 2: 'inf' is not finite"),
        (HEADER + "2024-05-10 00:00:00,1,1\n2024-13-10 00:00:00,1,1\n", "line 3: '2024-13-10 00:00:00' is no time"),
        (HEADER + "2024-05-10 00:00:00,1,1\n,1,1\n", "line 3: '' is no time"),
        (HEADER + "5,1,1\n\n3,1,1\n", "line 4: time goes back by 2 s"),
        (HEADER + "0,-1,1\n", "line 2: '-1' is no token count"),
        (HEADER + "0,nan,1\n", "line 2: 'nan' is no token count"),
        (HEADER + "0,1\n", "line 2: 2 columns where the header has 3"),
        (HEADER + "0,1,1,9\n", "line 2: 4 columns where the header has 3"),
        (HEADER + '0,1,1\n1,"1,5",1\n', "line 3: '1,5' is no token count"),
        (HEADER + "0,1.5,1\n", "line 2: '1.5' is no token count"),
        ("timestamp,value\n0,1\n1,-2\n", "line 3: '-2' is no rate"),
        ("timestamp,value\n0,1\n1,many\n", "line 3: 'many' is no rate"),
        ("timestamp,value\n0,1\n0,2\n", "line 3: not later"),
        ("timestamp,value\n5,1\n4,2\n", "line 3: not later"),
        ("timestamp,value\n0,1\n", "needs at least 2"),
        ("timestamp,value\n", "needs at least 2"),
        ("timestamp,value\n0,\n1,nan\n", "every value is missing"),
        ('{"timestamp": 1, "input_length": 2}\n{"timestamp": \n', "input_length without output tokens"),
        ('{"timestamp": 1}\n{"timestamp": \n', "line 2: no JSON object"),
        ('[{"timestamp": 1}]', "line 1: no JSON object (list instead of an object)"),
        ('{"status":"success","data":{"result":[{"value":[1,"2"]}]}}', "no matrix of a range query"),
        ('::1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 9\nnoise\n', "line 2: 'noise' is no entry"),
    ],
    ids=lambda value: value[-24:].replace("\n", "|") if isinstance(value, str) else None,
)
def test_a_bad_file_gives_one_line_that_says_where(write_trace: Write, text: str, says: str) -> None:
    with pytest.raises(BadLoadInput) as refused:
        read_trace(write_trace(text))
    assert says in str(refused.value)
    assert "trace.csv" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        b"\x1f\x8b broken",
        b"\xff\xfet\x00i\x00",
        gzip.compress(b"timestamp,value\n")[:-9],
        b"PK\x03\x04",
        gzip.compress(b"timestamp,value\n0,1\n" + bytes(range(65, 90)) * 90_000)[:-9],
    ],
    ids=["no gzip", "utf-16", "cut header", "zip", "cut later"],
)
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


TRACES = [
    ("mooncake/conversation_trace.jsonl.gz", 12_031, 3_537.0),
    ("alibaba_genai_2026/lora_request_trace.csv.gz", 26_823, 1_989_367.0),
    ("alibaba_gpu_2023/openb_pod_list_gpushare40.csv.gz", 8_152, 12_901_761.0),
    ("alibaba_gpu_2025_dlrm/disaggregated_DLRM_trace.csv.gz", 16_591, 2_676_161.0),
]


@pytest.mark.parametrize(("name", "requests", "span"), TRACES, ids=[name.partition("/")[0] for name, _, _ in TRACES])
def test_published_requests_are_read_whole(shared_data: Path, name: str, requests: int, span: float) -> None:
    trace = read_trace(shared_data / name)
    assert isinstance(trace, RequestTrace)
    assert len(trace.at_seconds) == requests
    assert trace.until_seconds - trace.from_seconds == pytest.approx(span, abs=1)


SERIES = [
    ("servegen/m-small_client_rates.csv.gz", 14 * 86_400.0, 0.0),
    ("alibaba_genai_2026/qps.csv.gz", 80_370.0, 15_105.0),
    ("google_cluster_2019_tasks/job113_82-300000000-1909049000000.csv.gz", None, None),
    ("bitbrains_faststorage/61.csv.gz", None, None),
    ("web_traffic_1998_1995/nasa.csv.gz", 62 * 86_400.0, 473_040.0),
]


@pytest.mark.parametrize(("name", "span", "gaps"), SERIES, ids=[name.partition("/")[0] for name, _, _ in SERIES])
def test_published_series_are_read_whole(shared_data: Path, name: str, span: float | None, gaps: float | None) -> None:
    series = read_trace(shared_data / name)
    assert isinstance(series, RateSeries)
    assert np.all(series.rps >= 0)
    assert span is None or series.until_seconds - series.from_seconds == pytest.approx(span)
    assert gaps is None or series.gap_seconds == pytest.approx(gaps)


def test_the_clients_of_servegen_sum_to_its_published_totals(shared_data: Path) -> None:
    clients = read_trace(shared_data / "servegen/m-small_client_rates.csv.gz")
    total = read_trace(shared_data / "servegen/derived_total_rates.csv", {"model": "m-small"})
    assert isinstance(clients, RateSeries)
    assert isinstance(total, RateSeries)
    assert clients.rps == pytest.approx(total.rps, rel=1e-3, abs=1e-3)
