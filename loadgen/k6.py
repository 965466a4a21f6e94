"""The same schedule for k6: a readable script and its data, run by the user's own k6, and read back into outcomes.

Plain k6 knows no server-sent events: its time to the first byte stands for the time to the first token, and it counts
no tokens, so TPOT is not measured. The format of ``--out csv`` is that of k6's documentation (Results output, CSV).
"""

import csv
import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np

from loadgen.engine import EngineOptions
from loadgen.errors import BadLoadInput, MissingProgram
from loadgen.outcomes import Outcomes, Status
from loadgen.schedule import Kind, Schedule
from loadgen.targets import Target

SCRIPT, DATA, RESULTS = "replay.js", "schedule.json", "results.csv"
_COLUMNS = {
    "replay_send_lag_ms": "lag",
    "replay_first_byte_ms": "first",
    "replay_latency_ms": "latency",
    "replay_status": "status",
}
_THRESHOLDS_CROSSED = 99


def write_script(schedule: Schedule, target: Target, options: EngineOptions, folder: Path) -> None:
    """Write replay.js and schedule.json; the script's parameters are told in its first lines."""
    rows = zip(
        schedule.send_at_seconds.tolist(), schedule.input_tokens.tolist(), schedule.output_tokens.tolist(), strict=True
    )
    data = {
        "target": target.url,
        "kind": target.kind.name.lower(),
        "model": target.model,
        "prompt": "chat" if target.chat else target.prompt,
        "vus": options.max_connections,
        "timeout_seconds": options.timeout_seconds,
        "duration_seconds": schedule.duration_seconds,
        "provenance": dict(schedule.provenance),
        "requests": list(rows),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text(files("loadgen").joinpath("k6_replay.js").read_text(encoding="utf-8"))
    (folder / DATA).write_text(json.dumps(data, separators=(",", ":")))


def replay(schedule: Schedule, target: Target, options: EngineOptions, folder: Path) -> Outcomes:
    """Write the script and run it; MissingProgram, with the script left in ``folder``, when there is no k6."""
    _check_users(schedule)
    write_script(schedule, target, options, folder)
    program = shutil.which("k6")
    if program is None:
        raise MissingProgram(
            f"k6 is NOT on PATH and nothing was sent; the script is in {folder}: install k6 and run "
            f"'k6 run --out csv={RESULTS} {SCRIPT}' there, or use --engine builtin"
        )
    command = [program, "run", "--quiet", "--no-usage-report", "--out", f"csv={RESULTS}", SCRIPT]
    limit = schedule.duration_seconds + options.timeout_seconds + 120
    ended = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, timeout=limit, check=False)
    if ended.returncode not in (0, _THRESHOLDS_CROSSED):
        raise BadLoadInput(f"k6 ended with {ended.returncode}; its messages are above, its script in {folder}")
    return read_results(folder / RESULTS, schedule, target)


def _check_users(schedule: Schedule) -> None:
    if np.isfinite(schedule.patience_seconds).any():
        raise BadLoadInput("patience: the script for k6 gives nothing up before the time-out; use --engine builtin")
    if schedule.retries is not None:
        raise BadLoadInput("retries: the script for k6 sends nothing again; use --engine builtin")


def read_results(path: Path, schedule: Schedule, target: Target) -> Outcomes:
    """Read k6's CSV; a request without a row was not sent."""
    requests = len(schedule)
    found = {name: np.full(requests, np.nan) for name in _COLUMNS.values()}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if name := _COLUMNS.get(row["metric_name"]):
                found[name][_request(row, path)] = float(row["metric_value"])
    status = np.array([_status(value) for value in found["status"].tolist()], dtype=np.int64)
    answered = status == Status.SUCCEEDED
    streamed = answered & (schedule.kind == Kind.COMPLETION)
    return Outcomes(
        schedule.send_at_seconds,
        found["lag"] / 1000,
        np.where(streamed, found["first"] / 1000, np.nan),
        np.where(answered, found["latency"] / 1000, np.nan),
        np.zeros(requests, dtype=np.int64),
        schedule.kind,
        status,
        schedule.duration_seconds,
        "k6",
        {target.kind.name.lower(): target.url},
        {**schedule.provenance, "ttft_is": "time to the first byte (k6 reads no server-sent events)"},
        classes=schedule.classes,
        request_class=schedule.request_class,
    )


def _request(row: Mapping[str, str], path: Path) -> int:
    number = parse_qs(row.get("extra_tags") or "").get("request")
    if not number:
        raise BadLoadInput(f"{path}: a sample of {row['metric_name']} names no request; was it another script?")
    return int(number[0])


def _status(value: float) -> int:
    if np.isnan(value):
        return Status.UNSENT
    return {200: int(Status.SUCCEEDED), 0: int(Status.CONNECTION)}.get(int(value), int(value))
