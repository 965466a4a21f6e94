"""One policy in detail: what it wanted, why, and what became of it."""

import argparse
import csv
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cynosure.twin.backtest import Result, check_name, run_policy
from cynosure.twin.comparison import told_of
from cynosure.twin.given import experiment_of
from cynosure.twin.simulation import Timeline

Row = dict[str, Any]


def run_one(arguments: argparse.Namespace) -> int:
    """Return 1 when the objective is missed, else 0."""
    check_name(arguments.policy)
    experiment, bench = experiment_of(arguments)
    result = run_policy(arguments.policy, experiment, bench)
    rows = list(rows_of(result.outcome.timeline, experiment.setting.partition))
    if arguments.timeline is not None:
        _write(rows, arguments.timeline)
    if arguments.json:
        answer = {**told_of(result, arguments.gpu_cost_per_hour), "seed": arguments.seed, "timeline": rows}
        sys.stdout.write(json.dumps(answer, allow_nan=False) + "\n")
    else:
        sys.stdout.writelines(_lines(rows, result))
    return 0 if result.is_met else 1


def rows_of(timeline: Timeline, partition: str) -> Iterator[Row]:
    """One for each time that the policy was asked; ``attainment`` is None where no request finished."""
    for n, at in enumerate(timeline.at_seconds.tolist()):
        attainment = float(timeline.attainment[n])
        partition = timeline.partition[n] or partition
        yield {
            "at_seconds": at,
            "arrival_rps": float(timeline.arrival_rps[n]),
            "partition": partition,
            "wanted": int(timeline.wanted[n]),
            "ready": int(timeline.ready[n]),
            "attainment": attainment if math.isfinite(attainment) else None,
            "reason": timeline.reason[n],
        }


def _write(rows: list[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _lines(rows: list[Row], result: Result) -> Iterator[str]:
    """The decisions that changed something, and the sum."""
    before: tuple[str, int] | None = None
    for row in rows:
        if (row["partition"], row["wanted"]) != before:
            before = row["partition"], row["wanted"]
            yield (
                f"{row['at_seconds']:9.0f} s {row['arrival_rps']:8.1f} rps  {row['wanted']:3d} x {row['partition']}  "
                f"{row['reason']}\n"
            )
    yield (
        f"{result.policy}: {result.attainment:.2%} within the SLO, {result.outcome.gpu_hours:.2f} GPU-hours, "
        f"{result.outcome.energy_kwh:.2f} kWh, {result.outcome.scale_actions} changes, {result.dropped} dropped\n"
    )
