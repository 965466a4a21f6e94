"""``cynosure testbed up|down|status``."""

import argparse
import json
from typing import TYPE_CHECKING

from cynosure.errors import BadInput

from testbed import lifecycle
from testbed.choice import choose_cluster
from testbed.cluster import DEFAULT_NAME
from testbed.foreign import simulate_gpus
from testbed.programs import kubectl_path
from testbed.progress import timed_progress

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def register(commands: "Commands") -> None:
    parser = commands.add_parser("testbed", help="a real Kubernetes on this machine, with simulated GPUs")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    up = _action(actions, "up", "bring it up, or what is missing of it")
    up.add_argument(
        "--nodes-only-control-plane",
        action="store_true",
        help="no kubelets: nodes and pods are objects only, whose status is set as if they ran",
    )
    up.add_argument("--ready-delay-seconds", type=float, default=0.0, help="start-up time of such pods")
    up.set_defaults(run=_up)
    _action(actions, "down", "take it away and leave nothing behind").set_defaults(run=_down)
    _action(actions, "status", "what runs of it").set_defaults(run=_status)


def _action(actions: "Commands", name: str, help_text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=help_text)
    parser.add_argument("--name", default=DEFAULT_NAME, help=f"which testbed (default: {DEFAULT_NAME})")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _up(arguments: argparse.Namespace) -> int:
    progress, kubelets = timed_progress(), not arguments.nodes_only_control_plane
    choice = choose_cluster()
    if kubelets and choice.kind == "kind":
        raise BadInput(
            f"{choice.reason}: run `kind create cluster --config testbed/kind.yaml`, then set "
            f"CYNOSURE_CONTEXT={choice.context} and run this again (`make demo` does both)"
        )
    if kubelets and choice.context:
        progress(choice.reason)
        nodes = simulate_gpus(kubectl_path(progress), choice.context)
        _print(arguments, {"context": choice.context, "ready": True, "nodes": nodes})
        return 0
    lifecycle.up(arguments.name, progress, kubelets=kubelets, ready_delay_seconds=arguments.ready_delay_seconds)
    return _status(arguments)


def _down(arguments: argparse.Namespace) -> int:
    gone = lifecycle.down(arguments.name, timed_progress())
    _print(arguments, {"name": arguments.name, "removed": gone})
    return 0


def _status(arguments: argparse.Namespace) -> int:
    found = lifecycle.status(arguments.name)
    if found is None:
        _print(arguments, {"name": arguments.name, "ready": False})
        return 1
    _print(arguments, found)
    return 0 if found["ready"] else 1


def _print(arguments: argparse.Namespace, answer: dict[str, object]) -> None:
    if arguments.json:
        print(json.dumps(answer))  # noqa: T201
        return
    for key, value in answer.items():
        print(f"{key}: {json.dumps(value) if isinstance(value, dict | list) else value}")  # noqa: T201
