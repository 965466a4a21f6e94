"""HiGHS and CP-SAT behind one protocol: the same cost as brute force, a bound that holds, and the same fleets."""

from itertools import product as every
from math import inf

import pytest
from cynosure.place.fleet import place_fleet
from cynosure.place.integer_program import HIGHS, IntegerProgram
from cynosure.place.milp import Milp, Solver
from cynosure.place.need import Stock
from cynosure.place.prices import GPUS, power
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.place.files import A100
from tests.place.rates import rates_of

pytest.importorskip("ortools", reason="the extra `solvers` is not installed")

from cynosure.place.by_cp_sat import CpSat

SOLVERS: tuple[Solver, ...] = (HIGHS, CpSat())
MOST = 3
factors = st.one_of(st.integers(-3, 5).map(float), st.integers(-5, 9).map(lambda thirds: thirds / 3))
sides = st.one_of(st.integers(-2, 8).map(float), st.integers(-16, 64).map(lambda eighths: eighths / 8 + 1 / 16))
rows = st.tuples(st.lists(factors, min_size=3, max_size=3), sides, st.booleans())


def cheapest(cost: list[float], limits: list[tuple[list[float], float, bool]]) -> float:
    """By trying everything; infinite where no answer holds all limits."""

    def holds(values: tuple[int, ...]) -> bool:
        sums = [(sum(f * v for f, v in zip(row, values, strict=True)), side, least) for row, side, least in limits]
        return all(value >= side - 1e-9 if least else value <= side + 1e-9 for value, side, least in sums)

    answers = filter(holds, every(range(MOST + 1), repeat=3))
    return min((sum(c * v for c, v in zip(cost, values, strict=True)) for values in answers), default=inf)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.name)
@settings(max_examples=20, deadline=None)
@given(cost=st.lists(factors, min_size=3, max_size=3), limits=st.lists(rows, max_size=3))
def test_every_solver_costs_what_brute_force_costs(
    solver: Solver, cost: list[float], limits: list[tuple[list[float], float, bool]]
) -> None:
    program = IntegerProgram(solver)
    columns = [program.column(MOST) for _ in range(3)]
    for row, side, is_least in limits:
        terms = list(zip(columns, row, strict=True))
        program.limit(terms, **({"least": side} if is_least else {"most": side}))
    answer = program.minimise(list(zip(columns, cost, strict=True)), step=0.001, time_limit_seconds=5)
    best = cheapest(cost, limits)
    if answer.values is None:
        assert best == inf
    else:
        assert answer.cost == pytest.approx(best, abs=0.002)
        assert answer.bound <= best + 1e-6
        assert answer.optimal


@pytest.mark.parametrize("seed", range(4))
def test_both_find_fleets_of_the_same_size(seed: int) -> None:
    needs, stock = rates_of(6, seed), Stock({}, {}, A100)
    fleets = [place_fleet(needs, stock, solver=solver) for solver in SOLVERS]
    assert len({(len(fleet.placed), fleet.cost_bound, fleet.is_optimal(GPUS)) for fleet in fleets}) == 1


def test_both_prove_the_least_power_where_prices_are_no_whole_numbers() -> None:
    needs, prices = rates_of(3, seed=5, scale=1.0), power([A100], {A100: 51.3}, {A100: 399.9})
    costs = [place_fleet(needs, Stock({}, {}, A100), prices, solver=solver).cost for solver in SOLVERS]
    assert costs[0] == pytest.approx(costs[1], abs=prices.step)


def test_without_time_nothing_is_claimed_that_is_not_proven() -> None:
    rows = [(tuple((c, 1.0 + (7 * c + 11 * n) % 13) for c in range(40)), 101.0 + n, inf) for n in range(30)]
    cost = [(c, 3.0 + (5 * c) % 7) for c in range(40)]
    least = HIGHS.solve(Milp([50.0] * 40, rows, cost), step=1.0, time_limit_seconds=20)
    found = CpSat().solve(Milp([50.0] * 40, rows, cost), step=1.0, time_limit_seconds=0.0)
    assert found.values is None
    assert found.bound < least.bound


def test_a_short_search_still_answers_and_gives_its_gap() -> None:
    rows = [(tuple((c, 1.0 + (7 * c + 11 * n) % 13) for c in range(60)), 1010.0 + n, inf) for n in range(60)]
    cost = [(c, 3.0 + (5 * c) % 7) for c in range(60)]
    short = CpSat(parameters={"max_deterministic_time": 0.02})
    found = [short.solve(Milp([50.0] * 60, rows, cost), step=1.0, time_limit_seconds=20) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].values is not None
    assert found[0].bound <= sum(factor * found[0].values[column] for column, factor in cost)
