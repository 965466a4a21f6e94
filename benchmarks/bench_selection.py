"""Which solver for which fleet: does learning to choose beat a rule, or the single best?

`label` runs every configuration on every instance (half an hour on one shared core; what is labelled already is kept),
`train` learns to choose and evaluates on what was held out, at random and by family. Without a part: both. Times are
of CPU, on one thread. The result is benchmarks/results/selection.json; the figures come last.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "selection.json"

from selection_instances import FEATURES, features_of, instance_of  # noqa: E402
from selection_labels import Label, label, read_labels, write_labels  # noqa: E402
from selection_models import at_random, by_family, configurations, evaluate, is_solved, proven, score, table_of  # noqa: E402
from selection_solvers import LIMIT_SECONDS  # noqa: E402

_AGAIN = 60


def repeated(labels: Mapping[str, Label]) -> dict[str, Any]:
    """Label some again: how often is what was best once the best again? No choice can be right more often."""
    some = list(labels)[:: max(1, len(labels) // _AGAIN)]
    again = {key: label(instance_of(key), {}) for key in some}
    both = [key for key in some if is_solved(labels[key]) and is_solved(again[key])]
    first, second = table_of({key: labels[key] for key in both}), table_of({key: again[key] for key in both})
    return score("best of another run", second, first.best) | {"instances": len(both)}


def feature_milliseconds(keys: Sequence[str]) -> float:
    instances = [instance_of(key) for key in keys]
    began = process_time()
    for instance in instances:
        features_of(instance)
    return 1000 * (process_time() - began) / len(instances)


def result_of(labels: Mapping[str, Label]) -> dict[str, Any]:
    table = table_of(labels)
    return {
        "instances": len(labels),
        "families": dict(Counter(each.family for each in labels.values())),
        "limit_seconds": LIMIT_SECONDS,
        "solved_by_any": len(table.families) / len(labels),
        "proven": proven(labels),
        "features": len(FEATURES),
        "feature_ms": feature_milliseconds(list(labels)[::10]),
        "configurations": configurations(table),
        "at_random": evaluate(table, at_random(table)),
        "by_family": evaluate(table, by_family(table)),
        "again": repeated(labels),
    }


def told(result: dict[str, Any]) -> list[str]:
    lines = []
    for split in ("configurations", "at_random", "by_family"):
        lines.append(f"{split}:")
        for row in result[split]:
            figures = f"right {row['right']:.3f}, as good {row['as_good']:.3f}, solved {row['solved']:.3f}"
            lines.append(
                f"  {row['way']:28} {figures}, {row['seconds']:.1f} s, {row['to_virtual_best']:.2f} x virtual best"
            )
    ways = {row["way"]: row["to_virtual_best"] for row in result["by_family"]}
    lines.append("; ".join(f"{way} {ratio:.2f} x virtual best" for way, ratio in ways.items()))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("part", nargs="?", choices=("label", "train", "all"), default="all")
    parser.add_argument("--labels", type=Path, default=ROOT / "build" / "selection-labels.jsonl", metavar="FILE")
    parser.add_argument("--share", type=float, default=1.0, metavar="P", help="of the 2,010 instances (default: 1)")
    arguments = parser.parse_args()
    if arguments.part != "train":
        arguments.labels.parent.mkdir(parents=True, exist_ok=True)
        for number, key in enumerate(write_labels(arguments.labels, arguments.share)):
            if number % 100 == 99:
                print(f"{number + 1} labelled, last {key}", file=sys.stderr)
    if arguments.part != "label":
        result = result_of(read_labels(arguments.labels))
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print("\n".join(told(result)))


if __name__ == "__main__":
    main()
