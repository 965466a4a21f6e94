"""The code keeps its shape: short functions, small modules, nothing left unannotated."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import pytest

ROOMS = ("operator/cynosure", "demo", "llm_engine", "loadgen", "serving", "testbed")
LONGEST_FUNCTION, LONGEST_MODULE, P90_FUNCTION = 60, 400, 35

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(repository: Path) -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((repository / room).rglob("*.py"))


def functions(module: Path) -> Iterator[Function]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def lines_of(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_module_is_long(repository: Path) -> None:
    long = {
        str(m.relative_to(repository)): n
        for m in modules(repository)
        if (n := len(m.read_text().splitlines())) > LONGEST_MODULE
    }
    assert not long


def test_no_function_is_long(repository: Path) -> None:
    long = {
        f"{m.name}:{f.name}": lines_of(f)
        for m in modules(repository)
        for f in functions(m)
        if lines_of(f) > LONGEST_FUNCTION
    }
    assert not long


def test_nine_functions_of_ten_fit_on_a_screen(repository: Path, record_property: pytest.RecordProperty) -> None:
    lengths = [lines_of(f) for m in modules(repository) for f in functions(m)]
    deciles = quantiles(lengths, n=10)
    record_property("function lines: median, p90, max", f"{deciles[4]:g}, {deciles[8]:g}, {max(lengths)}")
    assert deciles[8] <= P90_FUNCTION


def test_every_function_says_what_it_returns(repository: Path) -> None:
    bare = [f"{m.name}:{f.name}" for m in modules(repository) for f in functions(m) if f.returns is None]
    assert not bare


def test_nothing_committed_names_a_registry_or_a_home_folder(repository: Path) -> None:
    names = ("pypi" + ".org", "pythonhosted", "/ro" + "ot/", "proxy.golang")
    texts = [
        p
        for p in repository.rglob("*")
        if p.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".mod", ".sum"} and ".venv" not in p.parts
    ]
    assert not [str(p) for p in texts if any(name in p.read_text(encoding="utf-8", errors="replace") for name in names)]
