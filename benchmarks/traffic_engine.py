"""The engine that sends: how faithful it is to real traces, and what it can send on time beside its peers."""

import csv
import io
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from bench_loadgen import measured, poisson, real_schedules

from loadgen.outcomes import Outcomes, merge
from loadgen.report import report_of
from loadgen.schedule import Kind, Schedule
from loadgen.slo import Slo
from loadgen.trace import Floats
from loadgen.travel import from_log

Answer = dict[str, Any]
Send = Callable[[str, float, float], Answer]
_BODY = '{"inputs":[{"name":"images","shape":[1],"datatype":"BYTES","data":["0"]}]}'
_ROUTE = "/v2/models/tiny/infer"
_WORKERS = (1, 2, 4)
_LEAD_SECONDS = 3.0
_ENOUGH = 0.999
"""Share of what was offered; vegeta sends one request less than rate times duration now and then."""


def fidelity(url: str, seconds: float) -> Answer:
    """Return, for each trace, how the requests that were sent differ from those that were due."""
    return {name: _fidelity(url, schedule) for name, schedule in real_schedules(seconds)}


def _fidelity(url: str, schedule: Schedule) -> Answer:
    outcomes, _ = measured(url, schedule, Kind.COMPLETION)
    report = report_of(outcomes, Slo())
    due, sent = outcomes.due_seconds, np.sort(outcomes.due_seconds + outcomes.lag_seconds)
    return {
        "seconds": schedule.duration_seconds,
        "requests": len(schedule),
        "sent": report["sent"],
        "rate_rmse": report["rate_rmse"],
        "cv": _cv(due),
        "cv_error": _cv(sent) / _cv(due) - 1,
        "peak_rps": _peak(due),
        "peak_error": _peak(sent) / _peak(due) - 1,
        "send_lag_ms_p99": report["send_lag_ms_p99"],
    }


def _cv(at: Floats) -> float:
    intervals = np.diff(at)
    return float(intervals.std() / intervals.mean())


def _peak(at: Floats) -> float:
    return float(np.bincount(at.astype(np.int64)).max())


def capacity(url: str, rates: Sequence[float], seconds: float, lag_limit_ms: float) -> list[Answer]:
    """Return a row for each engine and rate until one is late twice: evenly spaced, one small POST each."""
    rows = []
    for name, send in _engines():
        for rps in rates:
            row = _best_of_two(send, url, rps, seconds, lag_limit_ms)
            rows.append({"engine": name, "rps": rps, **row})
            lag = f"lag p99 {row['send_lag_ms_p99']:.2f} ms"
            print(f"{name:8} {rps:6.0f} req/s: {lag}, {row['succeeded']:.2%} succeeded")
            if not row["on_time"]:
                break
    return rows


def _best_of_two(send: Send, url: str, rps: float, seconds: float, lag_limit_ms: float) -> Answer:
    """The machine is shared, so who is late may try again."""
    rows: list[Answer] = []
    for _ in range(2):
        row = send(url, rps, seconds)
        row["on_time"] = row["succeeded"] >= _ENOUGH and row["send_lag_ms_p99"] <= lag_limit_ms
        if row["on_time"]:
            return row
        rows.append(row)
    return min(rows, key=lambda row: float(row["send_lag_ms_p99"]))


def _engines() -> Iterator[tuple[str, Send]]:
    yield "builtin", _builtin
    if shutil.which("vegeta"):
        yield "vegeta", _vegeta
    else:
        print("vegeta is not on PATH and was skipped (go install github.com/tsenart/vegeta/v12@latest)")


def evenly(rps: float, seconds: float) -> Schedule:
    ones = np.ones(round(rps * seconds), dtype=np.int64)
    return Schedule.of(np.arange(len(ones)) / rps, ones, ones, ones * int(Kind.CLASSIFICATION), seconds)


def _builtin(url: str, rps: float, seconds: float) -> Answer:
    outcomes, cores = measured(url, evenly(rps, seconds), Kind.CLASSIFICATION)
    return {
        "succeeded": float(outcomes.succeeded.mean()),
        "send_lag_ms_p99": float(1000 * np.nanpercentile(outcomes.lag_seconds, 99)),
        "cores": cores,
    }


def _vegeta(url: str, rps: float, seconds: float) -> Answer:
    """Its lag is that of its own time stamps behind an even spacing from its first request; one thread, as ours."""
    with tempfile.NamedTemporaryFile(suffix=".json") as body:
        body.write(_BODY.encode())
        body.flush()
        command = ["vegeta", "-cpus=1", "attack", f"-rate={rps:.0f}", f"-duration={seconds:g}s", f"-body={body.name}"]
        target = f"POST {url}{_ROUTE}\n".encode()
        hits = subprocess.run(command, input=target, capture_output=True, check=True, timeout=60 + 3 * seconds).stdout
    table = subprocess.run(["vegeta", "encode", "--to=csv"], input=hits, capture_output=True, check=True).stdout
    rows = np.array([(int(row[0]), int(row[1])) for row in csv.reader(io.StringIO(table.decode()))])
    at = np.sort(rows[:, 0] - rows[:, 0].min()) / 1e9
    lag = np.maximum(at - np.arange(len(at)) / rps, 0)
    offered = round(rps * seconds)
    return {
        "succeeded": float((rows[:, 1] == 200).sum() / offered),
        "send_lag_ms_p99": float(1000 * np.percentile(lag, 99)),
        "cores": None,
    }


def workers(url: str, rps: float, seconds: float) -> list[Answer]:
    """Return a row for 1, 2 and 4 processes that share one schedule: whether it is the same, and what was sent."""
    schedule = poisson(rps, seconds, Kind.CLASSIFICATION)
    return [_shared(url, schedule, count) for count in _WORKERS]


def _shared(url: str, schedule: Schedule, count: int) -> Answer:
    outcomes = _sent_by(url, schedule, count)
    report = report_of(outcomes, Slo())
    return {
        "workers": count,
        "same_schedule": bool(np.array_equal(outcomes.due_seconds, schedule.send_at_seconds)),
        "requests": len(outcomes.status),
        "sent": report["sent"],
        "rate_rmse": report["rate_rmse"],
        "cv_error": _cv(np.sort(outcomes.due_seconds + outcomes.lag_seconds)) / _cv(schedule.send_at_seconds) - 1,
        "send_lag_ms_p99": report["send_lag_ms_p99"],
    }


def _sent_by(url: str, schedule: Schedule, count: int) -> Outcomes:
    """Each worker is the program of the Job's pods, with the common start that the Job has."""
    assert urlsplit(url).hostname == "127.0.0.1"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "schedule.bin"
        file.write_bytes(schedule.to_bytes())
        command = [sys.executable, "-m", "loadgen.job", "--schedule", str(file), "--target", url + _ROUTE]
        command += ["--start-at", f"{time.time() + _LEAD_SECONDS:.3f}"]
        started = [
            subprocess.Popen(
                [*command, "--shard", f"{index}/{count}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            for index in range(count)
        ]
        logs = [process.communicate(timeout=60 + schedule.duration_seconds)[0].decode() for process in started]
    return merge([from_log(log, f"worker {index}") for index, log in enumerate(logs)])
