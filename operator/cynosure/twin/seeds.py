"""The same comparison with other random numbers: means, and how sure they are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Any, Final

from cynosure.twin.simulation import Experiment

MOST_SEEDS: Final = 10
_STUDENT_95: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Two-sided, for 1 degree of freedom and up (Student, Biometrika 6, 1908)."""


def with_seeds(experiment: Experiment, count: int) -> Iterator[Experiment]:
    """The given one, and the same load drawn anew ``count`` - 1 times."""
    for seed in range(experiment.traffic.seed, experiment.traffic.seed + count):
        yield replace(
            experiment,
            traffic=replace(experiment.traffic, seed=seed),
            setting=replace(experiment.setting, seed=seed),
        )


def averaged(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean of what is a number in all of them; half the width of its 95 % interval under ``NAME_ci95``."""
    first, *others = told
    if not others:
        return first
    merged: dict[str, Any] = {}
    for name, value in first.items():
        values = [one[name] for one in told]
        if isinstance(value, bool):
            merged[name] = all(values)
        elif any(v is None or isinstance(v, str) for v in values):
            merged[name] = value if values.count(value) == len(values) else None
        else:
            merged[name] = fmean(values)
            merged[f"{name}_ci95"] = _STUDENT_95[len(values) - 2] * stdev(values) / len(values) ** 0.5
    return merged
