"""A schedule as CPU load: stress-ng keeps one core as busy as the trace is, step by step, and is measured doing so."""

import os
import shutil
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from loadgen.errors import MissingProgram
from loadgen.schedule import Schedule
from loadgen.trace import Floats

_SHORTEST_STEP_SECONDS = 2
_MOST_STEPS = 120
_LATE_AFTER_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """One core busy to ``load_percent`` for ``seconds`` from ``at_seconds``."""

    at_seconds: float
    seconds: int
    load_percent: int

    def command(self) -> list[str]:
        load = str(self.load_percent)
        return ["stress-ng", "--quiet", "--cpu", "1", "--cpu-load", load, "--timeout", f"{self.seconds}s"]


def steps_of(schedule: Schedule) -> list[Step]:
    """Return steps of whole seconds whose load is the share of the busiest step's requests."""
    width = max(_SHORTEST_STEP_SECONDS, int(np.ceil(schedule.duration_seconds / _MOST_STEPS)))
    count = max(1, int(np.ceil(schedule.duration_seconds / width - 1e-9)))
    requests = np.histogram(schedule.send_at_seconds, count, (0, count * width))[0]
    loads = np.rint(100 * requests / requests.max()).astype(int).tolist()
    return [Step(number * width, width, load) for number, load in enumerate(loads)]


def replay(schedule: Schedule) -> dict[str, Any]:
    """Run the steps and return a report with the same keys as of requests, where `sent` counts steps.

    rate_rmse and rate_wape compare the intended CPU load with the CPU time that the operating system counted.
    """
    if shutil.which("stress-ng") is None:
        raise MissingProgram("stress-ng is NOT on PATH and nothing was run; install it (Debian: stress-ng)")
    steps = steps_of(schedule)
    start = time.monotonic()
    started = [_start(step, start) for step in steps]
    return _report(schedule, steps, np.array([_ended(*each) for each in zip(steps, started, strict=True)]))


def _start(step: Step, start: float) -> tuple[float, int | None]:
    """Return the lag in seconds and the process; a step without load needs none.

    No step waits for the end of the one before, whose few milliseconds of start-up would add up.
    """
    time.sleep(max(0.0, start + step.at_seconds - time.monotonic()))
    lag = time.monotonic() - start - step.at_seconds
    command = step.command()
    return lag, os.posix_spawnp(command[0], command, os.environ) if step.load_percent else None


def _ended(step: Step, started: tuple[float, int | None]) -> tuple[float, float, bool]:
    """Return the lag in seconds, the CPU load as a share of one core, and whether it succeeded."""
    lag, pid = started
    if pid is None:
        return lag, 0.0, True
    _, status, usage = os.wait4(pid, 0)
    return lag, (usage.ru_utime + usage.ru_stime) / step.seconds, status == 0


def _report(schedule: Schedule, steps: list[Step], ran: Floats) -> dict[str, Any]:
    lag, load, succeeded = ran.T
    intended = np.array([step.load_percent for step in steps]) / 100
    nothing = {"p50": None, "p95": None, "p99": None}
    good = int(succeeded.sum())
    return {
        "offered": len(steps),
        "sent": len(steps),
        "succeeded": good,
        "failed": len(steps) - good,
        "late": int((lag > _LATE_AFTER_SECONDS).sum()),
        "late_after_ms": _LATE_AFTER_SECONDS * 1000,
        "rate_rmse": float(np.sqrt(np.mean(((load - intended) / (float(np.ptp(intended)) or 1.0)) ** 2))),
        "rate_wape": float(np.abs(load - intended).sum() / intended.sum()),
        "send_lag_ms_p99": float(np.percentile(lag, 99)) * 1000,
        "latency_ms": nothing,
        "ttft_ms": nothing,
        "verdict": {"met": good == len(steps), "attainment": good / len(steps), "targets": []},
        "failures": {"stress_ng": len(steps) - good} if good < len(steps) else {},
        "series": {
            "at_seconds": [step.at_seconds for step in steps],
            "intended_load": intended.tolist(),
            "measured_load": load.tolist(),
        },
        "engine": "stress",
        "schedule": dict(schedule.provenance),
    }
