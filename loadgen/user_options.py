"""The command-line options that say how users behave."""

import argparse
from pathlib import Path
from typing import get_args

from loadgen.errors import BadLoadInput
from loadgen.mix import RequestClass, read_mix
from loadgen.retries import Retries
from loadgen.users import Distribution, Patience, Users

_LENGTHS = ("tokens", "max_input_tokens", "max_output_tokens")


def add_user_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patience-seconds", type=float, metavar="S", help="users wait S for the first token on average, then go away"
    )
    parser.add_argument(
        "--patience-distribution", choices=get_args(Distribution), help="of their patience; default: exponential"
    )
    defaults = Retries()
    parser.add_argument(
        "--retries",
        type=int,
        metavar="N",
        help="send a request again that was refused, or answered by 429 or 5xx, at most N times (default: not at all)",
    )
    parser.add_argument(
        "--retry-backoff-seconds",
        type=float,
        metavar="S",
        help=f"the first retry comes within S, each later one within twice that (default {defaults.backoff_seconds:g})",
    )
    parser.add_argument(
        "--retry-budget",
        type=float,
        metavar="SHARE",
        help=f"retries are at most this share of the requests, and ten (default {defaults.budget_share:g})",
    )
    parser.add_argument(
        "--mix",
        type=Path,
        metavar="FILE",
        help="classes of requests with weights, lengths and SLOs of their own (YAML)",
    )


def users_of(arguments: argparse.Namespace) -> Users:
    """BadLoadInput for an option that cannot be, or that changes nothing."""
    return Users(_patience(arguments), _retries(arguments), _mix(arguments))


def _patience(arguments: argparse.Namespace) -> Patience | None:
    if arguments.patience_seconds is not None:
        return Patience(arguments.patience_seconds, arguments.patience_distribution or "exponential")
    if arguments.patience_distribution:
        raise BadLoadInput("patience distribution: of no patience; add --patience-seconds 10")
    return None


def _mix(arguments: argparse.Namespace) -> tuple[RequestClass, ...]:
    if arguments.mix is None:
        return ()
    if other := next((name for name in _LENGTHS if getattr(arguments, name)), None):
        raise BadLoadInput(f"mix: has the lengths of its classes, which --{other.replace('_', '-')} cannot change")
    return read_mix(arguments.mix)


def _retries(arguments: argparse.Namespace) -> Retries | None:
    given = {"backoff_seconds": arguments.retry_backoff_seconds, "budget_share": arguments.retry_budget}
    chosen = {name: value for name, value in given.items() if value is not None}
    if arguments.retries is not None:
        return Retries(arguments.retries, **chosen)
    if chosen:
        raise BadLoadInput("retry backoff and budget: of no retries; add --retries 3")
    return None
