"""Runs a comparison and tells its outcome, as a table or as JSON."""

import argparse
import json
import math
import os
import sys
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from cynosure.errors import BadInput
from cynosure.twin.backtest import ORACLE, Result, check_name, front, names
from cynosure.twin.fan_out import run_all
from cynosure.twin.given import experiment_of
from cynosure.twin.seeds import MOST_SEEDS, averaged, with_seeds
from cynosure.twin.tally import OFFERED


def compare(arguments: argparse.Namespace) -> int:
    """Return 1 when ``cynosure`` was asked for and misses the objective, else 0."""
    began, chosen = perf_counter(), _chosen(arguments.policy)
    if not 1 <= arguments.seeds <= MOST_SEEDS:
        raise BadInput(f"--seeds: got {arguments.seeds}; must be from 1 to {MOST_SEEDS}")
    first, bench = experiment_of(arguments)
    experiments = list(with_seeds(first, arguments.seeds))
    wanted = list(dict.fromkeys([*chosen, ORACLE]))
    rows = run_all(wanted, experiments, bench, arguments.processes or os.cpu_count() or 1)
    told = [averaged([told_of(result, arguments.gpu_cost_per_hour) for result in row]) for row in rows]
    oracle = next(one for one in told if one["policy"] == ORACLE)
    shown = [one for one in told if one["policy"] in chosen]
    flags = front([(one["policy"], one["attainment"], one["gpu_hours"]) for one in shown])
    answer = {
        "trace": first.traffic.trace.source,
        "scenario": arguments.scenario,
        "seconds_simulated": first.traffic.seconds,
        "wall_seconds": perf_counter() - began,
        "seed": arguments.seed,
        "seeds": arguments.seeds,
        "profile": first.setting.profile.name,
        "gpu": first.setting.gpu_product,
        "partition": first.setting.partition,
        "replica_rps": first.setting.replica_rps,
        "requests": int(rows[0][0].outcome.tally.counts[OFFERED]),
        "policies": [{**one, "pareto": flag} for one, flag in zip(shown, flags, strict=True)],
        "oracle": {"gpu_hours": oracle["gpu_hours"], "attainment": oracle["attainment"]},
    }
    if arguments.json:
        sys.stdout.write(json.dumps(answer, allow_nan=False) + "\n")
    else:
        _print(answer)
    return int(any(one["policy"] == "cynosure" and not one["objective_met"] for one in told))


def _chosen(text: str) -> tuple[str, ...]:
    asked = names() if text.strip() == "all" else tuple(dict.fromkeys(n.strip() for n in text.split(",") if n.strip()))
    if not asked:
        raise BadInput(f"--policy: nothing to compare; there are {', '.join(names())}")
    for name in asked:
        check_name(name)
    return asked


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
