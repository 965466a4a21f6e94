"""Intents from a shell, with the caller's own rights: ask, approve, deny, undo, explain."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from cynosure.errors import BadInput, NotFound
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import current_namespace, load_credentials
from cynosure.kube.port import INFERENCE_SERVICES, INTENT_APPROVALS, SCALING_INTENTS, Body, KubeApi
from cynosure.reconcile.lifecycle.language import catalog_of
from cynosure.reconcile.lifecycle.picture import read_facts
from cynosure.settings import KubernetesSettings
from llm_engine import Catalog

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_VERSION = "cynosure.dev/v1alpha1"
_PLAN_SECONDS = 60.0
_POLL_SECONDS = 1.0

Answer = TypeVar("Answer")


def register(commands: "Commands") -> None:
    approve = _command(commands, "approve", "approve the plan of an intent", _decide("Approved"))
    deny = _command(commands, "deny", "deny the plan of an intent", _decide("Denied"))
    for parser in (approve, deny):
        parser.add_argument("intent", help="name of the ScalingIntent")
        parser.add_argument("--digest", help="of the plan that you have seen (default: the present one)")
        parser.add_argument("--reason", default="", help="kept with the decision")
    undo = _command(commands, "undo", "ask to take an intent back", _undo)
    undo.add_argument("intent", nargs="?", default="", help="name of the ScalingIntent (default: the last one)")
    explain = _command(commands, "explain", "say what was decided about a service, and why", _explain)
    explain.add_argument("service", help="name of the InferenceService")
    explain.add_argument("--json", action="store_true", help="print one JSON document")


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--namespace", help="namespace (default: that of the kubeconfig's context)")
    parser.add_argument("--context", help="kubeconfig context (default: the current one)")


def read_catalog(arguments: argparse.Namespace) -> Catalog:
    """Return what can be asked about in the caller's namespace, as the caller may read it."""

    async def read(api: KubeApi) -> Catalog:
        namespace = _namespace(arguments)
        return catalog_of(await read_facts(api, namespace), namespace)

    return _with_cluster(arguments, read)


def create_intent(arguments: argparse.Namespace, text: str) -> int:
    """Create a ScalingIntent with this text, wait for its plan, and say how to approve it."""

    async def create(api: KubeApi) -> Body:
        created = await api.create(SCALING_INTENTS, _intent(_namespace(arguments), {"text": text}))
        return await _planned(api, created)

    return _report(_with_cluster(arguments, create))


def _decide(decision: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        async def decide(api: KubeApi) -> Body:
            namespace = _namespace(arguments)
            digest = arguments.digest or await _present_digest(api, arguments.intent, namespace)
            spec = {"intent": arguments.intent, "planDigest": digest, "decision": decision, "reason": arguments.reason}
            metadata = {"generateName": f"{arguments.intent[:40]}-", "namespace": namespace}
            body = {"apiVersion": _VERSION, "kind": "IntentApproval", "metadata": metadata, "spec": spec}
            return await api.create(INTENT_APPROVALS, body)

        made = _with_cluster(arguments, decide)
        spec = made["spec"]
        _say(f"{decision.lower()}: {arguments.intent} by {spec.get('approver', 'you')} ({spec['planDigest']})")
        return 0

    return run


async def _present_digest(api: KubeApi, name: str, namespace: str) -> str:
    intent = await api.get(SCALING_INTENTS, name, namespace)
    digest = intent.get("status", {}).get("plan", {}).get("digest")
    if not digest:
        raise BadInput(f"{name}: has no plan to decide on yet; see `kubectl -n {namespace} get cint {name} -o wide`")
    return str(digest)


def _undo(arguments: argparse.Namespace) -> int:
    async def create(api: KubeApi) -> Body:
        directive = {"verb": "undo", **({"intent": arguments.intent} if arguments.intent else {})}
        created = await api.create(SCALING_INTENTS, _intent(_namespace(arguments), {"directives": [directive]}))
        return await _planned(api, created)

    return _report(_with_cluster(arguments, create))


def _explain(arguments: argparse.Namespace) -> int:
    async def read(api: KubeApi) -> Body:
        return await api.get(INFERENCE_SERVICES, arguments.service, _namespace(arguments))

    status = _with_cluster(arguments, read).get("status", {})
    if arguments.json:
        _say(json.dumps(status, ensure_ascii=False))
        return 0
    _say("\n".join(_explained(arguments.service, status)))
    return 0


def _explained(name: str, status: Body) -> list[str]:
    decision = status.get("decision")
    if decision is None:
        lines = [f"{name}: nothing was decided yet"]
    else:
        inputs = ", ".join(f"{i['name']} {i['value']}" for i in decision.get("inputs", ()))
        lines = [
            f"{name}: {decision['action']} ({decision['reason']}) at {decision['madeAt']}",
            decision["message"],
            inputs,
        ]
        if other := decision.get("runnerUp"):
            lines.append(f"next best: {other['replicas']} x {other['partition']}, {other.get('gpuShare', '?')} GPUs")
    conditions = [f"{c['type']}={c['status']} {c['reason']}: {c['message']}" for c in status.get("conditions", ())]
    return [line for line in (*lines, *conditions) if line]


def _intent(namespace: str, spec: Body) -> Body:
    metadata = {"generateName": "intent-", "namespace": namespace}
    return {"apiVersion": _VERSION, "kind": "ScalingIntent", "metadata": metadata, "spec": spec}


async def _planned(api: KubeApi, created: Body) -> Body:
    """Wait until the operator has a plan, a question or a refusal; return the intent as it then is."""
    name, namespace = created["metadata"]["name"], created["metadata"]["namespace"]
    ends = time.monotonic() + _PLAN_SECONDS
    intent = created
    while not _is_answered(intent) and time.monotonic() < ends:
        await asyncio.sleep(_POLL_SECONDS)
        intent = await api.get(SCALING_INTENTS, name, namespace)
    return intent


def _is_answered(intent: Body) -> bool:
    status = intent.get("status", {})
    refused = any(c["type"] == "Grounded" and c["status"] == "False" for c in status.get("conditions", ()))
    return bool(status.get("plan") or status.get("question") or refused)


def _report(intent: Body) -> int:
    name, namespace, status = intent["metadata"]["name"], intent["metadata"]["namespace"], intent.get("status", {})
    plan = status.get("plan")
    if plan is None:
        told = [f"{c['type']}={c['status']} {c['reason']}: {c['message']}" for c in status.get("conditions", ())]
        _say(f"{name}: no plan; {status.get('question') or '; '.join(told) or 'the operator has not answered'}")
        return 1 if told and not status.get("question") else 0
    for change in plan.get("diff", ()):
        moved = f"{change.get('before', '-')} → {change.get('after', '-')}"
        _say(f"  {change['kind']} {change['name']}: {change['path']}: {moved}")
    _say("\n".join(f"  {line}" for line in plan.get("message", "").splitlines()))
    _say(f"intent: {name}\ndigest: {plan['digest']}")
    _say(f"approve: kubectl cynosure approve {name} --digest {plan['digest']} -n {namespace}")
    return 0


def _command(
    commands: "Commands", name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text)
    add_cluster_options(parser)
    parser.set_defaults(run=run)
    return parser


def _with_cluster(arguments: argparse.Namespace, work: Callable[[KubeApi], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        async with HttpKubeApi(load_credentials(arguments.context), KubernetesSettings()) as api:
            return await work(api)

    try:
        return asyncio.run(run())
    except NotFound as error:
        raise BadInput(f"{error}; `kubectl get cynosure` lists what there is") from error


def _namespace(arguments: argparse.Namespace) -> str:
    return arguments.namespace or current_namespace(arguments.context)


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)  # noqa: T201
