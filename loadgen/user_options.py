"""The command-line options that say how users behave."""

import argparse
from typing import get_args

from loadgen.errors import BadLoadInput
from loadgen.users import Distribution, Patience, Users


def add_user_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patience-seconds", type=float, metavar="S", help="users wait S for the first token on average, then go away"
    )
    parser.add_argument(
        "--patience-distribution", choices=get_args(Distribution), help="of their patience; default: exponential"
    )


def users_of(arguments: argparse.Namespace) -> Users:
    """BadLoadInput for an option that cannot be, or that changes nothing."""
    return Users(_patience(arguments))


def _patience(arguments: argparse.Namespace) -> Patience | None:
    if arguments.patience_seconds is not None:
        return Patience(arguments.patience_seconds, arguments.patience_distribution or "exponential")
    if arguments.patience_distribution:
        raise BadLoadInput("patience distribution: of no patience; add --patience-seconds 10")
    return None
