"""``cynosure crds apply|diff``: Helm installs CRDs once and never again, so upgrades need this."""

import argparse
import asyncio
import json
from typing import TYPE_CHECKING

from cynosure.api import crds
from cynosure.errors import NotFound
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials
from cynosure.kube.port import CUSTOM_RESOURCE_DEFINITIONS, Body, KubeApi
from cynosure.settings import KubernetesSettings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def register(commands: "Commands") -> None:
    parser = commands.add_parser("crds", help="the custom resource definitions of this version")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, run, text in (
        ("apply", _apply, "install them, or bring them up to date"),
        ("diff", _diff, "say which differ from the cluster's; exit 1 if one does"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--context", help="kubeconfig context (default: the current one)")
        action.add_argument("--json", action="store_true", help="print one JSON document")
        action.set_defaults(run=run)


def _apply(arguments: argparse.Namespace) -> int:
    async def apply() -> list[str]:
        async with HttpKubeApi(load_credentials(arguments.context), KubernetesSettings()) as api:
            for body in crds.manifests():
                # nobody else may own what this version defines
                await api.apply(CUSTOM_RESOURCE_DEFINITIONS, body, force=True)
        return [body["metadata"]["name"] for body in crds.manifests()]

    _print(arguments, {"applied": asyncio.run(apply())})
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    async def differing() -> list[str]:
        async with HttpKubeApi(load_credentials(arguments.context), KubernetesSettings()) as api:
            return [body["metadata"]["name"] for body in crds.manifests() if await _differs(api, body)]

    found = asyncio.run(differing())
    _print(arguments, {"differ": found})
    return 1 if found else 0


async def _differs(api: KubeApi, body: Body) -> bool:
    """Let the server say what an apply would make of it: what it fills in by itself is no difference."""
    try:
        standing = await api.get(CUSTOM_RESOURCE_DEFINITIONS, body["metadata"]["name"])
    except NotFound:
        return True
    wanted = await api.apply(CUSTOM_RESOURCE_DEFINITIONS, body, force=True, dry_run=True)
    return bool(standing["spec"] != wanted["spec"])


def _print(arguments: argparse.Namespace, answer: dict[str, list[str]]) -> None:
    if arguments.json:
        print(json.dumps(answer))  # noqa: T201
        return
    for verb, names in answer.items():
        print(f"{verb}: {', '.join(names) or 'none'}")  # noqa: T201
