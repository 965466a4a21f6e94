"""Forecasts against every baseline on public series: WAPE, quantile loss and coverage, each from the past only.

The last fifth of a series is forecast from rolling origins by the code that the operator runs; every baseline forecasts
the same steps in the same run. Choices inside the product were made on the series marked *; the others only confirm.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import forecast_baselines as baselines
import forecast_newcomers as newcomers
import numpy as np
from cynosure.forecast.evaluate import Protocol, Scores, evaluate
from cynosure.forecast.fit import Horizon, wape
from cynosure.model.signals import Floats, Series
from forecast_series import DATA, Case, cases, trimmed

ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = ROOT / "benchmarks" / "results" / "forecast.json"
LEADS: Final = {300: (1, 4, 12), 432: (1, 4, 10), 600: (1, 3, 6), 1800: (1, 2, 6), 3600: (1, 3, 6)}
HISTORY_DAYS: Final = 14
LEVELS: Final = (0.5, 0.9, 0.99)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the models of statsforecast (minutes)")
    parser.add_argument("--series", default="", metavar="TEXT", help="only series named so; writes nothing")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"{DATA}: no such folder; the public traces are needed", file=sys.stderr)
        return 2
    began, rows = time.monotonic(), []
    print(f"{'series':29} ahead steps   ours  best baseline           last   loss  0.9    0.99")
    for case in (case for case in cases() if arguments.series in case.name):
        for row in measured(case, quick=arguments.quick):
            rows.append(row)
            print(line(row), flush=True)
    report: dict[str, Any] = {"quick": arguments.quick, "series": rows}
    if not arguments.series:
        report |= {"newcomers": list(newcomers.measured()), "wall_seconds": round(time.monotonic() - began, 1)}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(*newcomers.headlines(report.get("newcomers", [])), *headlines(rows), sep="\n")
    return 0


def measured(case: Case, *, quick: bool) -> Iterable[dict[str, Any]]:
    """One row for each horizon; the baselines forecast all horizons at once."""
    values = trimmed(case.read())
    leads = np.array(LEADS[round(case.step_seconds)])
    origins = np.arange(round(0.8 * len(values)) - leads[-1], len(values))
    methods = (*baselines.quick(case.day_steps, case.step_seconds), *(() if quick else baselines.slow(case.day_steps)))
    said = {method.name: method.paths(values, origins, leads) for method in methods}
    for n, lead in enumerate(leads.tolist()):
        scores = _scores(case, values, lead)
        targets = np.round(scores.times / case.step_seconds).astype(int)
        found = {name: wape(values[targets], paths[targets - lead - origins[0], n]) for name, paths in said.items()}
        yield _row(case, lead, scores, found)


def _scores(case: Case, values: Floats, lead: int) -> Scores:
    known = np.isfinite(values)
    series = Series(np.flatnonzero(known) * case.step_seconds, values[known])
    horizon = Horizon(case.step_seconds, lead * case.step_seconds, 86400.0)
    return evaluate(series, Protocol(horizon, history_steps=HISTORY_DAYS * case.day_steps))


def _row(case: Case, lead: int, scores: Scores, found: dict[str, float]) -> dict[str, Any]:
    coverage = {f"{level:g}": round(scores.coverage(level), 4) for level in LEVELS}
    steps = len(scores.actual)
    return {
        "series": case.name,
        "tuned": case.tuned,
        "step_seconds": case.step_seconds,
        "horizon_steps": lead,
        "steps": steps,
        "wape": round(scores.wape, 4),
        "quantile_loss": round(scores.quantile_loss, 4),
        "coverage": coverage,
        "coverage_within": {f"{q:g}": _within(scores.coverage(q), q, steps) for q in LEVELS[1:]},
        "baselines": {name: round(error, 4) for name, error in found.items()},
        "method_share": {name: round(share, 3) for name, share in scores.method_share.items()},
        "fit_seconds": round(scores.fit_seconds, 4),
    }


def _within(share: float, level: float, steps: int) -> bool:
    """Whether a share of so many steps lies inside the central 99 % of the binomial distribution."""
    hits = np.arange(steps + 1)
    logs = np.array([math.lgamma(steps + 1) - math.lgamma(k + 1) - math.lgamma(steps - k + 1) for k in hits.tolist()])
    below = np.cumsum(np.exp(logs + hits * math.log(level) + (steps - hits) * math.log(1 - level)))
    least, most = np.searchsorted(below, (0.005, 0.995)).tolist()
    return bool(least <= round(share * steps) <= most)


def _best(row: dict[str, Any]) -> tuple[str, float]:
    return min(row["baselines"].items(), key=lambda item: float(item[1]))


def line(row: dict[str, Any]) -> str:
    name, best = _best(row)
    inside = ["" if row["coverage_within"][level] else "!" for level in ("0.9", "0.99")]
    return (
        f"{row['series'] + ('*' if row['tuned'] else ''):29} {row['horizon_steps']:5} {row['steps']:5} "
        f"{row['wape']:6.4f}{' ' if row['wape'] < best else '!'} {name:17} {best:6.4f} "
        f"{row['baselines']['last_value']:6.4f} {row['quantile_loss']:6.4f} "
        f"{row['coverage']['0.9']:.3f}{inside[0]:1} {row['coverage']['0.99']:.3f}{inside[1]}"
    )


def headlines(rows: list[dict[str, Any]]) -> Iterable[str]:
    near = [row for row in rows if row["horizon_steps"] == 1]
    for label, part in (
        ("one step ahead, series that choices were made on", [row for row in near if row["tuned"]]),
        ("one step ahead, series only confirmed on", [row for row in near if not row["tuned"]]),
        ("all horizons, all series", rows),
    ):
        if part:
            yield f"{label}: {_headline(part)}"


def _headline(rows: list[dict[str, Any]]) -> str:
    below = sum(row["wape"] < _best(row)[1] for row in rows)
    ratio = newcomers.geometric_mean(row["wape"] / _best(row)[1] for row in rows)
    inside = [sum(row["coverage_within"][level] for row in rows) for level in ("0.9", "0.99")]
    return (
        f"WAPE below every baseline on {below} of {len(rows)}, in the mean {ratio:.2f} of the best baseline's; "
        f"coverage within 99 % limits on {inside[0]} (0.9) and {inside[1]} (0.99)"
    )


if __name__ == "__main__":
    sys.exit(main())
