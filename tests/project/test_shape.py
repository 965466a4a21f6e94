"""The code keeps its shape: short functions, small modules, nothing left unannotated."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from statistics import quantiles

ROOMS = ("operator/cynosure", "demo", "llm_engine", "loadgen", "serving", "testbed")
LONGEST_FUNCTION, LONGEST_MODULE, P90_FUNCTION = 60, 400, 35

_TEXT = (".py", ".md", ".toml", ".txt", ".yaml", ".mod", ".sum", "Dockerfile", "Makefile")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(repository: Path) -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((repository / room).rglob("*.py"))


@cache
def functions(module: Path) -> tuple[Function, ...]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return tuple(node for node in ast.walk(tree) if isinstance(node, Function))


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


def test_nine_functions_of_ten_fit_on_a_screen(
    repository: Path, record_property: Callable[[str, object], None]
) -> None:
    lengths = [lines_of(f) for m in modules(repository) for f in functions(m)]
    deciles = quantiles(lengths, n=10)
    record_property("function lines: median, p90, max", f"{deciles[4]:g}, {deciles[8]:g}, {max(lengths)}")
    assert deciles[8] <= P90_FUNCTION


def test_every_function_says_what_it_returns(repository: Path) -> None:
    bare = [f"{m.name}:{f.name}" for m in modules(repository) for f in functions(m) if f.returns is None]
    assert not bare


def test_nothing_tracked_names_a_package_registry(repository: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, check=True, text=True)
    registries = tuple(
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("proxy", "golang", "org"))
    )
    texts = [repository / name for name in listed.stdout.split("\0") if name.endswith(_TEXT)]
    assert not [str(p) for p in texts if p.exists() and any(r in p.read_text(encoding="utf-8") for r in registries)]
