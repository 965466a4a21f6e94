"""``cynosure replay``: a trace, a target, a verdict."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from loadgen import k6, stress
from loadgen.comparison import compare
from loadgen.engine import OpenLoop
from loadgen.errors import BadLoadInput
from loadgen.options import add_engine_options, engine_options_of, targets_of
from loadgen.outcomes import Outcomes
from loadgen.page import page_of
from loadgen.play import play_side_by_side
from loadgen.populate import populated
from loadgen.report import Report, check_measurable, check_writable, report_of, write_report
from loadgen.schedule import Kind, Schedule
from loadgen.shaping import add_shaping_options, schedule_of, shape_of
from loadgen.slo import Slo
from loadgen.targets import Target, admit
from loadgen.user_options import add_user_options, users_of
from loadgen.users import Users

_MUCH_LATE = 0.01


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "replay", help="replay a public trace against a server and judge it by an SLO", description=__doc__
    )
    add_shaping_options(parser)
    parser.add_argument("--engine", choices=("builtin", "k6", "stress"), default="builtin")
    parser.add_argument("--report", type=Path, default=Path("replay-report.json"), metavar="FILE")
    parser.add_argument("--html", type=Path, metavar="FILE", help="the report as one page with plots too")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")
    parser.add_argument(
        "--versus", metavar="URL", help="another target that gets the same schedule at the same time, and a comparison"
    )
    parser.add_argument(
        "--write-schedule", type=Path, metavar="FILE", help="keep the schedule for a later --trace, and send nothing"
    )
    add_user_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if the SLO was met (or, with none, all succeeded), else 1; BadLoadInput for what cannot be run."""
    slo = Slo.parse(arguments.slo)
    if arguments.write_schedule:
        return _write_schedule(arguments)
    for path in filter(None, (arguments.report, arguments.html)):
        check_writable(path)
    report = _stressed(arguments) if arguments.engine == "stress" else _requested(arguments, slo)
    report["report"] = str(arguments.report)
    write_report(report, arguments.report)
    _warn_if_late(report)
    sys.stdout.write(json.dumps(report, allow_nan=False) + "\n" if arguments.json else _summary(report))
    return 0 if report["verdict"]["met"] else 1


def _stressed(arguments: argparse.Namespace) -> Report:
    if users_of(arguments) != Users():
        raise BadLoadInput("patience, retries and mix: --engine stress sends no requests; use --engine builtin")
    return stress.replay(shape_of(arguments))


def _write_schedule(arguments: argparse.Namespace) -> int:
    check_writable(arguments.write_schedule)
    kind = next(iter(targets_of(arguments))) if arguments.target else Kind.COMPLETION
    schedule = _schedule(arguments, kind)
    size = arguments.write_schedule.write_bytes(schedule.to_bytes())
    said = {"schedule": str(arguments.write_schedule), "requests": len(schedule), "size_bytes": size}
    sys.stdout.write((json.dumps(said) if arguments.json else f"{said['schedule']}: {len(schedule)} requests") + "\n")
    return 0


def _requested(arguments: argparse.Namespace, slo: Slo) -> Report:
    targets, options = targets_of(arguments), engine_options_of(arguments)
    if len(targets) > 1:
        raise BadLoadInput("target: a trace is replayed on one target; run one replay for each, or --versus the other")
    check_measurable(slo, set(targets))
    (target,) = targets.values()
    rival = _rival(arguments, target)
    schedule = _schedule(arguments, target.kind)
    if arguments.engine == "k6":
        outcomes = [k6.replay(schedule, target, options, arguments.report.with_suffix(".k6"))]
        return _judged(outcomes, slo, arguments.html)
    sides = [target] if rival is None else [target, rival]
    engines = [OpenLoop(schedule, {side.kind: side}, options) for side in sides]
    return _judged(play_side_by_side(engines, options.max_connections), slo, arguments.html)


def _schedule(arguments: argparse.Namespace, kind: Kind) -> Schedule:
    users = users_of(arguments)
    return populated(schedule_of(arguments, kind), users, arguments.seed)


def _judged(outcomes: Sequence[Outcomes], slo: Slo, html: Path | None) -> Report:
    reports = [report_of(each, slo) for each in outcomes]
    report, *others = reports
    if others:
        report["versus"] = others[0]
        report["comparison"] = compare(outcomes[0], outcomes[1], slo)
    if html:
        html.write_text(page_of(outcomes, reports), encoding="utf-8")
    return report


def _rival(arguments: argparse.Namespace, target: Target) -> Target | None:
    if arguments.versus is None:
        return None
    rival = admit(arguments.versus, arguments.allow_target, arguments.model, arguments.prompt)
    if rival.kind is not target.kind or arguments.engine != "builtin":
        raise BadLoadInput(f"versus: {rival.url} takes other requests than {target.url}, or --engine is not builtin")
    return rival


def _warn_if_late(report: Report) -> None:
    late, unsent = report["late"], report.get("unsent", 0)
    if late > _MUCH_LATE * report["sent"] or unsent:
        sys.stderr.write(
            f"replay: {late} of {report['sent']} were sent more than {report['late_after_ms']:g} ms late and {unsent} "
            f"not at all: this machine or --max-connections is too small for this peak, and latencies count the wait\n"
        )


def _summary(report: Report) -> str:
    verdict, failures = report["verdict"], report["failures"]
    lines = [
        f"sent {report['sent']} of {report['offered']}, succeeded {report['succeeded']}, late {report['late']}",
        *_again(report),
        *([f"failures: {', '.join(f'{reason} {count}' for reason, count in failures.items())}"] if failures else []),
        *(f"{_whose(t)}{t['target']}: {t['share']:.2%} of {t['needed_share']:.2%}" for t in verdict["targets"]),
        f"attainment {verdict['attainment']:.2%}: {'met' if verdict['met'] else 'missed'}",
        *(f"{name}: attainment {each['attainment']:.2%}" for name, each in report.get("classes", {}).items()),
        *([_compared(report["comparison"])] if "comparison" in report else []),
        f"report: {report['report']}",
    ]
    return "\n".join(lines) + "\n"


def _whose(target: Report) -> str:
    return f"{target['class']}: " if "class" in target else ""


def _again(report: Report) -> list[str]:
    attempts = report.get("attempts")
    if not attempts or not attempts["retried_requests"]:
        return []
    return [f"retried {attempts['retried_requests']}, of which succeeded {attempts['retried_and_succeeded']}"]


def _compared(comparison: Report) -> str:
    low, high = comparison["attainment_difference_interval_95"]
    return (
        f"first less second: attainment {comparison['attainment_difference']:+.2%} (95 %: {low:+.2%} to {high:+.2%}), "
        f"decided: {comparison['decided'] or 'neither'}"
    )
