"""``cynosure reports``: two reports of a replay side by side, such as of one that was sent and one simulated."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loadgen.errors import BadLoadInput
from loadgen.report import Report

_LATENCIES = ("ttft_ms", "tpot_ms", "itl_ms", "latency_ms")
_COUNTS = ("offered", "sent", "succeeded", "failed", "late")
_FIDELITY = ("send_lag_ms_p99", "rate_rmse", "rate_wape")
Row = tuple[str, float | None, float | None]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("reports", help="lay two reports of a replay side by side", description=__doc__)
    parser.add_argument("first", type=Path, metavar="FILE", help="report.json of a TrafficReplay, or of `replay`")
    parser.add_argument("second", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if both have the same verdict, else 1; BadLoadInput for what is no report."""
    first, second = (_read(path) for path in (arguments.first, arguments.second))
    rows = list(side_by_side(first, second))
    same = first["schedule"] == second["schedule"]
    if arguments.json:
        told = {name: [a, b] for name, a, b in rows}
        sys.stdout.write(json.dumps({"same_schedule": same, **told}, allow_nan=False) + "\n")
    else:
        sys.stdout.writelines(_lines(first, second, rows))
    if not same:
        sys.stderr.write("reports: the two are of different schedules, so that they need not be alike\n")
    return 0 if first["verdict"]["met"] == second["verdict"]["met"] else 1


def side_by_side(first: Report, second: Report) -> Iterator[Row]:
    """Yield what both may have by name, None where one has nothing: a simulation knows nothing of sending."""
    flat = [dict(_flat(report)) for report in (first, second)]
    for name in {**flat[0], **flat[1]}:
        yield name, flat[0].get(name), flat[1].get(name)


def _flat(report: Report) -> Iterator[tuple[str, float | None]]:
    verdict = report["verdict"]
    yield "attainment", verdict["attainment"]
    yield from zip(("attainment_low_95", "attainment_high_95"), verdict["attainment_interval_95"], strict=True)
    yield from ((target["target"], target["share"]) for target in verdict["targets"])
    for name in _LATENCIES:
        yield from ((f"{name}_{percentile}", value) for percentile, value in report[name].items())
    yield from ((name, report[name]) for name in (*_COUNTS, *_FIDELITY))


def _lines(first: Report, second: Report, rows: list[Row]) -> Iterator[str]:
    yield f"{'':24} {first['engine']:>12} {second['engine']:>12} {'difference':>11}\n"
    for name, a, b in rows:
        apart = f"{b / a - 1:+.1%}" if a and b is not None else ""
        yield f"{name:24} {_said(a):>12} {_said(b):>12} {apart:>11}\n"


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _read(path: Path) -> Report:
    try:
        report: Any = json.loads(path.read_text(encoding="utf-8"))
        list(_flat(report))
        _ = report["engine"], report["schedule"], report["verdict"]["met"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadLoadInput(
            f"{path}: no report of a replay ({error}); use the file of `cynosure replay --report`, or the report.json "
            f"that the ConfigMap of a TrafficReplay holds"
        ) from None
    return dict(report)
