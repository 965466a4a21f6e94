"""The layouts that a GPU may get, given what stands on it: those that no other one beats."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cynosure.place.layouts import Layout, maximal_layouts
from cynosure.place.need import Holding

Label = tuple[str, str]
"""Service and profile."""

ANYONE = ""
"""The service of a partition that may stay whosoever it is: all of them are still wanted."""


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """GPUs that look alike: product, and what stands on them that is still wanted."""

    product: str
    standing: tuple[Holding, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """``counts`` of each profile in the layout, and how many of what stands may stay where it is."""

    layout: Layout
    counts: Mapping[str, int]
    kept: Mapping[Label, int]


@lru_cache(maxsize=4096)
def choices(kind: Kind, names: tuple[str, ...]) -> tuple[Choice, ...]:
    """Return the layouts of ``names`` for a kind, without those that offer and keep no more than another."""
    found = [_choice(kind, layout) for layout in maximal_layouts(kind.product, names)]
    labels = sorted({label for choice in found for label in choice.kept})
    rows = [[*(c.counts.get(n, 0) for n in names), *(c.kept.get(label, 0) for label in labels)] for c in found]
    return tuple(found[index] for index in _undominated(rows))


def _choice(kind: Kind, layout: Layout) -> Choice:
    kept = Counter((holding.service, holding.profile) for holding in kind.standing if holding.spot in layout)
    return Choice(layout, Counter(name for name, _ in layout), kept)


def _undominated(rows: list[list[int]]) -> Iterable[int]:
    """Return the rows that no other one reaches everywhere; of equal ones the first."""
    table = np.array(rows)
    reached = np.all(table[None, :, :] >= table[:, None, :], axis=2)
    equal = reached & reached.T
    beaten = np.any(reached & ~equal, axis=1) | np.any(np.tril(equal, -1), axis=1)
    return [int(index) for index in np.flatnonzero(~beaten)]
