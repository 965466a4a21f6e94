"""From the options of a command line to a schedule: which trace, what is done to it, how arrivals are drawn."""

import argparse
from pathlib import Path
from typing import get_args

from loadgen.arrivals import USUAL_BURSTS, USUAL_SESSIONS, Arrivals, Bursts, Sessions
from loadgen.build import Recipe, TokenLimit, build_schedule
from loadgen.columns import MAGIC
from loadgen.errors import BadLoadInput
from loadgen.pipeline import FORMS, parse_transforms
from loadgen.published import CODE_WEEK, code_tokens
from loadgen.readers import read_requests
from loadgen.schedule import Kind, Schedule
from loadgen.sources import add_only_option, only_of, trace_of
from loadgen.tokens import TokenLengths, TraceTokens
from loadgen.trace import RateSeries, RequestTrace
from loadgen.transforms import Compress, Day, ScaleToPeak, Slice, Transform, positive

_SHAPE_PEAK_RPS = 20.0
"""Fine enough for steps of a few percent, and few enough for a day."""

_FORMS = {"bursts": "TIMES:SHARE:SECONDS", "sessions": "TURNS:THINK_SECONDS"}
_SHAPING = (
    "only",
    "tokens",
    "transform",
    "day",
    "speedup",
    "duration_seconds",
    "peak_rps",
    "arrivals",
    "cv",
    "bursts",
    "sessions",
    "max_input_tokens",
    "max_output_tokens",
)


def add_shaping_options(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")


def schedule_of(arguments: argparse.Namespace, kind: Kind) -> Schedule:
    """Return the schedule that the options describe; a file that holds one already is taken as it is."""
    if (saved := _saved(arguments)) is not None:
        return saved
    return _built(arguments, kind)


def shape_of(arguments: argparse.Namespace) -> Schedule:
    """Return a schedule of which only the shape counts: evenly spaced requests show it best, whatever their number."""
    if (saved := _saved(arguments)) is not None:
        return saved
    arguments.arrivals = arguments.arrivals or "exact"
    arguments.peak_rps = arguments.peak_rps or _SHAPE_PEAK_RPS
    return _built(arguments, Kind.CLASSIFICATION)


def _built(arguments: argparse.Namespace, kind: Kind) -> Schedule:
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


def _saved(arguments: argparse.Namespace) -> Schedule | None:
    path = Path(arguments.trace)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return None
    given = next((name for name in _SHAPING if getattr(arguments, name)), None)
    if given:
        raise BadLoadInput(
            f"{path}: is a schedule, which --{given.replace('_', '-')} cannot change; shape its trace instead"
        )
    return Schedule.from_bytes(path.read_bytes(), str(path))


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
