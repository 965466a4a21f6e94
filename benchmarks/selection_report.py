"""The section of docs/benchmarks.md on the choice of a solver."""

from collections.abc import Iterable, Mapping
from typing import Any


def selections(answer: Mapping[str, Any]) -> Iterable[str]:
    yield "## Choosing the solver (`make bench-selection`)\n"
    yield (
        f"{answer['instances']:,} fleets of {len(answer['families'])} families, 5 to 300 GPUs, at most "
        f"{answer['limit_seconds']:g} s each. Solved: as many partitions placed as by anybody, on at most 1 % more "
        f"GPUs than anybody needs, in time; {answer['proven']:.1%} of the best answers are proven to be that close to "
        "the optimum. Times are of CPU on one thread; what is not solved counts twice the limit. Right: at most 5 % "
        "slower than the quickest that solves it; as good: or at most 1 ms.\n"
    )
    yield "Each configuration by itself; the chains run several in turn and are not chosen from:\n"
    yield from _table(answer["configurations"], "median_ms")
    for split, title in (("at_random", "a fifth at random"), ("by_family", "one family at a time")):
        yield f"\nChosen for what was held out, {title}:\n"
        yield from _table(answer[split])
    again = answer["again"]
    yield (
        f"\nWhat was best in one run is right in {again['right']:.0%} of {again['instances']} fleets that were "
        f"labelled again, and as good in {again['as_good']:.0%}: no choice can be right much more often. Counting the "
        f"{answer['features']} features takes {answer['feature_ms']:.1f} ms a fleet, which is not in the times.\n"
    )


def _table(rows: Iterable[Mapping[str, Any]], median: str | None = None) -> Iterable[str]:
    yield "| | right | as good | solved | seconds | x virtual best |" + (" median ms if solved |" if median else "")
    yield "|---|--:|--:|--:|--:|--:|" + ("--:|" if median else "")
    for row in rows:
        figures = [f"{row[key]:.1%}" for key in ("right", "as_good", "solved")]
        cells = [row["way"], *figures, f"{row['seconds']:.1f}", f"{row['to_virtual_best']:.2f}"]
        yield f"| {' | '.join([*cells, *([f'{row[median]:.1f}'] if median else [])])} |"
