"""``cynosure plan|approve|deny|undo|intents``, and what ``cynosure ask`` needs of a cluster."""

import argparse
import asyncio
import json
import time
import uuid
from typing import TYPE_CHECKING

from cynosure.api import API_VERSION, AutomationPolicy, InferenceService, ModelProfile, ScalingIntent
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.intent_status import Phase
from cynosure.caller import add_command, as_caller, every, every_allowed, listed, namespace_of, parsed, say
from cynosure.errors import BadInput, NotFound
from cynosure.intent_text import has_colour, rendered
from cynosure.intents.bounds import applied_at, is_applied
from cynosure.intents.facts import Facts
from cynosure.kube.port import (
    AUTOMATION_POLICIES,
    INFERENCE_SERVICES,
    INTENT_APPROVALS,
    MODEL_PROFILES,
    SCALING_INTENTS,
    Body,
    KubeApi,
)
from cynosure.reconcile.lifecycle.language import catalog_of
from llm_engine import Catalog

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

PLAN_SECONDS = 30.0
"""How long a command waits for the plan of what it has asked."""
POLL_SECONDS = 0.5
_NOTHING_TO_APPROVE = (Phase.REFUSED, Phase.FAILED, Phase.PENDING)


def register(commands: "Commands") -> None:
    decisions = (("approve", "Approved", "approve the plan of an intent"), ("deny", "Denied", "deny it"))
    for name, decision, text in decisions:
        parser = add_command(commands, name, text)
        parser.add_argument("intent", metavar="INTENT")
        parser.add_argument("--digest", metavar="D", help="of the plan that you have read (default: the present one)")
        parser.add_argument("--reason", metavar="TEXT", default="")
        parser.set_defaults(run=_decide, decision=decision)
    undo = add_command(commands, "undo", "take an intent back; asks for it, and somebody approves")
    undo.add_argument("intent", metavar="INTENT", nargs="?", help="default: the one that was applied last")
    undo.set_defaults(run=_undo)
    plan = add_command(commands, "plan", "show what an intent would do, and the digest to approve it by")
    plan.add_argument("intent", metavar="INTENT")
    plan.add_argument("--json", action="store_true", help="print one JSON document")
    plan.set_defaults(run=_plan)
    intents = add_command(commands, "intents", "list the intents of a namespace")
    intents.add_argument("--json", action="store_true", help="print one JSON document")
    intents.set_defaults(run=_intents)


def read_catalog(arguments: argparse.Namespace) -> Catalog:
    namespace = namespace_of(arguments)
    return catalog_of(as_caller(arguments, lambda api: _facts(api, namespace)), namespace)


def create_intent(arguments: argparse.Namespace, text: str) -> int:
    """Create it, wait for its plan, print it, and say how to approve it. 1 when there is nothing to approve."""
    return _ask(arguments, {"text": text})


def _undo(arguments: argparse.Namespace) -> int:
    directive = {"verb": "undo", **({"intent": arguments.intent} if arguments.intent else {})}
    return _ask(arguments, {"directives": [directive], "approval": "Automatic"})


def _ask(arguments: argparse.Namespace, spec: Body) -> int:
    namespace = namespace_of(arguments)
    name = f"ask-{uuid.uuid4().hex[:8]}"
    body = {"apiVersion": API_VERSION, "kind": "ScalingIntent", "metadata": {"name": name, "namespace": namespace}}

    async def ask(api: KubeApi) -> ScalingIntent:
        await api.create(SCALING_INTENTS, {**body, "spec": spec})
        return await _planned(api, namespace, name)

    intent = as_caller(arguments, ask)
    say(rendered(intent, colour=has_colour()))
    return 1 if intent.status.phase in _NOTHING_TO_APPROVE else 0


async def _planned(api: KubeApi, namespace: str, name: str) -> ScalingIntent:
    """The intent once there is something to say about it, or as it is after the time-out."""
    ends = time.monotonic() + PLAN_SECONDS
    while True:
        intent = parsed(ScalingIntent, await api.get(SCALING_INTENTS, name, namespace))
        if intent.status.phase is not Phase.PENDING or time.monotonic() > ends:
            return intent
        await asyncio.sleep(POLL_SECONDS)


def _plan(arguments: argparse.Namespace) -> int:
    """1 when there is nothing to approve. The values that go and come are also in ``diff``, whole in ``services``."""
    namespace = namespace_of(arguments)
    intent = as_caller(arguments, lambda api: _intent(api, namespace, arguments.intent))
    status = intent.status
    plan = status.plan.body() if status.plan else {}
    found = {
        "intent": f"{namespace}/{arguments.intent}",
        "phase": status.phase.value,
        "directives": [directive.body() for directive in status.directives],
        "question": status.question,
        "refusal": status.refusal.body() if status.refusal else None,
        "conflicts": [conflict.body() for conflict in status.conflicts],
        **{name: plan.get(name) for name in ("digest", "madeAt", "message")},
        **{name: plan.get(name, []) for name in ("diff", "services", "moves", "frees", "before", "after")},
    }
    say(json.dumps(found) if arguments.json else rendered(intent, colour=has_colour()))
    return 1 if status.phase in _NOTHING_TO_APPROVE else 0


def _decide(arguments: argparse.Namespace) -> int:
    namespace = namespace_of(arguments)

    async def decide(api: KubeApi) -> str:
        digest = arguments.digest or await _present_digest(api, namespace, arguments.intent)
        name = f"{arguments.intent[:200]}-{uuid.uuid4().hex[:8]}"
        spec = {"intent": arguments.intent, "planDigest": digest, "decision": arguments.decision}
        body = {
            "apiVersion": API_VERSION,
            "kind": "IntentApproval",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {**spec, "reason": arguments.reason},
        }
        await api.create(INTENT_APPROVALS, body)
        return f"intentapproval/{name}: {arguments.decision} {arguments.intent} with {digest}"

    say(as_caller(arguments, decide))
    return 0


async def _present_digest(api: KubeApi, namespace: str, name: str) -> str:
    intent = await _intent(api, namespace, name)
    if intent.status.plan is None:
        phase = intent.status.phase
        raise BadInput(f"{name}: limit: an intent with a plan, and this one is {phase}; wait for phase Planned")
    return intent.status.plan.digest


async def _intent(api: KubeApi, namespace: str, name: str) -> ScalingIntent:
    try:
        return parsed(ScalingIntent, await api.get(SCALING_INTENTS, name, namespace))
    except NotFound:
        known = [body["metadata"]["name"] for body in (await api.list(SCALING_INTENTS, namespace=namespace)).items]
        raise BadInput(f"intent {name}: there is none in namespace {namespace}; there: {listed(known)}") from None


def _intents(arguments: argparse.Namespace) -> int:
    namespace = namespace_of(arguments)
    found = as_caller(arguments, lambda api: every(api, SCALING_INTENTS, ScalingIntent, namespace))
    ordered = sorted(found, key=lambda intent: (is_applied(intent), applied_at(intent)))
    rows = [
        {
            "name": intent.metadata.name,
            "phase": intent.status.phase.value,
            "requested_by": intent.spec.requested_by,
            "text": intent.spec.text,
        }
        for intent in ordered
    ]
    lines = [f"{row['name']}  {row['phase']}  {row['requested_by']}  {row['text'] or '(typed)'}" for row in rows]
    say(json.dumps({"intents": rows}) if arguments.json else "\n".join(lines) or f"no intents in {namespace}")
    return 0


async def _facts(api: KubeApi, namespace: str) -> Facts:
    """Whoever asks in one namespace need not be allowed to read the policy; the operator checks its limits anyway."""
    services = await every(api, INFERENCE_SERVICES, InferenceService, namespace)
    profiles = await every_allowed(api, MODEL_PROFILES, ModelProfile)
    policies = await every_allowed(api, AUTOMATION_POLICIES, AutomationPolicy)
    return Facts(tuple(services), policies[0].spec if policies else AutomationPolicySpec(), tuple(profiles))
