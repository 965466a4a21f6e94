"""The trace that a command line names: a file, or the published week that needs none."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from loadgen.errors import BadLoadInput
from loadgen.published import CODE_WEEK, code_week
from loadgen.readers import read_trace
from loadgen.trace import RateSeries, RequestTrace


def trace_of(name: str, only: Mapping[str, str] | None = None) -> RateSeries | RequestTrace:
    if name == CODE_WEEK:
        sys.stderr.write(f"{name} is the published hourly shape, not a trace file\n")
        return code_week()
    path = Path(name)
    if not path.is_file():
        lack = "is a folder; name one of its files" if path.is_dir() else "is no file"
        raise BadLoadInput(
            f"trace: {name} {lack}; {CODE_WEEK} stands for a published week that "
            f"needs none, and 'cynosure traces list' names what can be fetched"
        )
    trace = read_trace(path, only)
    for note in trace.notes:
        sys.stderr.write(f"{name}: {note}\n")
    return trace


def add_only_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only the rows that have it, such as client=3",
    )


def only_of(arguments: argparse.Namespace) -> dict[str, str]:
    wrong = next((text for text in arguments.only if "=" not in text), None)
    if wrong:
        raise BadLoadInput(f"only: {wrong!r} cannot be read; write COLUMN=VALUE, such as client=3")
    return dict(text.split("=", 1) for text in arguments.only)
