"""HiGHS as a solver of integer programs (Huangfu and Hall, 2018): branch and cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import highspy
import numpy as np

from cynosure.highs import quiet_highs
from cynosure.place.milp import Found, Milp

_WHOLE = 1e-6
"""How far from a whole number a value may be; what differs by less than a step is as good as equal."""


@dataclass(frozen=True, slots=True)
class Highs:
    """HiGHS is given no start: release 1.16 loses columns of a start that its presolve merges.

    It then proves a bound that is too good to be true. ``options`` by their names there, over those chosen here.
    """

    name: str = "highs"
    options: Mapping[str, float | str] = field(default_factory=lambda: MappingProxyType({}))

    def solve(self, program: Milp, *, step: float, time_limit_seconds: float) -> Found:
        options: dict[str, float | str] = {
            "time_limit": max(time_limit_seconds, 0.0),
            "mip_feasibility_tolerance": 1e-9,
            "mip_rel_gap": 0.0,
            "mip_abs_gap": step * (1 - 1000 * _WHOLE),
        }
        model = quiet_highs(**{**options, **self.options})
        model.passModel(_lp(program))
        model.run()
        bound, solution = float(model.getInfo().mip_dual_bound), model.getSolution()
        values = tuple(round(value) for value in solution.col_value) if solution.value_valid else None
        return Found(values, bound)


def _lp(program: Milp) -> highspy.HighsLp:
    lp, columns, rows = highspy.HighsLp(), len(program.uppers), program.rows
    costs = np.zeros(columns)
    for column, factor in program.cost:
        costs[column] += factor
    lp.num_col_, lp.num_row_ = columns, len(rows)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = costs, np.zeros(columns), np.array(program.uppers)
    lp.row_lower_, lp.row_upper_ = (np.array([row[side] for row in rows]) for side in (1, 2))
    lp.integrality_ = [highspy.HighsVarType.kInteger] * columns
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(terms) for terms, _, _ in rows)])
    lp.a_matrix_.index_ = np.array([column for terms, _, _ in rows for column, _ in terms], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([factor for terms, _, _ in rows for _, factor in terms], dtype=np.float64)
    return lp
