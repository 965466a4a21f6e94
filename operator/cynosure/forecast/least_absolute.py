"""Linear models by least absolute deviation, for several leads at once, learned again as history grows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.forecast.windows import Indices
from cynosure.model.signals import Floats

_FEWEST_ROWS: Final = 20
_SHORTEST: Final = 5
_REACH: Final = 10.0
"""A feature counts up to so many of its root mean squares: a spike must not be multiplied."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Rows (leads, times, features), the moves (leads, times) that followed, and d(value)/d(level); 0 is missing."""

    times: Indices
    rows: Floats
    moves: Floats
    slopes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """For each lead and feature its weight, and how far from 0 it usually is."""

    each: Floats
    spread: Floats

    def moves(self, rows: Floats) -> Floats:
        """Return (leads, times) for rows (leads, times, features): what was hardly ever seen counts only so far."""
        reach = _REACH * self.spread[:, None, :]
        moves: Floats = np.matmul(np.clip(rows, -reach, reach), self.each[:, :, None])[:, :, 0]
        return moves


def learned(seen: Seen, season: int, shrinkage: float) -> Iterator[tuple[int, int, Weights]]:
    """Yield blocks of time, first and one past the last, and what was learned before each."""
    sums = _Sums.empty(*seen.rows.shape[::2])
    weights = Weights(np.zeros(seen.rows.shape[::2]), np.full(seen.rows.shape[::2], np.inf))
    for begin, end in _blocks(int(seen.times[0]), int(seen.times[-1]) + 1, season):
        if sums.count.min() >= _FEWEST_ROWS:
            weights = sums.weights(shrinkage)
            yield begin, end, weights
        block = slice(*np.searchsorted(seen.times, (begin, end)).tolist())
        part = Seen(seen.times[block], seen.rows[:, block], seen.moves[:, block], seen.slopes[:, block])
        sums = sums.plus(part, _trust(part, weights))


def _trust(seen: Seen, weights: Weights) -> Floats:
    """An error larger than the median pulls no harder than the median: Huber's weights, in units of the value."""
    errors = np.abs(seen.moves - weights.moves(seen.rows)) * seen.slopes
    small = np.maximum(np.median(errors, axis=1, keepdims=True), 1e-6)
    trust: Floats = seen.slopes * small / np.maximum(errors, small)
    return trust


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Weighted normal equations of every lead, and what the penalty of each weight is measured by."""

    gram: Floats
    moment: Floats
    squares: Floats
    trust: Floats
    count: Floats

    @classmethod
    def empty(cls, leads: int, width: int) -> "_Sums":
        zeros = np.zeros((leads, width))
        return cls(np.zeros((leads, width, width)), zeros, zeros, np.zeros(leads), np.zeros(leads))

    def plus(self, seen: Seen, trust: Floats) -> "_Sums":
        weighted = (seen.rows * trust[:, :, None]).swapaxes(1, 2)
        return _Sums(
            self.gram + np.matmul(weighted, seen.rows),
            self.moment + np.matmul(weighted, seen.moves[:, :, None])[:, :, 0],
            self.squares + np.square(seen.rows).sum(axis=1),
            self.trust + trust.sum(axis=1),
            self.count + (trust > 0).sum(axis=1),
        )

    def weights(self, shrinkage: float) -> Weights:
        spread: Floats = self.squares / self.count[:, None]
        penalty = np.where(spread > 1e-12, spread, 1.0) * (shrinkage * self.trust / self.count)[:, None] + 1e-12
        system: Floats = self.gram + penalty[:, :, None] * np.eye(self.gram.shape[1])
        each = np.linalg.solve(system, self.moment[:, :, None])[:, :, 0]
        return Weights(np.asarray(each, dtype=np.float64), np.sqrt(spread))


def _blocks(begin: int, end: int, season: int) -> Iterator[tuple[int, int]]:
    """Weights are learned again when history has grown by a sixth, and once a season."""
    first, shortest = begin, max(_SHORTEST, season // 8)
    while begin < end:
        length = min(max((begin - first) // 6, shortest), max(season, shortest))
        yield begin, min(begin + length, end)
        begin += length
