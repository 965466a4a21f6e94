"""``cynosure explain|history``: what was decided about a service, why, and by whose intents."""

import argparse
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from cynosure.api import InferenceService, ScalingIntent
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.caller import add_command, as_caller, every, listed, namespace_of, say
from cynosure.diagnose import Cause
from cynosure.errors import BadInput
from cynosure.intent_text import directive_text
from cynosure.intents.bounds import bounds_in_force
from cynosure.intents.facts import key_of
from cynosure.intents.phase import CLOSED
from cynosure.kube.labels import CAUSE, SERVICE
from cynosure.kube.port import INFERENCE_SERVICES, SCALING_INTENTS, Body, KubeApi

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def register(commands: "Commands") -> None:
    runs = (
        ("explain", "say what was decided about a service, and why", _explain),
        ("history", "list what was decided about a service, and the intents about it", _history),
    )
    for name, text, run in runs:
        parser = add_command(commands, name, text)
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.set_defaults(run=run)


async def _service(api: KubeApi, namespace: str, name: str) -> InferenceService:
    services = await every(api, INFERENCE_SERVICES, InferenceService, namespace)
    found = next((service for service in services if service.metadata.name == name), None)
    if found is None:
        known = listed([service.metadata.name for service in services])
        raise BadInput(f"service {name}: there is none in namespace {namespace}; there: {known}")
    return found


def _explain(arguments: argparse.Namespace) -> int:
    namespace = namespace_of(arguments)

    async def explain(api: KubeApi) -> Body:
        service = await _service(api, namespace, arguments.service)
        intents = await every(api, SCALING_INTENTS, ScalingIntent, namespace)
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

    found = as_caller(arguments, explain)
    say(json.dumps(found) if arguments.json else explained(found))
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
        lines.append(f"  to mend it: {directive_text(dict(finding['directive']), None)}")
        lines += [f"  drafted: kubectl cynosure approve {draft}"] if draft else []
    else:
        was = f" (now {finding['before']})" if finding.get("before") else ""
        lines.append(f"  to mend it: {finding['subject']} {finding['field']}: {finding['after']}{was}")
    return lines


def _option(option: Body) -> str:
    return f"{option['replicas']} x {option['partition']}, batch {option.get('batch', 0)}"


def _history(arguments: argparse.Namespace) -> int:
    namespace = namespace_of(arguments)

    async def read(api: KubeApi) -> Body:
        service = await _service(api, namespace, arguments.service)
        intents = await every(api, SCALING_INTENTS, ScalingIntent, namespace)
        entries = [*_decisions(service), *_intents(intents, service)]
        return {"service": str(key_of(service)), "entries": sorted(entries, key=_at, reverse=True)}

    found = as_caller(arguments, read)
    lines = [_entry(entry) for entry in found["entries"]]
    say(json.dumps(found) if arguments.json else "\n".join(lines) or f"{found['service']}: nothing has happened yet")
    return 0


def _at(entry: Body) -> datetime:
    return datetime.fromisoformat(entry["at"])


def _decisions(service: InferenceService) -> Iterator[Body]:
    for decision in service.status.history:
        option = decision.option
        yield {
            "at": decision.made_at.isoformat(),
            "kind": "decision",
            "action": decision.action.value,
            "replicas": option.replicas,
            "partition": option.partition,
            "reason": decision.reason,
            "message": decision.message,
            "dry": decision.dry,
        }


def _intents(intents: list[ScalingIntent], service: InferenceService) -> Iterator[Body]:
    """Those that name it, or whose plan would change it; when they were applied, else when they were asked."""
    for intent in intents:
        status, born = intent.status, intent.metadata.creation_timestamp
        at = status.applied_at or born
        if at is not None and service.metadata.name in _about(intent):
            yield {
                "at": at.isoformat(),
                "kind": "intent",
                "name": intent.metadata.name,
                "phase": status.phase.value,
                "requested_by": intent.spec.requested_by,
                "approved_by": status.approved_by,
                "text": intent.spec.text,
                "directives": [directive.body() for directive in status.directives],
            }


def _about(intent: ScalingIntent) -> set[str | None]:
    status = intent.status
    planned = {change.name for change in status.plan.diff} if status.plan else set()
    return {directive.service for directive in status.directives} | planned


def _entry(entry: Body) -> str:
    if entry["kind"] == "decision":
        shown = " (shown only)" if entry["dry"] else ""
        what = f"{entry['action']}{shown}: {entry['replicas']} x {entry['partition']} ({entry['reason']})"
        return f"{entry['at']}  {what}  {entry['message']}"
    approved = f", approved by {entry['approved_by']}" if entry["approved_by"] else ""
    asked = entry["text"] or "; ".join(directive_text(dict(body), None) for body in entry["directives"])
    return f"{entry['at']}  intent {entry['name']} {entry['phase']}, by {entry['requested_by']}{approved}: {asked}"
