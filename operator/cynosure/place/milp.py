"""An integer program as plain data, and the protocol behind which its solvers stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Terms = Sequence[tuple[int, float]]
"""A sum: columns with their factors."""

Row = tuple[Terms, float, float]
"""A sum, the least and the most that it may be; either may be infinite."""


@dataclass(frozen=True, slots=True)
class Milp:
    """Minimise ``cost``; columns are whole numbers from 0 to ``uppers``, which may be infinite."""

    uppers: Sequence[float]
    rows: Sequence[Row]
    cost: Terms


@dataclass(frozen=True, slots=True)
class Found:
    """``values`` per column, None when none were found; ``bound``: no answer costs less, minus infinity at worst."""

    values: tuple[int, ...] | None
    bound: float


class Solver(Protocol):
    """One thread and one seed: the same program gives the same answer, unless the time limit cuts it short.

    Answers are checked by the caller; bounds are believed.
    """

    @property
    def name(self) -> str: ...

    def solve(self, program: Milp, *, step: float, time_limit_seconds: float) -> Found:
        """Return the best answer found in time. ``step``: smaller differences of cost do not matter."""
        ...
