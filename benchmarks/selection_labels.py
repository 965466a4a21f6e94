"""Labels: every configuration is run on every instance, once; kept in a file outside the repository."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from selection_instances import FAMILIES, Instance, features_of, instance_of
from selection_solvers import CONFIGURATIONS, Run, run, warm

COUNTS: Mapping[str, int] = {
    "fixed": 320,
    "small": 320,
    "rates": 170,
    "flat": 180,
    "mixed": 300,
    "tight": 160,
    "standing": 320,
    "products": 240,
}
"""Fewer of the families whose runs often take all the time that they get."""


@dataclass(frozen=True, slots=True)
class Label:
    family: str
    features: list[float]
    runs: Mapping[str, Run]


def plan(share: float) -> list[str]:
    """Return the keys of all instances; each family is spread over the whole, so that a part of it has all of them."""
    counts = {family: max(1, round(count * share)) for family, count in COUNTS.items()}
    assert counts.keys() == FAMILIES.keys()
    places = [((number + 0.5) / count, family, number) for family, count in counts.items() for number in range(count)]
    return [f"{family}/{number}" for _, family, number in sorted(places)]


def label(instance: Instance, known: Mapping[str, Run]) -> Label:
    """Run what is not ``known`` yet."""
    warm(instance)
    runs = {name: known.get(name) or run(place, instance) for name, place in CONFIGURATIONS.items()}
    return Label(instance.family, features_of(instance), runs)


def write_labels(file: Path, share: float) -> Iterator[str]:
    """Add what is lacking in the file, a line for each instance. Yields the key of each when it is done."""
    labels = _labels(file)
    with file.open("a", encoding="utf-8") as lines:
        for key in plan(share):
            known = labels[key].runs if key in labels else {}
            if known.keys() < CONFIGURATIONS.keys():
                lines.write(json.dumps({"key": key, **asdict(label(instance_of(key), known))}) + "\n")
                lines.flush()
                yield key


def read_labels(file: Path) -> dict[str, Label]:
    """Return the labels of the file by key, sorted. :raises SystemExit: there are none."""
    found = _labels(file)
    if not found:
        raise SystemExit(f"{file} has no labels: run `bench_selection.py label --labels {file}` first")
    return dict(sorted(found.items()))


def _labels(file: Path) -> dict[str, Label]:
    """The last line of an instance counts."""
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines() if file.is_file() else ())
    return {
        line["key"]: Label(line["family"], line["features"], {name: Run(**r) for name, r in line["runs"].items()})
        for line in lines
    }
