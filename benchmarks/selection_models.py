"""Ways to choose a configuration for an instance, trained on labels, and what each choice is worth."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import isnan
from random import Random
from typing import Any

import numpy as np
import xgboost
from selection_instances import HAS_CHOICES, IS_LIMITED
from selection_labels import Label
from selection_solvers import CHAINS, CONFIGURATIONS, LIMIT_SECONDS, Run

Floats = np.ndarray[Any, np.dtype[np.float64]]
PENALTY = 2.0
"""What is not solved in time counts as so many limits (PAR2)."""
IN_TIME_SECONDS = 1.2 * LIMIT_SECONDS
"""A solver stops at its limit; building the program and reading the answer come on top."""
TIE, TIE_SECONDS = 1.05, 0.001
WITHIN = 1.01
NAMES = tuple(CONFIGURATIONS)
PARTS = tuple(name for name in NAMES if name not in CHAINS)

Plan = tuple[str, ...]
"""Configurations, one after the other until one proves that its answer is good enough."""

Chooser = Callable[[Floats], Sequence[Plan]]
"""Features, a row for each instance: a plan for each."""


@dataclass(frozen=True, slots=True)
class Table:
    """Of each instance (row) and configuration of ``NAMES``, by itself.

    ``seconds``: not a number where it was not solved; ``taken``: all the same; ``is_proven``: by its own bound.
    """

    families: tuple[str, ...]
    features: Floats
    seconds: Floats
    taken: Floats
    is_proven: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def penalised(self) -> Floats:
        return _penalised(self.seconds)

    @property
    def best(self) -> list[Plan]:
        """Of each instance."""
        return [(PARTS[column],) for column in np.argmin(_of_parts(self), axis=1)]

    def of(self, plans: Sequence[Plan]) -> Floats:
        """Return the seconds of a plan for each instance; not a number where it is not solved in time."""
        each = {plan: self.of_all(plan) for plan in sorted(set(plans))}
        return np.array([each[plan][row] for row, plan in enumerate(plans)])

    def of_all(self, plan: Plan) -> Floats:
        """Return the seconds of one plan for every instance: the next part runs where no part before proved enough."""
        spent, goes_on = np.zeros(len(self.families)), np.ones(len(self.families), dtype=np.bool_)
        is_solved = ~goes_on
        for column in map(NAMES.index, plan):
            spent = spent + np.where(goes_on, self.taken[:, column], 0.0)
            is_solved = is_solved | (goes_on & ~np.isnan(self.seconds[:, column]))
            goes_on = goes_on & ~self.is_proven[:, column]
        return np.where(is_solved & (spent <= IN_TIME_SECONDS), spent, np.nan)

    def part(self, rows: Sequence[int]) -> "Table":
        chosen = np.array(rows, dtype=np.intp)
        families = tuple(self.families[row] for row in rows)
        parts = (self.features, self.seconds, self.taken, self.is_proven)
        return Table(families, *(part[chosen] for part in parts))


def _penalised(seconds: Floats) -> Floats:
    return np.where(np.isnan(seconds), PENALTY * LIMIT_SECONDS, seconds)


def table_of(labels: Mapping[str, Label]) -> Table:
    """Instances that nothing solves are left out: there is nothing to be chosen right."""
    found = [each for each in labels.values() if is_solved(each)]
    return Table(
        tuple(each.family for each in found),
        np.array([each.features for each in found]),
        np.array([[_seconds(each, name) for name in NAMES] for each in found]),
        np.array([[each.runs[name].seconds for name in NAMES] for each in found]),
        np.array([[each.runs[name].cost <= WITHIN * each.runs[name].bound for name in NAMES] for each in found]),
    )


def is_solved(label: Label) -> bool:
    """Whether any configuration solves it."""
    return not all(isnan(_seconds(label, name)) for name in PARTS)


def _seconds(label: Label, name: str) -> float:
    """Solved: as many are placed as anybody places, on at most a hundredth more GPUs than anybody needs, in time."""
    best, made = min((run.unplaced, run.cost) for run in label.runs.values()), label.runs[name]
    is_solved = made.unplaced == best[0] and made.cost <= best[1] * WITHIN and made.seconds <= IN_TIME_SECONDS
    return made.seconds if is_solved else float("nan")


def proven(labels: Mapping[str, Label]) -> float:
    """Return the share of instances whose best answer is proven to be within the tolerance of the optimum."""

    def is_proven(runs: Mapping[str, Run]) -> bool:
        unplaced, cost = min((run.unplaced, run.cost) for run in runs.values())
        return cost <= WITHIN * max(run.bound for run in runs.values() if run.unplaced == unplaced)

    return sum(is_proven(label.runs) for label in labels.values()) / len(labels)


def single_best(train: Table) -> Chooser:
    best = _best(train)
    return lambda features: [(best,)] * len(features)


def schedule(train: Table) -> Chooser:
    """The pair, one after the other, that takes the least time; nothing is learnt of the instance."""
    totals = {plan: _penalised(train.of_all(plan)).sum() for plan in permutations(PARTS, 2)}
    best = min(totals, key=lambda plan: totals[plan])
    return lambda features: [best] * len(features)


def rule(train: Table) -> Chooser:
    """The best for each answer to two questions: is there a choice of partitions, and is the number of GPUs limited?"""
    groups = _groups(train.features)
    best = {group: _best(train.part([n for n, g in enumerate(groups) if g == group])) for group in set(groups)}
    fallback = _best(train)
    return lambda features: [(best.get(group, fallback),) for group in _groups(features)]


def _groups(features: Floats) -> list[tuple[bool, bool]]:
    return [(bool(row[HAS_CHOICES] > 0), bool(row[IS_LIMITED] > 0)) for row in features]


def _best(train: Table) -> str:
    return PARTS[int(np.argmin(_of_parts(train).sum(axis=0)))]


def _of_parts(table: Table) -> Floats:
    return table.penalised[:, [NAMES.index(name) for name in PARTS]]


def tree(train: Table) -> Chooser:
    """One decision tree for the class."""
    one = {"max_depth": 5, "learning_rate": 1.0, "min_child_weight": 0.0, "multi_strategy": "multi_output_tree"}
    return _classifier(train, 1, one)


def boosted_class(train: Table) -> Chooser:
    return _classifier(train, 60, {})


def _classifier(train: Table, rounds: int, parameters: Mapping[str, Any]) -> Chooser:
    """The configuration that is best; instances weigh what a choice at random would cost."""
    times = _of_parts(train)
    known, classes = np.unique(np.argmin(times, axis=1), return_inverse=True)
    weights = np.maximum(times.mean(axis=1) - times.min(axis=1), 1e-4)
    several = {"objective": "multi:softprob", "num_class": len(known), **parameters}
    model = _trained(train.features, classes, rounds, several, weights / weights.mean())
    return lambda features: [(PARTS[int(known[found])],) for found in np.argmax(model(features), axis=1)]


def boosted_time(train: Table) -> Chooser:
    """The logarithm of each configuration's penalised time; the least is chosen."""
    expected = _each(train.features, np.log(_of_parts(train)), {})
    return lambda features: [(PARTS[int(column)],) for column in np.argmin(expected(features), axis=1)]


def boosted_chance(train: Table) -> Chooser:
    """The probability of solving in time; of those as likely as any, to a hundredth, the one quickest on average."""
    times = _of_parts(train)
    order, chance = np.argsort(times.mean(axis=0)), _each(train.features, _solved(train), _LOGISTIC)

    def choose(features: Floats) -> list[Plan]:
        chances = chance(features)[:, order]
        likely = chances >= chances.max(axis=1, keepdims=True) - 0.01
        return [(PARTS[int(order[int(np.argmax(row))])],) for row in likely]

    return choose


def boosted_both(train: Table) -> Chooser:
    """The least expected time, from the probability of solving and the time where it is solved."""
    times, solved = _of_parts(train), _solved(train)
    typical = np.log(np.where(solved, times, np.minimum(times, LIMIT_SECONDS)))
    chance, time = _each(train.features, solved, _LOGISTIC), _each(train.features, typical, {})

    def choose(features: Floats) -> list[Plan]:
        likely = chance(features)
        expected = likely * np.exp(time(features)) + (1 - likely) * PENALTY * LIMIT_SECONDS
        return [(PARTS[int(column)],) for column in np.argmin(expected, axis=1)]

    return choose


_LOGISTIC: Mapping[str, Any] = {"objective": "binary:logistic"}


def _solved(table: Table) -> Floats:
    return ~np.isnan(table.seconds[:, [NAMES.index(name) for name in PARTS]])


def _each(features: Floats, targets: Floats, parameters: Mapping[str, Any]) -> Callable[[Floats], Floats]:
    """A model for each configuration, a column of ``targets``."""
    models = [_trained(features, target, 100, parameters) for target in targets.T]
    return lambda rows: np.stack([model(rows) for model in models], axis=1)


def _trained(
    features: Floats, target: Floats, rounds: int, parameters: Mapping[str, Any], weights: Floats | None = None
) -> Callable[[Floats], Floats]:
    known = xgboost.DMatrix(features, label=target, weight=weights)
    chosen = {"max_depth": 4, "learning_rate": 0.15, "nthread": 1, "seed": 1, **parameters}
    model = xgboost.train(chosen, known, rounds)
    return lambda rows: np.asarray(model.predict(xgboost.DMatrix(rows)))


CHOOSERS: Mapping[str, Callable[[Table], Chooser]] = {
    "single best": single_best,
    "schedule of two": schedule,
    "rule of two questions": rule,
    "decision tree": tree,
    "boosted trees, probability": boosted_chance,
    "boosted trees, time": boosted_time,
    "boosted trees, probability and time": boosted_both,
    "boosted trees, class": boosted_class,
}


def at_random(table: Table) -> list[tuple[list[int], list[int]]]:
    """Five parts, each of which is held out once."""
    rows = list(range(len(table.families)))
    Random(1).shuffle(rows)
    ends = [round(len(rows) * part / 5) for part in range(6)]
    return [(sorted(rows[:a] + rows[b:]), sorted(rows[a:b])) for a, b in pairwise(ends)]


def by_family(table: Table) -> list[tuple[list[int], list[int]]]:
    rows = range(len(table.families))
    return [
        ([n for n in rows if table.families[n] != family], [n for n in rows if table.families[n] == family])
        for family in sorted(set(table.families))
    ]


def evaluate(table: Table, splits: Sequence[tuple[list[int], list[int]]]) -> list[dict[str, Any]]:
    """Train on one side of each split, choose on the other. :return: a row for each way, over all that was held out."""
    chosen: dict[str, dict[int, Plan]] = {name: {} for name in CHOOSERS}
    for train, held_out in splits:
        for name, make in CHOOSERS.items():
            choose = make(table.part(train))
            chosen[name].update(zip(held_out, choose(table.part(held_out).features), strict=True))
    best = table.best
    return [
        score("virtual best", table, best),
        *(score(name, table, [found[n] for n in range(len(best))]) for name, found in chosen.items()),
        *(score(name, table, [(name,)] * len(best)) for name in CHAINS),
    ]


def score(name: str, table: Table, chosen: Sequence[Plan]) -> dict[str, Any]:
    """``right``: solved, and in at most 1.05 of the least time; ``as_good``: or at most a millisecond later."""
    seconds, least = table.of(chosen), np.nanmin(_of_parts(table), axis=1)
    total, best = float(_penalised(seconds).sum()), float(_of_parts(table).min(axis=1).sum())
    return {
        "way": name,
        "right": float(np.mean(seconds <= least * TIE)),
        "as_good": float(np.mean(seconds <= np.maximum(least * TIE, least + TIE_SECONDS))),
        "solved": float(np.mean(~np.isnan(seconds))),
        "seconds": total,
        "to_virtual_best": total / best,
        "chosen": dict(Counter(map(" > ".join, chosen)).most_common(4)),
    }


def configurations(table: Table) -> list[dict[str, Any]]:
    """Every configuration by itself: how often it solves, is as good as the best, and its times."""
    everyone = [score(name, table, [(name,)] * len(table.families)) for name in NAMES]
    medians = np.nanmedian(table.seconds, axis=0)
    return [row | {"median_ms": 1000 * float(median)} for row, median in zip(everyone, medians, strict=True)]
