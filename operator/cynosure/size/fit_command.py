"""``cynosure size fit``: a ModelProfile for your request lengths, from measured runs with others.

The time per token of a run holds the prefills of other requests as well; the law tells the two apart, since a profile's
point wants the decode step alone.
"""

import argparse
import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cynosure.errors import BadInput
from cynosure.model.mig import geometry_of
from cynosure.model.signals import Floats
from cynosure.size.answer import write_answer
from cynosure.size.service_time import PREFILL_TERM, ServiceTime, Work, prefill_terms, step_terms

COLUMNS = ("concurrency", "input_tokens", "output_tokens", "tpot_ms", "ttft_ms")
_FEWEST = 4
_WIDTH = 1.645
"""Standard deviations to either side that hold 90 % of a normal distribution."""


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=Path, required=True, metavar="FILE", help=f"CSV with {', '.join(COLUMNS)}")
    parser.add_argument("--model", required=True, metavar="NAME", help="what was measured")
    parser.add_argument("--gpu", required=True, metavar="PRODUCT", help="on which GPU, as A100-80GB")
    parser.add_argument("--partition", required=True, metavar="PROFILE", help="and which part of it, as 7g.80gb")
    parser.add_argument("--input-tokens", type=float, required=True, metavar="I", help="of your requests")
    parser.add_argument("--output-tokens", type=float, required=True, metavar="O", help="of your requests")
    parser.add_argument("--load-seconds", type=int, default=60, metavar="S", help="from container start to ready")
    parser.add_argument("--json", action="store_true", help="accepted for uniformity: the profile is JSON anyway")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Runs:
    work: Work
    step_seconds: Floats
    prefill_seconds: Floats


def run(arguments: argparse.Namespace) -> int:
    """Print the profile. :raises BadInput: for what cannot be read or is too little."""
    for name in ("input_tokens", "output_tokens"):
        if not 1 <= getattr(arguments, name) <= 1e7:
            raise BadInput(f"--{name.replace('_', '-')}: got {getattr(arguments, name):g}; must be at least 1")
    if geometry_of(arguments.gpu).profile(arguments.partition) is None:
        known = ", ".join(profile.name for profile in geometry_of(arguments.gpu).profiles)
        raise BadInput(f"--partition: {arguments.gpu} has no {arguments.partition}; it has {known}")
    runs = read_runs(arguments.runs)
    points, error = fitted_points(runs, arguments.input_tokens, arguments.output_tokens)
    place = {"gpu": arguments.gpu, "partition": arguments.partition}
    profile = {
        "model": arguments.model,
        "task": "text-generation",
        "loadSeconds": arguments.load_seconds,
        "provenance": f"Fitted to {len(runs.step_seconds)} runs of {arguments.runs.name} by cynosure size fit; "
        f"each predicted from the others: median error {np.median(error):.1%}, p90 {np.percentile(error, 90):.1%}.",
        "points": [place | point for point in points],
    }
    write_answer(profile, (), as_json=True)
    return 0


def read_runs(path: Path) -> Runs:
    """:raises BadInput: naming file, line and column."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise BadInput(f"{path}: no column {', '.join(missing)}; the header has to name {', '.join(COLUMNS)}")
        table = np.array([[_number(path, rows.line_num, row, name) for name in COLUMNS] for row in rows])
    if len(table) < _FEWEST:
        raise BadInput(f"{path}: {len(table)} runs; a fit needs at least {_FEWEST}, better 10 of several lengths")
    batch, inputs, outputs, step, prefill = table.T
    return Runs(Work.plain(batch, inputs, outputs), step / 1000, prefill / 1000)


def fitted_points(
    runs: Runs, input_tokens: float, output_tokens: float
) -> tuple[list[dict[str, Any]], Sequence[float]]:
    """Return a point for each measured concurrency, and by how much each run's step is missed from the others."""
    step = ServiceTime.fit(step_terms(runs.work), runs.work.places(), runs.step_seconds)
    one = Work.plain(np.ones_like(runs.work.batch), runs.work.input_tokens, np.ones_like(runs.work.batch))
    prefill = ServiceTime.fit(prefill_terms(one), runs.work.places(), runs.prefill_seconds)
    batch = np.unique(np.maximum(1.0, np.rint(runs.work.batch)))
    mine = Work.plain(batch, np.full_like(batch, input_tokens), np.full_like(batch, output_tokens))
    alone = Work.plain(np.ones_like(batch), mine.input_tokens, np.ones_like(batch))
    tpot, deviation = step.seconds(step_terms(mine), mine.places())
    ttft, _ = prefill.seconds(prefill_terms(alone), mine.places())
    decode = tpot * step.share_without(step_terms(mine), PREFILL_TERM)
    rps = batch / (ttft + (output_tokens - 1) * tpot)
    points = [
        {
            "concurrency": int(concurrency),
            "inputTokens": round(input_tokens),
            "outputTokens": round(output_tokens),
            "ttftMilliseconds": f"{1000 * first:.2f}",
            "tpotMilliseconds": f"{1000 * each:.3f}",
            "throughputRps": f"{rate:.3f}",
            "uncertaintyPercent": f"{100 * _WIDTH * sigma:.1f}",
        }
        for concurrency, first, each, rate, sigma in zip(batch, ttft, decode, rps, deviation, strict=True)
    ]
    return points, np.expm1(np.abs(step.residual.left_out)).tolist()


def _number(path: Path, line: int, row: dict[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except (TypeError, ValueError):
        value = math.nan
    if not 0 < value < math.inf:
        raise BadInput(f"{path}, line {line}: {name} is {row[name]!r}; must be a number above 0")
    return value
