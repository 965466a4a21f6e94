"""A cluster as the person sees it who runs a command: their kubeconfig, so RBAC and admission apply to them."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from cynosure.api import Invalid, parse
from cynosure.api.metadata import Resource as Kind
from cynosure.errors import BadInput, Refused
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials
from cynosure.kube.port import Body, KubeApi, Resource
from cynosure.settings import KubernetesSettings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_T = TypeVar("_T")
_R = TypeVar("_R", bound=Kind)


def add_command(commands: "Commands", name: str, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    add_cluster_options(parser)
    return parser


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="default: $KUBECONFIG, else ~/.kube/config")
    parser.add_argument("--context", metavar="NAME", help="of the kubeconfig (default: the current one)")
    parser.add_argument("-n", "--namespace", metavar="NAME", help="default: that of the context")


def as_caller(arguments: argparse.Namespace, ask: Callable[[KubeApi], Awaitable[_T]]) -> _T:
    """Run ``ask`` as the person whose kubeconfig it is."""
    if arguments.kubeconfig:
        os.environ["KUBECONFIG"] = str(arguments.kubeconfig)

    async def run() -> _T:
        credentials = load_credentials(arguments.context)
        async with HttpKubeApi(credentials, KubernetesSettings(context=arguments.context)) as api:
            return await ask(api)

    return asyncio.run(run())


def namespace_of(arguments: argparse.Namespace) -> str:
    """As kubectl chooses it: the option, the context's, ``default``."""
    if arguments.namespace:
        return str(arguments.namespace)
    named = arguments.kubeconfig or os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    path = Path(named) if named else Path.home() / ".kube" / "config"
    if not path.is_file():
        return "default"
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    wanted = arguments.context or config.get("current-context")
    contexts = {entry["name"]: entry.get("context") or {} for entry in config.get("contexts") or []}
    return str(contexts.get(wanted, {}).get("namespace") or "default")


async def every(api: KubeApi, resource: Resource, kind: type[_R], namespace: str | None = None) -> list[_R]:
    """Those that can be read as ``kind``."""
    found = [parse(kind, body) for body in (await api.list(resource, namespace=namespace)).items]
    return [one for one in found if not isinstance(one, Invalid)]


async def every_allowed(api: KubeApi, resource: Resource, kind: type[_R], namespace: str | None = None) -> list[_R]:
    """As ``every``; nothing where the person may not list them."""
    try:
        return await every(api, resource, kind, namespace)
    except Refused:
        return []


def parsed(kind: type[_R], body: Body) -> _R:
    found = parse(kind, body)
    if isinstance(found, Invalid):
        raise BadInput(f"{found.namespace}/{found.name}: {found.message}")
    return found


def listed(known: list[str]) -> str:
    """Names, for a message."""
    return ", ".join(sorted(known)[:10]) or "none"


def say(text: str) -> None:
    print(text)  # noqa: T201
