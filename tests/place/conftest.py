"""The command as people call it, in this process: files in, exit code and document out."""

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cynosure.place import command

Document = dict[str, Any]
Run = Callable[..., tuple[int, Document]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call with demand, and inventory, current, points or other options; bad input raises."""

    def run(demand: object, *options: str, points: Sequence[Document] = (), **files: object) -> tuple[int, Document]:
        arguments = ["place", "--json", *options]
        for name, body in {"demand": demand, **files}.items():
            path = tmp_path / f"{name}.json"
            path.write_text(body if isinstance(body, str) else json.dumps(body))
            arguments += [f"--{name}", str(path)]
        if points:
            arguments += ["--profiles", str(write_points(tmp_path / "points.csv", points))]
        capsys.readouterr()
        code = parse(arguments)
        return code, json.loads(capsys.readouterr().out)

    return run


def parse(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed))


def write_points(path: Path, points: Sequence[Document]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["model", "gpcs", "batch", "processes", "throughput_rps", "latency_ms"])
        writer.writeheader()
        writer.writerows({"batch": 1, "processes": 1, **point} for point in points)
    return path
