"""Integer programs, built row by row, with the bound that was proven."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, inf, isfinite
from typing import Final

from cynosure.place.by_highs import Highs
from cynosure.place.milp import Milp, Row, Solver, Terms

HIGHS: Final = Highs()
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Answer:
    """``values`` per column, None when none were found; ``bound`` is proven: no answer has a smaller ``cost``."""

    values: tuple[int, ...] | None
    cost: float
    bound: float
    step: float

    @property
    def optimal(self) -> bool:
        return self.cost - self.bound < self.step


@dataclass(slots=True)
class IntegerProgram:
    """Columns are whole numbers from 0 to their upper limit; rows limit sums of them."""

    solver: Solver = HIGHS
    _uppers: list[float] = field(default_factory=list)
    _rows: list[Row] = field(default_factory=list)

    def column(self, upper: float = inf) -> int:
        self._uppers.append(upper)
        return len(self._uppers) - 1

    def limit(self, terms: Terms, *, least: float = -inf, most: float = inf) -> None:
        merged: dict[int, float] = {}
        for column, factor in terms:
            merged[column] = merged.get(column, 0.0) + factor
        self._rows.append((tuple(merged.items()), least, most))

    def minimise(self, cost: Terms, *, step: float, time_limit_seconds: float) -> Answer:
        """Return the best answer found in time, and the bound. ``step``: smaller differences of cost do not matter."""
        program = Milp(self._uppers, self._rows, cost)
        found = self.solver.solve(program, step=step, time_limit_seconds=time_limit_seconds)
        bound = _up(found.bound, cost, step)
        if found.values is None or not self._holds(found.values):
            return Answer(None, inf, bound, step)
        reached = total(cost, found.values)
        return Answer(found.values, reached, min(reached, bound), step)

    def _holds(self, values: Sequence[int]) -> bool:
        """Check a rounded answer: what is handed on is right, whatever the solver's tolerances."""
        return all(_is_within(total(terms, values), least, most) for terms, least, most in self._rows)


def total(terms: Terms, values: Sequence[int]) -> float:
    return sum(factor * values[column] for column, factor in terms)


def _is_within(value: float, least: float, most: float) -> bool:
    slack = _ROUNDING * max(1.0, abs(value))
    return least - slack <= value <= most + slack


def _up(bound: float, cost: Terms, step: float) -> float:
    """Where all costs are multiples of the step, a bound may be rounded up to the next."""
    if not isfinite(bound):
        return -inf
    whole = all(factor % step == 0 for _, factor in cost)
    return ceil(bound / step - _ROUNDING) * step if whole else bound
