"""Writes docs/benchmarks.md from the result files in benchmarks/results; a file that is not there has no section."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from diagnosis_report import diagnosis_headline
from policy_report import OWN, at_least_as_good, cheapest, headline, peers, row_of, saving
from selection_report import selections
from traffic_report import traffic

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
Answer = Mapping[str, Any]


def policies(answer: Answer) -> Iterable[str]:
    cases = answer["cases"]
    yield "## Autoscalers (`make bench-policies`)\n"
    requests = sum(case["requests"] for case in cases)
    yield (
        f"{len(cases)} cases, {requests:,} requests for each policy, SLO `{answer['slo']}`, loads scaled to a peak of "
        f"{answer['peak_rps']:g} rps; {answer['wall_seconds'] / 60:.0f} minutes in {answer['processes']} process(es). "
        "Every policy gets the same requests, lead time and limits; peers run with their published defaults and with "
        "the best of a [small grid](../benchmarks/grids.py) found on another trace ([what each peer does](peers.md)). "
        "The oracle knows the future. A full run scores 48 h of each trace at three lead times; `hours` says what this "
        "one did.\n"
    )
    yield headline(answer) + "\n"
    yield from _overview(cases)
    yield from _by_policy(cases)
    yield "\n![attainment against GPU-hours](../benchmarks/results/policies.png)\n"
    for case in cases:
        yield from _case(case)


def _overview(cases: list[Any]) -> Iterable[str]:
    yield "| case | hours | oracle GPU-h | Cynosure | attained | best default | saved | best tuned | saved | as good |"
    yield "|---|--:|--:|--:|--:|---|--:|---|--:|--:|"
    for case in cases:
        own, oracle = row_of(case, OWN[0]), row_of(case, "oracle")["gpu_hours"]
        cells = [
            _name(case),
            f"{case['hours']:.0f}",
            f"{oracle:.1f}",
            f"{own['gpu_hours'] / oracle:.2f} x",
            _share(own),
        ]
        for tuned in (False, True):
            best, part = cheapest(peers(case, tuned=tuned)), saving(case, OWN[0], tuned=tuned)
            told = f"{best['policy']} {best['gpu_hours'] / oracle:.2f} x" if best else "none meets it"
            cells += [told, "" if part is None else f"{part:.0%}"]
        yield _line([*cells, str(len(at_least_as_good(case, OWN[0])) or "-")])


def _by_policy(cases: list[Any]) -> Iterable[str]:
    yield "\n| policy | defaults: objective met | x oracle, median | tuned: objective met | x oracle, median |"
    yield "|---|--:|--:|--:|--:|"
    for policy in dict.fromkeys(row["policy"] for row in cases[0]["rows"]):
        cells = [policy]
        for tuned in (False, True):
            rows = [(c, r) for c in cases for r in c["rows"] if r["policy"] == policy]
            rows = [(c, r) for c, r in rows if (r["tuning"] != "published") == tuned]
            ratios = [r["gpu_hours"] / row_of(c, "oracle")["gpu_hours"] for c, r in rows]
            met = sum(r["objective_met"] for _, r in rows)
            cells += [f"{met} of {len(rows)}", f"{median(ratios):.2f}"] if rows else ["", ""]
        yield _line(cells)


def _case(case: Any) -> Iterable[str]:
    oracle = row_of(case, "oracle")["gpu_hours"]
    yield f"\n<details><summary>{_name(case)}: {case['requests']:,} requests, {case['partition']}</summary>\n"
    yield "| policy | setting | attained | GPU-hours | x oracle | kWh | changes | Pareto |"
    yield "|---|---|--:|--:|--:|--:|--:|---|"
    for row in sorted(case["rows"], key=lambda row: row["gpu_hours"]):
        yield _line(
            [
                row["policy"],
                row["tuning"],
                _share(row),
                f"{row['gpu_hours']:.2f}",
                f"{row['gpu_hours'] / oracle:.2f}",
                f"{row['energy_kwh']:.2f}",
                str(row["scale_actions"]),
                "yes" if row["pareto"] else "",
            ]
        )
    yield "\n</details>"


def forecasts(answer: Answer) -> Iterable[str]:
    yield "## Forecasts (`make bench-forecast`)\n"
    yield (
        f"WAPE on the last fifth of each public series, from the past only; {answer['wall_seconds'] / 60:.0f} minutes. "
        "Choices inside the product were made on the series marked \\*; the others only confirm them. Coverage is the "
        "share of values at or below the quantile, ! where it is outside the binomial 99 % interval.\n"
    )
    yield "| series | steps ahead | ours | best baseline | | last value | cover 0.9 | cover 0.99 |"
    yield "|---|--:|--:|--:|---|--:|--:|--:|"
    ratios = []
    for row in answer["series"]:
        name, best = min(row["baselines"].items(), key=lambda item: float(item[1]))
        ratios.append(row["wape"] / best)
        cover = [f"{row['coverage'][q]:.3f}{'' if row['coverage_within'][q] else ' !'}" for q in ("0.9", "0.99")]
        star = "\\*" if row["tuned"] else ""
        last = f"{row['baselines']['last_value']:.4f}"
        figures = [str(row["horizon_steps"]), f"{row['wape']:.4f}", f"{best:.4f}", name, last, *cover]
        yield _line([row["series"] + star, *figures])
    yield f"\nOurs over the best baseline of each row: {median(ratios):.2f} in the median.\n"
    yield from _newcomers(answer.get("newcomers", []))


def _newcomers(rows: list[Any]) -> Iterable[str]:
    if not rows:
        return
    yield "Services that are new, each in turn beside the others of its fleet; error as a share of the last value's:\n"
    yield "| fleet | services | steps of history | steps ahead | alone | borrowing | cover 0.9 |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for row in rows:
        counts = [str(row[key]) for key in ("services", "history_steps", "horizon_steps")]
        figures = [f"{row['alone']:.3f}", f"{row['borrowing']:.3f}", f"{row['coverage']['0.9']:.3f}"]
        yield _line([row["fleet"], *counts, *figures])
    yield ""


def diagnoses(answer: Answer) -> Iterable[str]:
    yield "## Diagnoses (`make bench-diagnosis`)\n"
    yield (
        f"{answer['faults']} kinds of faults, alone and in pairs, injected into services that the twin simulates, or "
        "into what the API server and Prometheus say of them; with and without noise (lost scrapes, a gap of minutes, "
        "rates and queues that scatter, pods that restarted once). A fault has stood for two hours when it is looked "
        "for; "
        "the first findings count. A fix is right when it names the right directive or field, with a number that is "
        "enough by what the twin measured. The alerts beside it have fixed thresholds on the newest minutes and stand "
        "for their textbook causes. Faults and rules share no threshold; that an object says `OOMKilled` is known to "
        "both.\n"
    )
    yield diagnosis_headline(answer) + "\n"
    yield "| cases | n | right cause first | right fix | all found | nothing else found | plain alerts |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for name, score in answer["scores"].items():
        names = ("cause_right", "fix_right", "all_found", "only_those", "alert_right")
        yield _line([name, str(score["cases"]), *(f"{score[each]:.1%}" for each in names)])
    yield from _healthy_weeks(answer["weeks"])
    wrong = [row for row in answer["wrong"] if not row["cause_right"]]
    if wrong:
        yield "\nWrong: " + "; ".join(_wrong(row) for row in wrong) + ".\n"


def _healthy_weeks(weeks: list[Any]) -> Iterable[str]:
    if not weeks:
        return
    yield "\n| healthy week | noise | requests | within each target | false alarms | of plain alerts |"
    yield "|---|---|--:|--:|--:|--:|"
    for week in weeks:
        told = "yes" if week["noisy"] else ""
        figures = [
            f"{week['requests']:,}",
            f"{week['attained']:.2%}",
            str(week["alarms"]),
            str(week["alarms_of_alerts"]),
        ]
        yield _line([str(week["week"]), told, *figures])


def _wrong(row: Any) -> str:
    return f"{' + '.join(row['faults'])} ({row['how']}) was called {row['found'][0] if row['found'] else 'nothing'}"


SECTIONS: Mapping[str, Callable[[Answer], Iterable[str]]] = {
    "policies.json": policies,
    "forecast.json": forecasts,
    "diagnosis.json": diagnoses,
    "traffic.json": traffic,
    "selection.json": selections,
}


def _name(case: Any) -> str:
    scenario = "" if case["scenario"] == "plain" else f", {case['scenario']}"
    return f"{case['family']}{scenario}, lead {case['lead_seconds']:g} s"


def _share(row: Any) -> str:
    return f"{row['attainment']:.2%}" + ("" if row["objective_met"] else " missed")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def page() -> str:
    parts = ["# Benchmarks\n", "Written by `benchmarks/write_docs.py` from `benchmarks/results`; do not edit.\n"]
    for name, section in SECTIONS.items():
        file = RESULTS / name
        if file.is_file():
            parts.extend(section(json.loads(file.read_text(encoding="utf-8"))))
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
