"""The outcome of bench_policies as a table, a plot and a sentence."""

from collections.abc import Iterable, Mapping, Sequence
from math import log10
from pathlib import Path
from statistics import median
from typing import Any

Row = Mapping[str, Any]
Case = Mapping[str, Any]
Answer = Mapping[str, Any]

OWN = ("cynosure", "cynosure, one partition")
NOT_PEERS = (*OWN, "static", "oracle")
_LEAST_MISSED = 1e-4


def row_of(case: Case, policy: str) -> Row:
    return next(row for row in case["rows"] if row["policy"] == policy)


def peers(case: Case, *, tuned: bool) -> list[Row]:
    return [r for r in case["rows"] if r["policy"] not in NOT_PEERS and (r["tuning"] != "published") == tuned]


def cheapest(rows: Iterable[Row]) -> Row | None:
    """Of those that meet the objective."""
    return min((row for row in rows if row["objective_met"]), key=lambda row: row["gpu_hours"], default=None)


def at_least_as_good(case: Case, policy: str) -> list[Row]:
    """Peers, tuned or not, that neither miss more nor cost more."""
    own = row_of(case, policy)
    rows = peers(case, tuned=False) + peers(case, tuned=True)
    return [r for r in rows if r["attainment"] >= own["attainment"] and r["gpu_hours"] <= own["gpu_hours"]]


def saving(case: Case, policy: str, *, tuned: bool) -> float | None:
    """Share of the GPU-hours of the cheapest peer that meets the objective; None where there is none."""
    best = cheapest(peers(case, tuned=tuned))
    return 1 - row_of(case, policy)["gpu_hours"] / best["gpu_hours"] if best else None


def table(answer: Answer) -> str:
    lines = []
    for case in answer["cases"]:
        oracle = row_of(case, "oracle")["gpu_hours"]
        lines.append(
            f"\n{case['family']}, {case['scenario']}, lead {case['lead_seconds']:g} s, {case['requests']:,} requests"
        )
        lines.append(f"  {'policy':<24}{'attainment':>11}{'GPU-hours':>11}{'x oracle':>10}{'changes':>9}  setting")
        for row in sorted(case["rows"], key=lambda row: row["gpu_hours"]):
            missed = " " if row["objective_met"] else "-"
            lines.append(
                f"{missed} {row['policy']:<24}{row['attainment']:>11.3%}{row['gpu_hours']:>11.2f}"
                f"{row['gpu_hours'] / oracle:>10.2f}{row['scale_actions']:>9}  {row['tuning']}"
            )
    return "\n".join(lines) + "\n(- misses the objective)"


def headline(answer: Answer) -> str:
    return "\n".join(_sentence(answer["cases"], policy) for policy in OWN)


def _sentence(cases: Sequence[Case], policy: str) -> str:
    met = sum(row_of(case, policy)["objective_met"] for case in cases)
    ratios = [row_of(case, policy)["gpu_hours"] / row_of(case, "oracle")["gpu_hours"] for case in cases]
    beaten = sum(bool(at_least_as_good(case, policy)) for case in cases)
    return (
        f"{policy}: objective met in {met} of {len(cases)} cases, at a median of {median(ratios):.2f} x the oracle's "
        f"GPU-hours; {_median(cases, policy, tuned=False)} than the cheapest peer that meets it with its defaults, "
        f"{_median(cases, policy, tuned=True)} than the cheapest tuned one; "
        f"in {beaten} cases a peer is at least as good in both"
    )


def _median(cases: Sequence[Case], policy: str, *, tuned: bool) -> str:
    found = [s for case in cases if (s := saving(case, policy, tuned=tuned)) is not None]
    if not found:
        return "(none meets it) not comparable"
    return f"{abs(median(found)):.0%} {'fewer' if median(found) >= 0 else 'more'}"


def plot(answer: Answer, path: Path) -> None:
    """What is missed against GPU-hours in units of the oracle's, one panel for each case; better is up and left."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    cases, columns = answer["cases"], 3
    rows = -(-len(cases) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(15, 4 * rows), squeeze=False)
    for axis, case in zip(axes.flat, cases, strict=False):
        _panel(axis, case)
    for axis in axes.flat[len(cases) :]:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _panel(axis: Any, case: Case) -> None:
    """A star is Cynosure, a circle a peer with its defaults, a triangle a tuned one; names stand at the frontier."""
    oracle, named = row_of(case, "oracle")["gpu_hours"], set[tuple[float, float]]()
    for row in sorted(case["rows"], key=lambda row: row["policy"] not in OWN):
        tuned, own = row["tuning"] != "published", row["policy"] in OWN
        place = (row["gpu_hours"] / oracle, 100 * max(1 - row["attainment"], _LEAST_MISSED))
        axis.plot(*place, marker="*" if own else "^" if tuned else "o", color="C3" if own else "C0" if tuned else "C7")
        spot = (round(place[0], 1), round(log10(place[1]), 1))
        if (row["pareto"] or own or row["policy"] == "oracle") and spot not in named:
            axis.annotate(row["policy"], place, fontsize=7, xytext=(4, 3), textcoords="offset points")
            named.add(spot)
    axis.axhline(1, color="0.8", linewidth=0.8)
    axis.set_yscale("log")
    axis.set_ylim(150, 70 * _LEAST_MISSED)
    axis.set_title(f"{case['family']}, {case['scenario']}, lead {case['lead_seconds']:g} s", fontsize=9)
    axis.set_xlabel("GPU-hours / oracle's", fontsize=8)
    axis.set_ylabel("requests that miss the SLO, %", fontsize=8)
    axis.set_xlim(0.5, 3.0)
