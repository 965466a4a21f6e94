"""OR-tools' CP-SAT as a solver of integer programs; only where the extra ``solvers`` is installed.

CP-SAT counts in whole numbers only. Factors that are not whole are scaled and rounded such that no answer is ruled out
and none looks dearer, so its bound holds for the real program; whether its answer does is checked by the caller.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, inf, isfinite, isinf
from types import MappingProxyType
from typing import Any

from ortools.sat.python import cp_model

from cynosure.place.milp import Found, Milp, Terms

_MOST = 2**20
"""Of a column without a limit: more GPUs than anyone has."""
_LARGEST = 2.0**60
"""Of a sum; CP-SAT's numbers have 64 bits."""
_FINEST = 2.0**32
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class CpSat:
    """``parameters`` by their names in ``SatParameters``, over those chosen here."""

    name: str = "cp-sat"
    parameters: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def solve(self, program: Milp, *, step: float, time_limit_seconds: float) -> Found:
        model, solver = cp_model.CpModel(), cp_model.CpSolver()
        uppers = [_MOST if isinf(most) else floor(most) for most in program.uppers]
        columns = [model.new_int_var(0, most, "") for most in uppers]
        for terms, least, most in program.rows:
            scale = _scale(terms, (least, most), uppers)
            if isfinite(least):
                model.add(_sum(columns, terms, scale, ceil) >= _side(least, scale, -_SLACK))
            if isfinite(most):
                model.add(_sum(columns, terms, scale, floor) <= _side(most, scale, _SLACK))
        cost = [(column, factor / step) for column, factor in program.cost]
        scale = _scale(cost, (), uppers)
        model.minimize(_sum(columns, cost, scale, floor))
        limits = {"num_workers": 1, "random_seed": 1, "max_time_in_seconds": max(time_limit_seconds, 0.0)}
        for name, value in {**limits, "absolute_gap_limit": scale * (1 - 1e-3), **self.parameters}.items():
            setattr(solver.parameters, name, value)
        status = solver.solve(model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Found(None, inf if status == cp_model.INFEASIBLE else -inf)
        return Found(tuple(map(solver.value, columns)), solver.best_objective_bound * step / scale)


def _scale(terms: Terms, sides: Sequence[float], uppers: Sequence[int]) -> float:
    """1 where all is whole, else as fine as the sum allows."""
    if all(value % 1 == 0 for value in (*(factor for _, factor in terms), *filter(isfinite, sides))):
        return 1.0
    return min(_FINEST, _LARGEST / max(1.0, sum(abs(factor) * uppers[column] for column, factor in terms)))


def _sum(columns: Sequence[Any], terms: Terms, scale: float, rounded: Callable[[float], int]) -> Any:
    merged: dict[int, float] = {}
    for column, factor in terms:
        merged[column] = merged.get(column, 0.0) + factor
    factors = [rounded(factor * scale) for factor in merged.values()]
    return cp_model.LinearExpr.weighted_sum([columns[column] for column in merged], factors)


def _side(limit: float, scale: float, slack: float) -> int:
    return round(limit) if scale == 1.0 else round((limit + slack) * scale)
