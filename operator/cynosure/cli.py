"""The program ``cynosure``: one command, subcommands from the rooms, exit codes 0, 1 and 2."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from cynosure import __version__
from cynosure.errors import CynosureError

COMMANDS = (
    "cynosure.app",
    "cynosure.crds_command",
    "cynosure.doctor_command",
    "cynosure.intent_command",
    "cynosure.service_command",
    "cynosure.stop_command",
    "cynosure.catalog_command",
    "cynosure.forecast.command",
    "cynosure.place.command",
    "cynosure.size.command",
    "cynosure.twin.command",
    "loadgen.command",
    "loadgen.reports_command",
    "loadgen.traces_command",
    "testbed.command",
)
"""Modules with ``register(commands)``; imported only when the program starts."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other bad input does; commands inherit it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="cynosure", description="Serve AI models on shared GPUs within an SLO, ahead of the load, and say why."
    )
    parser.add_argument("--version", action="version", version=f"cynosure {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        importlib.import_module(module).register(commands)
    _register_ask(commands)
    return parser


def _register_ask(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """``ask`` knows no cluster by itself: the language engine is given what reads and writes one."""
    names = ("cynosure.caller", "cynosure.intent_command", "llm_engine.command")
    caller, intents, language = map(importlib.import_module, names)
    ask = language.register(commands, read_catalog=intents.read_catalog, create_intent=intents.create_intent)
    caller.add_cluster_options(ask)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; bad input ends with 2 and one line, never with a traceback."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (ValueError, CynosureError, OSError) as error:
        print(f"cynosure: {error}", file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, ValueError | FileNotFoundError) else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
