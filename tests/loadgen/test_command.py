"""`cynosure replay` from a shell: the contract of its JSON, its exit codes, its refusals."""

import argparse
import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.command import register
from loadgen.errors import BadLoadInput
from loadgen.schedule import Schedule
from loadgen.stress import steps_of
from tests.loadgen.builders import Write, evenly
from tests.loadgen.server import TinyServer, serving

pytestmark = pytest.mark.usefixtures("unsignalled")

CONTRACT = {
    "sent": int,
    "succeeded": int,
    "failed": int,
    "late": int,
    "rate_rmse": float,
    "rate_wape": float,
    "send_lag_ms_p99": float,
    "latency_ms": dict,
    "ttft_ms": dict,
    "verdict": dict,
    "report": str,
}
REQUESTS = "timestamp,input_tokens,output_tokens\n" + "".join(f"{n / 10},5,3\n" for n in range(40))


def invoke(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    parsed = parser.parse_args(["replay", *map(str, arguments)])
    return int(parsed.run(parsed))


async def replayed(*arguments: object) -> int:
    """Run the command in a thread, beside the server of the test."""
    return await asyncio.to_thread(invoke, *arguments)


@pytest.mark.parametrize(("slo", "code"), [("e2e_p95_ms=5000", 0), ("ttft_p95_ms=1", 1)], ids=["met", "missed"])
async def test_the_answer_is_one_document_that_keeps_the_contract(
    write_trace: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str], slo: str, code: int
) -> None:
    report = tmp_path / "report.json"
    async with serving(TinyServer(prefill_seconds=0.02)) as server:
        common = ("--trace", write_trace(REQUESTS), "--target", server.url, "--report", report, "--json")
        assert await replayed(*common, "--speedup", 40, "--slo", slo) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert {key: type(answer[key]) for key in CONTRACT} == CONTRACT
    assert set(answer["latency_ms"]) == {"p50", "p95", "p99"}
    assert set(answer["verdict"]) >= {"met", "attainment"}
    assert (answer["sent"], answer["succeeded"]) == (40, 40)
    assert json.loads(report.read_text()) == answer


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "http://example.com"], "--allow-target"),
        ([], "none given"),
        (["--target", "http://localhost", "--slo", "fast"], "slo: "),
        (["--target", "http://localhost", "--speedup", "0"], "speedup"),
        (["--target", "http://localhost", "--duration-seconds", "-1"], "duration"),
        (["--target", "http://localhost", "--peak-rps", "1e12"], "scale it less"),
        (["--target", "http://localhost", "--only", "model"], "COLUMN=VALUE"),
        (["--target", "http://localhost", "--transform", "scale"], "write scale=FACTOR"),
        (["--target", "http://localhost", "--arrivals", "mmpp", "--bursts", "4"], "TIMES:SHARE:SECONDS"),
        (["--target", "http://localhost", "--report", "/absent/report.json"], "cannot be written"),
        (["--target", "http://localhost", "--timeout-seconds", "0"], "timeout"),
        (["--target", "http://localhost", "--patience-seconds", "0"], "patience"),
        (["--target", "http://localhost", "--patience-distribution", "fixed"], "of no patience"),
        (["--target", "http://localhost", "--engine", "k6", "--patience-seconds", "9"], "--engine builtin"),
        (["--target", "http://localhost", "--engine", "stress", "--retries", "2"], "sends no requests"),
        (["--target", "http://localhost", "--mix", "absent.yaml"], "absent.yaml"),
        (["--target", "http://localhost", "--mix", "x.yaml", "--max-input-tokens", "9"], "--max-input-tokens cannot"),
        (["--target", "http://localhost", "--retries", "99"], "outside 1 to 10"),
        (["--target", "http://localhost", "--retry-budget", "0.5"], "add --retries"),
        (["--target", "http://localhost", "--engine", "k6", "--retries", "2"], "--engine builtin"),
        (["--target", "http://localhost", "--tokens", "absent.csv"], "absent.csv"),
        (["--target", "http://localhost/v2/models/m/infer", "--slo", "ttft_p95_ms=1"], "e2e"),
        (["--target", "http://localhost", "--versus", "http://localhost/v2/models/m/infer"], "takes other requests"),
        (["--target", "http://localhost", "--versus", "http://203.0.113.9"], "--allow-target"),
    ],
)
def test_bad_input_is_one_line(write_trace: Write, arguments: list[str], says: str) -> None:
    with pytest.raises(BadLoadInput, match=says):
        invoke("--trace", write_trace(REQUESTS), *arguments)


async def test_the_report_keeps_what_was_done_to_the_trace(write_trace: Write, tmp_path: Path) -> None:
    trace = write_trace("client,t_s,rate_rps,cv\na,0,40,2\nb,0,9,3\na,1,80,2\nb,1,9,3\n")
    steps = ("--only", "client=a", "--transform", "flash-crowd=0:1:2", "--speedup", 10, "--arrivals", "gamma")
    async with serving(TinyServer()) as server:
        report = tmp_path / "report.json"
        await replayed("--trace", trace, *steps, "--target", server.url, "--max-output-tokens", 1, "--report", report)
    schedule = json.loads(report.read_text())["schedule"]
    assert [step["transform"] for step in schedule["transforms"]] == ["FlashCrowd", "Compress"]
    assert schedule["arrivals"] == {"kind": "gamma", "cv": 2.0}
    assert "no trace file" in schedule["tokens"]["source"]


async def test_a_schedule_is_kept_and_sent_as_it_is(
    write_trace: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, report = tmp_path / "schedule.bin", tmp_path / "report.json"
    trace = ("--trace", write_trace(REQUESTS), "--speedup", 40)
    assert invoke(*trace, "--write-schedule", kept, "--json") == 0
    assert json.loads(capsys.readouterr().out)["requests"] == 40
    with pytest.raises(BadLoadInput, match="which --speedup cannot change"):
        invoke("--trace", kept, "--speedup", 2, "--target", "http://localhost")
    async with serving(TinyServer()) as server:
        assert await replayed("--trace", kept, "--target", server.url, "--report", report) == 0
    answer = json.loads(report.read_text())
    assert answer["sent"] == 40
    assert answer["schedule"]["transforms"] == [{"transform": "Compress", "factor": 40.0}]


@pytest.mark.slow
async def test_two_targets_get_the_same_schedule_and_are_compared(
    write_trace: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--trace", write_trace(REQUESTS), "--speedup", 10, "--slo", "ttft_p95_ms=100", "--report", tmp_path / "r")
    async with serving(TinyServer()) as quick, serving(TinyServer(prefill_seconds=0.15)) as slow:
        assert await replayed(*common, "--target", quick.url, "--versus", slow.url) == 0
    assert "decided: first" in capsys.readouterr().out
    assert len(quick.bodies) == len(slow.bodies) == 40
    answer = json.loads((tmp_path / "r").read_text())
    assert answer["comparison"]["attainment"] == [1, 0]
    assert answer["comparison"]["latency_difference_ms_p50"] == pytest.approx(-150, abs=40)
    assert answer["versus"]["verdict"]["met"] is False


def test_a_trace_that_is_not_there_names_the_one_that_needs_no_file() -> None:
    with pytest.raises(BadLoadInput, match="azure-llm-2024-code-week"):
        invoke("--trace", "absent.csv", "--target", "http://localhost")


def test_stress_steps_follow_the_requests() -> None:
    at = np.array([0.0, 1.0, 1.5, 3.9, 4.1, 9.0])
    ones = np.ones(6, dtype=np.int64)
    steps = steps_of(Schedule.of(at, ones, ones, ones, 10.0))
    assert [(step.at_seconds, step.load_percent) for step in steps] == [(0, 100), (2, 33), (4, 33), (6, 0), (8, 33)]
    assert steps[1].command()[2:] == ["--cpu", "1", "--cpu-load", "33", "--timeout", "2s"]
    assert len(steps_of(evenly(10, 3600.0))) <= 120


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("stress-ng") is None, reason="needs stress-ng (Debian: stress-ng)")
def test_stress_runs_the_steps_and_measures_the_load(
    write_trace: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadgen.stress._SHORTEST_STEP_SECONDS", 1)
    trace = write_trace("timestamp,value\n0,10\n1,40\n")
    common = ("--engine", "stress", "--report", tmp_path / "r.json")
    assert invoke("--trace", trace, *common) == 0
    answer = json.loads((tmp_path / "r.json").read_text())
    assert answer["series"]["intended_load"] == [0.25, 1.0]
    assert answer["series"]["measured_load"][1] > answer["series"]["measured_load"][0] > 0
