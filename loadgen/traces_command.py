"""``cynosure traces``: which public traces there are, what a trace is like, and fetching one."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadgen.catalogue import TRACES, PublicTrace, public_trace
from loadgen.fetch import fetch
from loadgen.sources import add_only_option, only_of, trace_of
from loadgen.statistics import plot, statistics


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    traces = commands.add_parser("traces", help="public traces, and what a trace file is like", description=__doc__)
    actions = traces.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the public traces that are known; nothing is fetched")
    listing.set_defaults(run=list_traces)
    show = actions.add_parser("show", help="statistics and a plot of a file, or the terms of a public trace")
    show.add_argument("trace", metavar="FILE|NAME")
    add_only_option(show)
    show.set_defaults(run=show_trace)
    get = actions.add_parser("get", help="fetch a public trace, check it, and keep it in a file")
    get.add_argument("trace", metavar="NAME")
    get.add_argument("--to", type=Path, metavar="FILE", help="default: its own name, in this folder")
    get.set_defaults(run=get_trace)
    for action in (listing, show, get):
        action.add_argument("--json", action="store_true", help="print one JSON document")


def list_traces(arguments: argparse.Namespace) -> int:
    if arguments.json:
        return _print([asdict(trace) for trace in TRACES])
    width = max(len(trace.name) for trace in TRACES)
    lines = [f"{t.name:{width}}  {_size(t):>8}  {t.title}: {t.holds}; {t.licence}" for t in TRACES]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def show_trace(arguments: argparse.Namespace) -> int:
    """BadLoadInput for what is neither a file nor a known name."""
    if not Path(arguments.trace).exists() and arguments.trace in {trace.name for trace in TRACES}:
        return _show_public(public_trace(arguments.trace), as_json=arguments.json)
    trace = trace_of(arguments.trace, only_of(arguments))
    said = statistics(trace)
    if arguments.json:
        return _print(said)
    sys.stdout.write(f"{_table(said)}\n\n{plot(trace)}\n")
    return 0


def get_trace(arguments: argparse.Namespace) -> int:
    trace = public_trace(arguments.trace)
    to = arguments.to or Path(trace.file or trace.name)
    sys.stderr.write(f"{trace.url or trace.page}: {_size(trace)}, {trace.licence}; cite {trace.cite}\n")
    size = fetch(trace, to)
    answer = {"trace": trace.name, "file": str(to), "size_bytes": size, "checked": trace.sha256 is not None}
    if arguments.json:
        return _print(answer)
    checked = "as published" if trace.sha256 else "no checksum is known to compare it with"
    sys.stdout.write(f"{to}: {size} bytes, {checked}; 'cynosure traces show {to}' says what it holds\n")
    return 0


def _show_public(trace: PublicTrace, *, as_json: bool) -> int:
    return _print(asdict(trace)) if as_json else _write(_table({k: v for k, v in asdict(trace).items() if v}))


def _table(values: dict[str, Any]) -> str:
    return "\n".join(f"{key:20} {_said(value)}" for key, value in values.items() if value not in (None, []))


def _said(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _size(trace: PublicTrace) -> str:
    return f"{trace.size_bytes / 1e6:.1f} MB" if trace.size_bytes else "size ?"


def _print(document: object) -> int:
    return _write(json.dumps(document, allow_nan=False))


def _write(text: str) -> int:
    sys.stdout.write(text + "\n")
    return 0
