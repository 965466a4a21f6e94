"""How often a diagnosis names the right cause first, and how often it cries without one.

Every fault is injected into a service that the twin simulates, alone and in pairs, as it is and with noise in what is
measured. Beside it the same evidence goes to plain alerts: fixed thresholds on the newest samples, the first that fires
being taken for the textbook cause of that alert. Then whole healthy weeks of varied traffic are watched minute by
minute. Results go to benchmarks/results/diagnosis.json; the figures are last.

    bench_diagnosis.py [--runs 3] [--pairs 2] [--weeks 4] [--processes 2]
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cynosure.diagnose import Evidence, Finding, diagnose
from diagnosis_alerts import alerts
from diagnosis_faults import FAULTS, Fault, healthy, noisy
from diagnosis_report import diagnosis_headline
from diagnosis_worlds import Watched, World, days, watch

RESULT = Path(__file__).resolve().parent / "results" / "diagnosis.json"
SEED = 4242
WEEK_MINUTES = 7 * 1440
_STANDS_SECONDS = 7200.0
"""From the start of a fault: by then it has been seen in full windows."""
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="of each fault, clean and noisy (default: 3)")
    parser.add_argument("--pairs", type=int, default=2, help="of faults, for each world (default: 2)")
    parser.add_argument("--weeks", type=int, default=4, help="of healthy services (default: 4)")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    began = time.perf_counter()
    groups = list(_groups(arguments.runs, arguments.pairs))
    with ProcessPoolExecutor(arguments.processes) as pool:
        rows = [row for found in pool.map(_group, groups) for row in found]
        healthy_weeks: list[Row] = []
        answer = _written(rows, healthy_weeks, began)
        for week in pool.map(_week, range(arguments.weeks)):
            healthy_weeks.append(week)
            answer = _written(rows, healthy_weeks, began)
    for row in answer["wrong"]:
        print(f"{' + '.join(row['faults'])} {row['how']}: {', '.join(row['found']) or 'nothing'}; {row['fix']}")
    for name, score in answer["scores"].items():
        print(f"{name}: {score}")
    for week in healthy_weeks:
        print(week)
    print(diagnosis_headline(answer))
    return 0


def _written(rows: list[Row], weeks: list[Row], began: float) -> Row:
    """After each week anew, so that a run that is cut short has told what it knows."""
    kinds = [(kind, how) for kind in ("single", "pair") for how in ("clean", "noisy")]
    answer: Row = {
        "wall_seconds": time.perf_counter() - began,
        "faults": len(FAULTS),
        "scores": {f"{kind}, {how}": _score(rows, kind, how) for kind, how in kinds},
        "weeks": weeks,
        "wrong": [row for row in rows if not row["cause_right"] or not row["fix_right"]],
    }
    RESULT.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    return answer


Names = tuple[str, ...]


def _groups(runs: int, pairs: int) -> Iterator[tuple[str | None, int, list[Names]]]:
    """The cases of each world; in the healthy one only what is told changes.

    Two faults of the world itself, or two of one kind, would unmake each other.
    """
    told = [name for name, fault in FAULTS.items() if not fault.is_dynamic]
    for run in range(runs):
        for number, world in enumerate([None, *(name for name, fault in FAULTS.items() if fault.is_dynamic)]):
            rng = np.random.default_rng([SEED, 1, run, number])
            alone: list[Names] = [(name,) for name in told] if world is None else [(world,)]
            yield world, run, alone + [_pair(world, told, rng) for _ in range(pairs * (1 if world else 8))]


def _pair(world: str | None, told: list[str], rng: np.random.Generator) -> Names:
    while True:
        one = world or str(rng.choice(told))
        other = str(rng.choice(told))
        if FAULTS[one].kind != FAULTS[other].kind:
            return one, other


def _group(group: tuple[str | None, int, list[Names]]) -> list[Row]:
    name, run, cases = group
    rng = np.random.default_rng([SEED, 2, run, 0 if name is None else 1 + list(FAULTS).index(name)])
    world = healthy(rng)
    watched = watch(FAULTS[name].world(world, rng) if name else world, from_seconds=_STANDS_SECONDS)
    return [_judged([FAULTS[n] for n in names], watched, how, rng) for names in cases for how in ("clean", "noisy")]


def _judged(faults: Sequence[Fault], watched: Watched, how: str, rng: np.random.Generator) -> Row:
    """The first moment at which anything is found, once the fault has stood for a while."""
    found: tuple[Finding, ...] = ()
    alerted: list[str] = []
    for _, moment in watched.moments:
        evidence = _told(moment, faults, how, rng)
        alerted = alerted or alerts(evidence)
        found = diagnose(evidence)
        if found:
            break
    causes = [finding.cause.value for finding in found]
    right = bool(causes) and causes[0] in {fault.cause for fault in faults}
    own = next((fault for fault in faults if causes and fault.cause == causes[0]), None)
    return {
        "faults": [fault.cause for fault in faults],
        "how": how,
        "found": causes,
        "fix": str(found[0].fix)[:200] if found else "",
        "cause_right": right,
        "fix_right": own is not None and own.mends(found[0].fix, watched),
        "all_found": {fault.cause for fault in faults} <= set(causes),
        "only_those": set(causes) <= {fault.cause for fault in faults},
        "alert_right": bool(alerted) and alerted[0] in {fault.cause for fault in faults},
    }


def _told(evidence: Evidence, faults: Sequence[Fault], how: str, rng: np.random.Generator) -> Evidence:
    for fault in faults:
        evidence = fault.touch(evidence, rng)
    return noisy(evidence, rng) if how == "noisy" else evidence


def _score(rows: list[Row], kind: str, how: str) -> Row:
    of = [row for row in rows if (len(row["faults"]) == 1) == (kind == "single") and row["how"] == how]
    names = ("cause_right", "fix_right", "all_found", "only_those", "alert_right")
    return {"cases": len(of), **{name: round(float(np.mean([row[name] for row in of])), 4) for name in names}}


def _week(number: int) -> Row:
    """A service that is as it should be, with noise in every second week. An alarm is a cause that is new."""
    rng = np.random.default_rng([SEED, 3, number])
    load = days(rng, 2 * 1440 + WEEK_MINUTES, float(rng.uniform(10, 40)))
    world = World(load, number, float(rng.uniform(30, 180)))
    watched = watch(world, every_minutes=2, from_seconds=600.0)
    told: list[tuple[float, str]] = []
    known: frozenset[str] = frozenset()
    rung, ringing = 0, False
    for at, moment in watched.moments:
        evidence = replace(noisy(moment, rng), pods=moment.pods) if number % 2 else moment
        causes = frozenset(finding.cause.value for finding in diagnose(evidence))
        told += [(at, cause) for cause in sorted(causes - known)]
        known = causes
        rings = bool(alerts(evidence))
        rung, ringing = rung + (rings and not ringing), rings
    steps = watched.watcher.steps
    requests = sum(step.requests for step in steps) / len({step.target for step in steps})
    return {
        "week": number,
        "noisy": bool(number % 2),
        "requests": round(requests),
        "attained": round(1 - sum(s.missed for s in steps) / max(sum(s.requests for s in steps), 1.0), 5),
        "alarms": len(told),
        "told": told[:20],
        "alarms_of_alerts": rung,
    }


if __name__ == "__main__":
    sys.exit(main())
