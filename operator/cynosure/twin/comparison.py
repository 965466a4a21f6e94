"""Runs a comparison and tells its outcome, as a table or as JSON."""

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cynosure.errors import BadInput
from cynosure.twin.backtest import ORACLE, Result, check_name, names, pareto, run_policy
from cynosure.twin.calibration import Bench
from cynosure.twin.given import experiment_of
from cynosure.twin.simulation import Experiment


def compare(arguments: argparse.Namespace) -> int:
    """Return 1 when ``cynosure`` was asked for and misses the objective, else 0."""
    began, chosen = perf_counter(), _chosen(arguments.policy)
    experiment, bench = experiment_of(arguments)
    results = _results(chosen, experiment, bench, arguments.processes or os.cpu_count() or 1)
    oracle = next(result for result in results if result.policy == ORACLE)
    shown = [result for result in results if result.policy in chosen]
    answer = {
        "trace": experiment.traffic.trace.source,
        "scenario": arguments.scenario,
        "seconds_simulated": experiment.traffic.seconds,
        "wall_seconds": perf_counter() - began,
        "seed": arguments.seed,
        "profile": experiment.setting.profile.name,
        "gpu": experiment.setting.gpu_product,
        "partition": experiment.setting.partition,
        "replica_rps": experiment.setting.replica_rps,
        "requests": int(oracle.outcome.tally.counts[0]),
        "policies": [
            {**told_of(result, arguments.gpu_cost_per_hour), "pareto": flag}
            for result, flag in zip(shown, pareto(shown), strict=True)
        ],
        "oracle": {"gpu_hours": oracle.outcome.gpu_hours, "attainment": oracle.attainment},
    }
    if arguments.json:
        sys.stdout.write(json.dumps(answer, allow_nan=False) + "\n")
    else:
        _print(answer)
    return int(any(result.policy == "cynosure" and not result.is_met for result in results))


def _chosen(text: str) -> tuple[str, ...]:
    asked = names() if text.strip() == "all" else tuple(dict.fromkeys(n.strip() for n in text.split(",") if n.strip()))
    if not asked:
        raise BadInput(f"--policy: nothing to compare; there are {', '.join(names())}")
    for name in asked:
        check_name(name)
    return asked


def _results(chosen: Sequence[str], experiment: Experiment, bench: Bench, processes: int) -> list[Result]:
    """Each policy in a process of its own; their order, and what they find, do not depend on how many there are."""
    wanted = list(dict.fromkeys([*chosen, ORACLE]))
    with (
        Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar,
        ProcessPoolExecutor(min(processes, len(wanted))) as pool,
    ):
        task = bar.add_task("simulating", total=len(wanted))
        runs = [pool.submit(run_policy, name, experiment, bench) for name in wanted]
        for run in runs:
            run.add_done_callback(lambda _: bar.advance(task))
        return [run.result() for run in runs]


def told_of(result: Result, gpu_cost_per_hour: float) -> dict[str, Any]:
    """The result of one policy in numbers; None where nothing was measured."""
    outcome = result.outcome
    return {
        "policy": result.policy,
        "attainment": result.attainment,
        "objective_met": result.is_met,
        "goodput_rps": result.goodput_rps,
        "gpu_hours": outcome.gpu_hours,
        "cost": outcome.gpu_hours * gpu_cost_per_hour,
        "energy_kwh": outcome.energy_kwh,
        **{name: value if math.isfinite(value) else None for name, value in result.percentiles.items()},
        "scale_actions": outcome.scale_actions,
        "dropped": result.dropped,
    }


def _print(answer: dict[str, Any]) -> None:
    hours = answer["seconds_simulated"] / 3600
    load = f"{answer['requests']:,} requests in {hours:.1f} h"
    table = Table(title=f"{load} on {answer['gpu']}, profile {answer['profile']}")
    for heading in ("policy", "attainment", "GPU-hours", "x oracle", "kWh", "TTFT p95 ms", "changes", "Pareto"):
        table.add_column(heading, justify="left" if heading == "policy" else "right")
    for told in answer["policies"]:
        ttft = told["ttft_p95_ms"]
        table.add_row(
            told["policy"],
            f"{told['attainment']:.2%}" + ("" if told["objective_met"] else " missed"),
            f"{told['gpu_hours']:.2f}",
            f"{told['gpu_hours'] / answer['oracle']['gpu_hours']:.2f}",
            f"{told['energy_kwh']:.2f}",
            "-" if ttft is None else f"{ttft:.0f}",
            str(told["scale_actions"]),
            "yes" if told["pareto"] else "",
        )
    Console().print(table)
