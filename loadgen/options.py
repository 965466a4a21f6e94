"""The command-line options that `cynosure replay` and the Job share."""

import argparse

from loadgen.engine import EngineOptions
from loadgen.errors import BadLoadInput
from loadgen.schedule import Kind
from loadgen.targets import PROMPTS, Target, admit_all


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    defaults = EngineOptions()
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="URL",
        help="where to: an OpenAI server, or .../v2/models/NAME/infer; once for each",
    )
    parser.add_argument(
        "--allow-target",
        action="append",
        default=[],
        metavar="HOST",
        help="another host that you may put load on (loopback, private addresses and Services need no leave)",
    )
    parser.add_argument("--model", help="the model's name in completion requests")
    parser.add_argument(
        "--prompt",
        choices=PROMPTS,
        default="ids",
        help="a prompt of N tokens as token ids, as text of about N tokens, or only as a count (emulated engine)",
    )
    parser.add_argument("--slo", default="", metavar="TARGETS", help="such as ttft_p95_ms=400,tpot_p95_ms=40")
    parser.add_argument("--timeout-seconds", type=float, default=defaults.timeout_seconds)
    parser.add_argument("--max-connections", type=int, default=defaults.max_connections)
    parser.add_argument(
        "--new-connections",
        action="store_true",
        help="one for each request, so that a Service spreads them over new pods too",
    )


def targets_of(arguments: argparse.Namespace) -> dict[Kind, Target]:
    if not arguments.target:
        raise BadLoadInput("target: none given; add --target http://HOST:PORT")
    return admit_all(arguments.target, arguments.allow_target, arguments.model, arguments.prompt)


def engine_options_of(arguments: argparse.Namespace) -> EngineOptions:
    return EngineOptions(arguments.timeout_seconds, arguments.max_connections, not arguments.new_connections)
