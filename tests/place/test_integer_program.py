"""Integer programs: the bound is right, nothing is written, and what was known is never lost."""

import subprocess
import sys
from pathlib import Path

import pytest
from cynosure.place.integer_program import IntegerProgram

SOLVE = """
from cynosure.place.integer_program import IntegerProgram
program = IntegerProgram()
columns = [program.column(9) for _ in range(4)]
program.limit([(c, 2.0 + c) for c in columns], least=17.0)
print(program.minimise([(c, 1.0 + c % 2) for c in columns], step=1.0, time_limit_seconds=5).cost)
"""


def test_the_solver_writes_nothing(repository: Path) -> None:
    """HiGHS greets on the standard output, where ``--json`` prints one document."""
    done = subprocess.run(
        [sys.executable, "-c", SOLVE], capture_output=True, text=True, check=True, cwd=repository / "operator"
    )
    assert (done.stdout, done.stderr) == ("5.0\n", "")


def test_without_time_nothing_is_found_and_nothing_claimed() -> None:
    program = IntegerProgram()
    columns = [program.column(50) for _ in range(40)]
    for n in range(30):
        program.limit([(c, 1.0 + (7 * c + 11 * n) % 13) for c in columns], least=101.0 + n)
    cost = [(c, 3.0 + (5 * c) % 7) for c in columns]
    answer = program.minimise(cost, step=1.0, time_limit_seconds=0.0)
    assert (answer.values, answer.bound < 0, answer.optimal) == (None, True, False)


def test_what_cannot_be_has_no_answer() -> None:
    program = IntegerProgram()
    column = program.column(3)
    program.limit([(column, 1.0)], least=4.0)
    assert program.minimise([(column, 1.0)], step=1.0, time_limit_seconds=5).values is None


def test_a_bound_is_rounded_up_only_where_costs_are_multiples_of_the_step() -> None:
    program = IntegerProgram()
    x, y = program.column(10), program.column(10)
    program.limit([(x, 2.0), (y, 3.0)], least=7.0)
    answer = program.minimise([(x, 0.5), (y, 0.7)], step=0.01, time_limit_seconds=5)
    assert answer.cost == pytest.approx(1.7)
    assert answer.bound <= answer.cost + 1e-9
    assert answer.optimal
