"""Integer programs for HiGHS, built row by row, with the bound that was proven.

One thread and one seed: the same program gives the same answer, unless the time limit cuts it short.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, inf, isfinite

import highspy
import numpy as np

from cynosure.highs import quiet_highs

Terms = Sequence[tuple[int, float]]
"""A sum: columns with their factors."""

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

    _uppers: list[float] = field(default_factory=list)
    _rows: list[tuple[Terms, float, float]] = field(default_factory=list)

    def column(self, upper: float = inf) -> int:
        self._uppers.append(upper)
        return len(self._uppers) - 1

    def limit(self, terms: Terms, *, least: float = -inf, most: float = inf) -> None:
        merged: dict[int, float] = {}
        for column, factor in terms:
            merged[column] = merged.get(column, 0.0) + factor
        self._rows.append((tuple(merged.items()), least, most))

    def minimise(self, cost: Terms, *, step: float, time_limit_seconds: float) -> Answer:
        """Return the best answer found in time, and the bound. ``step``: smaller differences of cost do not matter.

        HiGHS is given no start: release 1.16 loses columns of a start that its presolve merges, and then proves a
        bound that is too good to be true.
        """
        model = self._model(cost, step, time_limit_seconds)
        model.run()
        bound, solution = _up(float(model.getInfo().mip_dual_bound), cost, step), model.getSolution()
        values = tuple(round(value) for value in solution.col_value)
        if not solution.value_valid or not self._holds(values):
            return Answer(None, inf, bound, step)
        reached = total(cost, values)
        return Answer(values, reached, min(reached, bound), step)

    def _holds(self, values: Sequence[int]) -> bool:
        """Check a rounded answer: what is handed on is right, whatever the solver's tolerances."""
        return all(_is_within(total(terms, values), least, most) for terms, least, most in self._rows)

    def _model(self, cost: Terms, step: float, time_limit_seconds: float) -> highspy.Highs:
        model = quiet_highs(
            time_limit=max(time_limit_seconds, 0.0),
            mip_feasibility_tolerance=1e-9,
            mip_rel_gap=0.0,
            mip_abs_gap=step * (1 - 1000 * _ROUNDING),
        )
        model.passModel(self._lp(cost))
        return model

    def _lp(self, cost: Terms) -> highspy.HighsLp:
        lp, columns = highspy.HighsLp(), len(self._uppers)
        costs = np.zeros(columns)
        for column, factor in cost:
            costs[column] += factor
        lp.num_col_, lp.num_row_ = columns, len(self._rows)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = costs, np.zeros(columns), np.array(self._uppers)
        lp.row_lower_, lp.row_upper_ = (np.array([row[side] for row in self._rows]) for side in (1, 2))
        lp.integrality_ = [highspy.HighsVarType.kInteger] * columns
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0, *(len(terms) for terms, _, _ in self._rows)])
        lp.a_matrix_.index_ = np.array([column for terms, _, _ in self._rows for column, _ in terms], dtype=np.int32)
        lp.a_matrix_.value_ = np.array([factor for terms, _, _ in self._rows for _, factor in terms], dtype=np.float64)
        return lp


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
