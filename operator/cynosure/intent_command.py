"""``cynosure approve|deny|undo|explain|intents``, and what ``cynosure ask`` needs of a cluster.

Every request is made with the kubeconfig of the caller, so RBAC and the admission policies see the person.
"""

import argparse
import asyncio
import json
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from cynosure.api import API_VERSION, AutomationPolicy, InferenceService, Invalid, ScalingIntent, parse
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.intent_status import IntentPlan, Phase
from cynosure.api.metadata import Resource as Kind
from cynosure.diagnose import Cause
from cynosure.errors import BadInput, NotFound, Refused
from cynosure.intents.bounds import applied_at, bounds_in_force, is_applied
from cynosure.intents.facts import Facts, key_of
from cynosure.intents.phase import CLOSED
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials
from cynosure.kube.labels import CAUSE, SERVICE
from cynosure.kube.port import (
    AUTOMATION_POLICIES,
    INFERENCE_SERVICES,
    INTENT_APPROVALS,
    SCALING_INTENTS,
    Body,
    KubeApi,
    Resource,
)
from cynosure.reconcile.lifecycle.language import catalog_of
from cynosure.settings import KubernetesSettings
from llm_engine import Catalog

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

PLAN_SECONDS = 30.0
POLL_SECONDS = 0.5

_T = TypeVar("_T")
_R = TypeVar("_R", bound=Kind)


def register(commands: "Commands") -> None:
    decisions = (("approve", "Approved", "approve the plan of an intent"), ("deny", "Denied", "deny it"))
    for name, decision, text in decisions:
        parser = _add(commands, name, text)
        parser.add_argument("intent", metavar="INTENT")
        parser.add_argument("--digest", metavar="D", help="of the plan that you have read (default: the present one)")
        parser.add_argument("--reason", metavar="TEXT", default="")
        parser.set_defaults(run=_decide, decision=decision)
    undo = _add(commands, "undo", "take an intent back; asks for it, and somebody approves")
    undo.add_argument("intent", metavar="INTENT", nargs="?", help="default: the one that was applied last")
    undo.set_defaults(run=_undo)
    explain = _add(commands, "explain", "say what was decided about a service, and why")
    explain.add_argument("service", metavar="SERVICE")
    explain.add_argument("--json", action="store_true", help="print one JSON document")
    explain.set_defaults(run=_explain)
    intents = _add(commands, "intents", "list the intents of a namespace")
    intents.add_argument("--json", action="store_true", help="print one JSON document")
    intents.set_defaults(run=_intents)


def _add(commands: "Commands", name: str, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    add_cluster_options(parser)
    return parser


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="default: $KUBECONFIG, else ~/.kube/config")
    parser.add_argument("--context", metavar="NAME", help="of the kubeconfig (default: the current one)")
    parser.add_argument("-n", "--namespace", metavar="NAME", help="default: that of the context")


def read_catalog(arguments: argparse.Namespace) -> Catalog:
    namespace = _namespace(arguments)
    return catalog_of(_with(arguments, lambda api: _facts(api, namespace)), namespace)


def create_intent(arguments: argparse.Namespace, text: str) -> int:
    """Create it, wait for its plan, print it, and say how to approve it. 1 when there is nothing to approve."""
    return _ask(arguments, {"text": text})


def _undo(arguments: argparse.Namespace) -> int:
    directive = {"verb": "undo", **({"intent": arguments.intent} if arguments.intent else {})}
    return _ask(arguments, {"directives": [directive], "approval": "Automatic"})


def _ask(arguments: argparse.Namespace, spec: Body) -> int:
    namespace = _namespace(arguments)
    name = f"ask-{uuid.uuid4().hex[:8]}"
    body = {"apiVersion": API_VERSION, "kind": "ScalingIntent", "metadata": {"name": name, "namespace": namespace}}

    async def ask(api: KubeApi) -> ScalingIntent:
        await api.create(SCALING_INTENTS, {**body, "spec": spec})
        return await _planned(api, namespace, name)

    intent = _with(arguments, ask)
    _say(rendered(intent))
    return 1 if intent.status.phase in (Phase.REFUSED, Phase.FAILED, Phase.PENDING) else 0


async def _planned(api: KubeApi, namespace: str, name: str) -> ScalingIntent:
    """The intent once there is something to say about it, or as it is after the time-out."""
    ends = time.monotonic() + PLAN_SECONDS
    while True:
        intent = _parsed(ScalingIntent, await api.get(SCALING_INTENTS, name, namespace))
        if intent.status.phase is not Phase.PENDING or time.monotonic() > ends:
            return intent
        await asyncio.sleep(POLL_SECONDS)


def rendered(intent: ScalingIntent) -> str:
    status, name, namespace = intent.status, intent.metadata.name, intent.metadata.namespace
    lines = [f"scalingintent/{name} in {namespace}: {status.phase}"]
    if status.refusal:
        near = f"; try: {status.refusal.nearest}" if status.refusal.nearest else ""
        lines.append(f"  refused ({status.refusal.reason}): {status.refusal.message}{near}")
    if status.question:
        lines.append(f"  question: {status.question}  (answer in spec.answers)")
    lines += [f"  {_directive(directive.body(), intent.spec.text)}" for directive in status.directives]
    lines += [f"  conflicts with {conflict.name}: {conflict.message}" for conflict in status.conflicts]
    if status.plan:
        lines += _plan_lines(status.plan)
    if status.phase is Phase.PLANNED and status.plan:
        lines.append(f"  to approve: kubectl cynosure approve {name} -n {namespace} --digest {status.plan.digest}")
    elif status.phase is Phase.PENDING:
        lines.append(f"  no plan after {PLAN_SECONDS:g} s; see: kubectl describe scalingintent {name} -n {namespace}")
    return "\n".join(lines)


def _directive(body: Body, text: str | None) -> str:
    told = {entry["field"]: entry for entry in body.pop("provenance", [])}
    parts = []
    for field, value in body.items():
        source = told.get(field, {})
        span = source.get("span")
        words = f' "{text[span["start"] : span["end"]]}"' if text and span else ""
        parts.append(f"{field}={value}" + (f" ({source['source']}{words})" if source else ""))
    return ", ".join(parts)


def _plan_lines(plan: IntentPlan) -> list[str]:
    diff = [
        f"    {change.namespace}/{change.name} {change.path}: {change.before or '-'} -> {change.after or '-'}"
        for change in plan.diff
    ]
    return [f"  plan {plan.digest}", *diff, *(f"    {line}" for line in plan.message.splitlines())]


def _decide(arguments: argparse.Namespace) -> int:
    namespace = _namespace(arguments)

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

    _say(_with(arguments, decide))
    return 0


async def _present_digest(api: KubeApi, namespace: str, name: str) -> str:
    intent = await _intent(api, namespace, name)
    if intent.status.plan is None:
        phase = intent.status.phase
        raise BadInput(f"{name}: limit: an intent with a plan, and this one is {phase}; wait for phase Planned")
    return intent.status.plan.digest


async def _intent(api: KubeApi, namespace: str, name: str) -> ScalingIntent:
    try:
        return _parsed(ScalingIntent, await api.get(SCALING_INTENTS, name, namespace))
    except NotFound:
        known = [body["metadata"]["name"] for body in (await api.list(SCALING_INTENTS, namespace=namespace)).items]
        raise BadInput(f"intent {name}: there is none in namespace {namespace}; there: {_names(known)}") from None


def _explain(arguments: argparse.Namespace) -> int:
    namespace = _namespace(arguments)

    async def explain(api: KubeApi) -> Body:
        services = await _all(api, INFERENCE_SERVICES, InferenceService, namespace)
        service = next((s for s in services if s.metadata.name == arguments.service), None)
        if service is None:
            known = _names([s.metadata.name for s in services])
            raise BadInput(f"service {arguments.service}: there is none in namespace {namespace}; there: {known}")
        intents = await _all(api, SCALING_INTENTS, ScalingIntent, namespace)
        bounds = bounds_in_force(intents, AutomationPolicySpec(), time.time()).of(key_of(service))
        return {
            "service": f"{namespace}/{arguments.service}",
            "findings": [
                {**finding.body(), "intent": _draft_about(intents, arguments.service, finding.cause)}
                for finding in service.status.findings
            ],
            "decision": service.status.decision.body() if service.status.decision else None,
            "conditions": [condition.body() for condition in service.status.conditions],
            "bounds": {
                "min_replicas": bounds.min_replicas,
                "max_replicas": bounds.max_replicas,
                "targets": [str(target) for target in bounds.targets],
                "max_gpus": bounds.max_gpus,
                "max_watts": bounds.max_watts,
                "max_cost_per_hour": bounds.max_cost_per_hour,
                "intents": list(bounds.sources),
            },
        }

    found = _with(arguments, explain)
    _say(json.dumps(found) if arguments.json else explained(found))
    return 0


def _draft_about(intents: list[ScalingIntent], service: str, cause: str) -> str | None:
    """The intent that the operator has drafted for it last, unless it is over. Some are of the whole namespace."""
    about = {CAUSE: cause} if cause == Cause.GPUS_FRAGMENTED else {SERVICE: service, CAUSE: cause}
    drafts = [i for i in intents if about.items() <= i.metadata.labels.items() and i.status.phase not in CLOSED]
    return drafts[-1].metadata.name if drafts else None


def explained(found: Body) -> str:
    decision = found["decision"]
    lines = [line for finding in found["findings"] for line in _finding_lines(finding)]
    if decision:
        lines += [f"{found['service']}: {decision['action']} ({decision['reason']}) at {decision['madeAt']}"]
        lines += [f"  {decision.get('message', '')}", f"  chosen: {_option(decision['option'])}"]
        if decision.get("runnerUp"):
            lines.append(f"  next best: {_option(decision['runnerUp'])}")
        lines += [f"  {entry['name']}: {entry['value']}" for entry in decision.get("inputs", [])]
    else:
        lines.append(f"{found['service']}: nothing was decided yet")
    for condition in found["conditions"]:
        lines.append(
            f"  {condition['type']}={condition['status']} {condition['reason']}: {condition.get('message', '')}"
        )
    limits = {name: value for name, value in found["bounds"].items() if value}
    lines += [f"  bound {name}: {value}" for name, value in limits.items()]
    return "\n".join(lines)


def _finding_lines(finding: Body) -> list[str]:
    lines = [f"{finding['symptom']}, because {finding['cause']}: {finding['message']} (since {finding['since']})"]
    for clue in finding.get("evidence", []):
        limit = f" (limit: {clue['limit']})" if clue.get("limit") else ""
        lines.append(f"  seen: {clue['source']} is {clue['value']}{limit}")
    if finding.get("directive"):
        draft = finding["intent"]
        lines.append(f"  to mend it: {_directive(dict(finding['directive']), None)}")
        lines += [f"  drafted: kubectl cynosure approve {draft}"] if draft else []
    else:
        was = f" (now {finding['before']})" if finding.get("before") else ""
        lines.append(f"  to mend it: {finding['subject']} {finding['field']}: {finding['after']}{was}")
    return lines


def _option(option: Body) -> str:
    return f"{option['replicas']} x {option['partition']}, batch {option.get('batch', 0)}"


def _intents(arguments: argparse.Namespace) -> int:
    namespace = _namespace(arguments)
    found = _with(arguments, lambda api: _all(api, SCALING_INTENTS, ScalingIntent, namespace))
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
    _say(json.dumps({"intents": rows}) if arguments.json else "\n".join(lines) or f"no intents in {namespace}")
    return 0


async def _facts(api: KubeApi, namespace: str) -> Facts:
    """Whoever asks in one namespace need not be allowed to read the policy; the operator checks its limits anyway."""
    services = await _all(api, INFERENCE_SERVICES, InferenceService, namespace)
    try:
        policies = await _all(api, AUTOMATION_POLICIES, AutomationPolicy, None)
    except Refused:
        policies = []
    return Facts(tuple(services), policies[0].spec if policies else AutomationPolicySpec())


async def _all(api: KubeApi, resource: Resource, kind: type[_R], namespace: str | None) -> list[_R]:
    found = [parse(kind, body) for body in (await api.list(resource, namespace=namespace)).items]
    return [one for one in found if not isinstance(one, Invalid)]


def _parsed(kind: type[_R], body: Body) -> _R:
    found = parse(kind, body)
    if isinstance(found, Invalid):
        raise BadInput(f"{found.namespace}/{found.name}: {found.message}")
    return found


def _with(arguments: argparse.Namespace, ask: Callable[[KubeApi], Awaitable[_T]]) -> _T:
    """Run ``ask`` as the person whose kubeconfig it is."""
    if arguments.kubeconfig:
        os.environ["KUBECONFIG"] = str(arguments.kubeconfig)

    async def run() -> _T:
        credentials = load_credentials(arguments.context)
        async with HttpKubeApi(credentials, KubernetesSettings(context=arguments.context)) as api:
            return await ask(api)

    return asyncio.run(run())


def _namespace(arguments: argparse.Namespace) -> str:
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


def _names(known: list[str]) -> str:
    return ", ".join(sorted(known)[:10]) or "none"


def _say(text: str) -> None:
    print(text)  # noqa: T201
