"""``cynosure replay``: a trace, a target, a verdict."""

import argparse
import json
import sys
from pathlib import Path
from typing import get_args

from loadgen import k6, stress
from loadgen.arrivals import USUAL_BURSTS, USUAL_SESSIONS, Arrivals, Bursts, Sessions
from loadgen.build import Recipe, TokenLimit, build_schedule
from loadgen.engine import OpenLoop
from loadgen.errors import BadLoadInput
from loadgen.options import add_engine_options, engine_options_of, targets_of
from loadgen.outcomes import Outcomes
from loadgen.pipeline import FORMS, parse_transforms
from loadgen.play import play_to_the_end
from loadgen.published import CODE_WEEK, code_tokens
from loadgen.readers import read_requests
from loadgen.report import Report, check_measurable, check_writable, report_of, write_report
from loadgen.schedule import Kind, Schedule
from loadgen.slo import Slo
from loadgen.sources import add_only_option, only_of, trace_of
from loadgen.tokens import TokenLengths, TraceTokens
from loadgen.trace import RateSeries, RequestTrace
from loadgen.transforms import Compress, Day, ScaleToPeak, Slice, Transform, positive

_MUCH_LATE = 0.01
_FORMS = {"bursts": "TIMES:SHARE:SECONDS", "sessions": "TURNS:THINK_SECONDS"}


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "replay", help="replay a public trace against a server and judge it by an SLO", description=__doc__
    )
    parser.add_argument(
        "--trace", required=True, metavar="FILE", help=f"requests or rates in any published form, or {CODE_WEEK}"
    )
    add_only_option(parser)
    parser.add_argument("--tokens", type=Path, metavar="FILE", help="a request trace to draw token lengths from")
    parser.add_argument(
        "--transform",
        action="append",
        default=[],
        metavar="STEP",
        help=f"applied in the order given, before --day and what follows it: {', '.join(FORMS)}",
    )
    parser.add_argument("--day", type=int, metavar="N", help="only the N-th calendar day (UTC), from 0")
    parser.add_argument("--speedup", type=float, metavar="X", help="play X times as fast")
    parser.add_argument(
        "--duration-seconds", type=float, metavar="S", help="only the first S seconds of what is played"
    )
    parser.add_argument(
        "--peak-rps", type=float, metavar="R", help="scale the largest 60 s mean of what is played to R"
    )
    parser.add_argument("--arrivals", choices=get_args(Arrivals), help="default: exact for requests, poisson for rates")
    parser.add_argument("--cv", type=float, help="coefficient of variation of gamma arrivals; default: the trace's own")
    parser.add_argument(
        "--bursts",
        metavar=_FORMS["bursts"],
        help="of mmpp arrivals: TIMES the rate for SHARE of the time, SECONDS at once (default 4:0.1:10)",
    )
    parser.add_argument(
        "--sessions",
        metavar=_FORMS["sessions"],
        help="of sessions arrivals: requests of one user (default 4:20)",
    )
    parser.add_argument("--max-input-tokens", type=int, metavar="N", help="cut longer prompts")
    parser.add_argument("--max-output-tokens", type=int, metavar="N", help="cut longer answers")
    parser.add_argument("--engine", choices=("builtin", "k6", "stress"), default="builtin")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, default=Path("replay-report.json"), metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if the SLO was met (or, with none, all succeeded), else 1; BadLoadInput for what cannot be run."""
    slo = Slo.parse(arguments.slo)
    check_writable(arguments.report)
    report = _stressed(arguments) if arguments.engine == "stress" else _requested(arguments, slo)
    report["report"] = str(arguments.report)
    write_report(report, arguments.report)
    _warn_if_late(report)
    sys.stdout.write(json.dumps(report, allow_nan=False) + "\n" if arguments.json else _summary(report))
    return 0 if report["verdict"]["met"] else 1


def _requested(arguments: argparse.Namespace, slo: Slo) -> Report:
    targets, options = targets_of(arguments), engine_options_of(arguments)
    if len(targets) > 1:
        raise BadLoadInput("target: a trace is replayed on one target; run one replay for each")
    check_measurable(slo, set(targets))
    (target,) = targets.values()
    schedule = _schedule(arguments, target.kind)
    if arguments.engine == "k6":
        outcomes: Outcomes = k6.replay(schedule, target, options, arguments.report.with_suffix(".k6"))
    else:
        outcomes = play_to_the_end(OpenLoop(schedule, targets, options), options.max_connections)
    return report_of(outcomes, slo)


def _stressed(arguments: argparse.Namespace) -> Report:
    return stress.replay(_schedule(arguments, Kind.CLASSIFICATION))


def _schedule(arguments: argparse.Namespace, kind: Kind) -> Schedule:
    trace = trace_of(arguments.trace, only_of(arguments))
    recipe = Recipe(
        transforms=_transforms(arguments),
        arrivals=arguments.arrivals,
        cv=arguments.cv,
        bursts=Bursts(*_numbers("bursts", arguments.bursts, 3)) if arguments.bursts else USUAL_BURSTS,
        sessions=Sessions(*_numbers("sessions", arguments.sessions, 2)) if arguments.sessions else USUAL_SESSIONS,
        tokens=_tokens(arguments.tokens, trace),
        limit=TokenLimit(arguments.max_input_tokens, arguments.max_output_tokens),
        kind=kind,
        seed=arguments.seed,
    )
    return build_schedule(trace, recipe)


def _tokens(path: Path | None, trace: RateSeries | RequestTrace) -> TokenLengths | None:
    if path:
        return TraceTokens(read_requests(path))
    return code_tokens() if isinstance(trace, RateSeries) or not trace.has_tokens else None


def _transforms(arguments: argparse.Namespace) -> list[Transform]:
    steps = parse_transforms(arguments.transform)
    steps += [Day(arguments.day)] if arguments.day is not None else []
    steps += [Compress(arguments.speedup)] if arguments.speedup is not None else []
    if arguments.duration_seconds is not None:
        steps.append(Slice(0.0, positive("duration", arguments.duration_seconds)))
    return [*steps, ScaleToPeak(arguments.peak_rps)] if arguments.peak_rps is not None else steps


def _numbers(what: str, text: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise BadLoadInput(f"{what}: {text!r} cannot be read; write {_FORMS[what]}")
    return numbers


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
        *([f"failures: {', '.join(f'{reason} {count}' for reason, count in failures.items())}"] if failures else []),
        *(f"{t['target']}: {t['share']:.2%} of {t['needed_share']:.2%}" for t in verdict["targets"]),
        f"attainment {verdict['attainment']:.2%}: {'met' if verdict['met'] else 'missed'}",
        f"report: {report['report']}",
    ]
    return "\n".join(lines) + "\n"
