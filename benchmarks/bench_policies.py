"""Every autoscaler on every family of traces: what it costs, and what it misses.

Each peer runs with its published defaults and with the best of a small grid found on another trace. The results go to
benchmarks/results/policies.json, from which docs/benchmarks.md is written; the table and the headline come last.
`--quick` takes about two minutes and shows one trace and one scenario.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import policy_report
from cynosure.twin.backtest import ORACLE, Result, pareto, result_of, run_policy
from cynosure.twin.calibration import Bench
from cynosure.twin.policies import POLICIES
from cynosure.twin.simulation import Experiment, simulate
from grids import GRIDS
from policy_cases import FAMILIES, LEADS_SECONDS, PEAK_RPS, SLO, Case, experiment_of, what_goes_wrong

RESULTS = Path(__file__).resolve().parent / "results"
ONE_PARTITION = "cynosure, one partition"
Row = dict[str, Any]
Tuned = dict[str, str]
"""By policy the label of its best setting."""


def tune(case: Case) -> tuple[Case, Tuned]:
    """The cheapest setting that meets the objective, or the one that misses it least."""
    experiment, _ = experiment_of(case)
    return case, {name: _best(name, experiment) for name in GRIDS}


def _best(name: str, experiment: Experiment) -> str:
    targets = experiment.setting.targets
    tried = {
        label: result_of(name, simulate(experiment, make(experiment.setting)), targets)
        for label, make in GRIDS[name].items()
    }
    met = {label: result for label, result in tried.items() if result.is_met}
    if met:
        return min(met, key=lambda label: met[label].outcome.gpu_hours)
    return max(tried, key=lambda label: tried[label].attainment)


def compare(case: Case, tuned: Tuned) -> tuple[Case, dict[str, Any]]:
    begun = time.perf_counter()
    experiment, bench = experiment_of(case)
    results = [(result, "published") for result in _published(experiment, bench)]
    for name, label in tuned.items():
        outcome = simulate(experiment, GRIDS[name][label](experiment.setting))
        results.append((result_of(name, outcome, experiment.setting.targets), label))
    flags = pareto([result for result, _ in results])
    rows = [_row(result, label, flag) for (result, label), flag in zip(results, flags, strict=True)]
    return case, {
        "family": case.family,
        "scenario": case.scenario,
        "lead_seconds": case.lead_seconds,
        "hours": experiment.traffic.seconds / 3600,
        "requests": int(results[0][0].outcome.tally.counts[0]),
        "partition": experiment.setting.partition,
        "replica_rps": experiment.setting.replica_rps,
        "wall_seconds": time.perf_counter() - begun,
        "rows": rows,
    }


def _published(experiment: Experiment, bench: Bench) -> Iterable[Result]:
    own = run_policy("cynosure", experiment, bench)
    yield own
    yield replace(_on_one_partition(experiment, own), policy=ONE_PARTITION)
    for name in (*(name for name in POLICIES if name != "cynosure"), "static", ORACLE):
        yield run_policy(name, experiment, bench)


def _on_one_partition(experiment: Experiment, free: Result) -> Result:
    """What Cynosure does without a choice of partitions: the same, where it never used it."""
    setting = replace(experiment.setting, partitions=(experiment.setting.partition,))
    if set(free.outcome.timeline.partition) <= {"", setting.partition}:
        return free
    outcome = simulate(replace(experiment, setting=setting), POLICIES["cynosure"](setting))
    return result_of("cynosure", outcome, setting.targets)


def _row(result: Result, tuning: str, is_pareto: bool) -> Row:
    return {
        "policy": result.policy,
        "tuning": tuning,
        "attainment": result.attainment,
        "objective_met": result.is_met,
        "gpu_hours": result.outcome.gpu_hours,
        "energy_kwh": result.outcome.energy_kwh,
        "scale_actions": result.outcome.scale_actions,
        "dropped": result.dropped,
        "pareto": is_pareto,
    }


def run(cases: Sequence[Case], tune_hours: float, processes: int) -> Iterator[list[dict[str, Any]]]:
    """Tune first, once for each other trace and lead time; then compare. One process works on one case.

    Yields what is known after each case, in the order of the cases.
    """
    wanted = {case: Case(FAMILIES[case.family].tuned_on, case.lead_seconds, tune_hours) for case in cases}
    found: dict[Case, dict[str, Any]] = {}
    with ProcessPoolExecutor(processes) as pool:
        tuned = dict(_as_done([pool.submit(tune, case) for case in dict.fromkeys(wanted.values())], "tuned"))
        compared = [pool.submit(compare, case, tuned[other]) for case, other in wanted.items()]
        for case, answer in _as_done(compared, "compared"):
            found[case] = answer
            yield [found[case] for case in cases if case in found]


def _as_done(futures: Sequence[Any], what: str) -> Iterable[Any]:
    for n, future in enumerate(as_completed(futures), 1):
        print(f"{what} {n} of {len(futures)}", file=sys.stderr, flush=True)
        yield future.result()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--hours", type=float, default=48.0, help="scored of each trace")
    parser.add_argument("--tune-hours", type=float, default=12.0)
    parser.add_argument("--families", default=",".join(FAMILIES), help="which traces")
    parser.add_argument("--leads", default=",".join(f"{lead:g}" for lead in LEADS_SECONDS), help="lead times, seconds")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=None, help="result file")
    given = parser.parse_args()
    there = [name for name in given.families.split(",") if FAMILIES[name].is_there]
    if not there:
        print("no trace found: the public data is expected in ../shared/data", file=sys.stderr)
        return 2
    cases = [Case(name, float(lead), given.hours) for name in there for lead in given.leads.split(",")]
    cases += what_goes_wrong(min(given.hours, 3.0)) if FAMILIES["azure-conv"].is_there else ()
    if given.quick:
        cases, given.tune_hours = [Case(there[0], 120.0, 1.0), *what_goes_wrong(1.0)[-1:]], 0.25
    begun = time.perf_counter()
    path = given.out or RESULTS / ("policies-quick.json" if given.quick else "policies.json")
    path.parent.mkdir(exist_ok=True)
    answer: dict[str, Any] = {"quick": given.quick, "slo": SLO, "peak_rps": PEAK_RPS, "processes": given.processes}
    for compared in run(cases, given.tune_hours, given.processes):
        answer |= {"wall_seconds": time.perf_counter() - begun, "cases": compared}
        path.write_text(json.dumps(answer, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    policy_report.plot(answer, path.with_suffix(".png"))
    print(policy_report.table(answer))
    print(policy_report.headline(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
