"""Events about decisions: they tell once what status keeps."""

import uuid
from typing import Any

from cynosure.act.work import Work
from cynosure.api.conditions import Type
from cynosure.api.inference_status import DecisionStatus, InferenceServiceStatus
from cynosure.api.metadata import API_VERSION, ResourceCondition
from cynosure.kube.times import micro_time
from cynosure.model.condition import Status

MOST_PER_PASS = 3
_NOTE = 1024
_TOLD = (Type.METRICS_AVAILABLE, Type.PLACED, Type.CONFLICT_FREE, Type.WORKLOAD_APPLIED)

Body = dict[str, Any]


def events(
    work: Work, before: InferenceServiceStatus, after: InferenceServiceStatus, now_seconds: float, reporter: str
) -> list[Body]:
    """What is new since the status before: a decision that changes something, a cause, a condition that turned."""
    found: list[Body] = []
    if after.history and (not before.history or after.history[0] != before.history[0]):
        found.append(_of_decision(work, after.history[0], now_seconds, reporter))
    known = {finding.cause for finding in before.findings}
    news = (finding for finding in after.findings if finding.cause not in known)
    found += [_event(work, f.cause, f.symptom, f.message, "Warning", now_seconds, reporter) for f in news]
    old = {condition.type: condition.status for condition in before.conditions}
    for condition in after.conditions:
        was = old.get(condition.type)
        turned_bad = condition.status is Status.FALSE and was is not Status.FALSE
        recovered = condition.status is Status.TRUE and was is Status.FALSE
        if condition.type in _TOLD and (turned_bad or recovered):
            found.append(_of_condition(work, condition, now_seconds, reporter))
    return found[:MOST_PER_PASS]


def _of_decision(work: Work, decision: DecisionStatus, now_seconds: float, reporter: str) -> Body:
    return _event(work, decision.reason, decision.action, decision.message, "Normal", now_seconds, reporter)


def _of_condition(work: Work, condition: ResourceCondition, now_seconds: float, reporter: str) -> Body:
    kind = "Warning" if condition.status is Status.FALSE else "Normal"
    return _event(work, condition.reason, condition.type, condition.message, kind, now_seconds, reporter)


def _event(work: Work, reason: str, action: str, note: str, kind: str, now_seconds: float, reporter: str) -> Body:
    metadata = work.service.metadata
    regarding = {
        "apiVersion": API_VERSION,
        "kind": "InferenceService",
        "name": metadata.name,
        "namespace": metadata.namespace,
        "uid": metadata.uid,
        "resourceVersion": metadata.resource_version,
    }
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata.name}.{uuid.uuid4().hex[:16]}", "namespace": metadata.namespace},
        "eventTime": micro_time(now_seconds),
        "reportingController": "cynosure.dev/operator",
        "reportingInstance": reporter[:128] or "cynosure",
        "action": action,
        "reason": reason,
        "regarding": regarding,
        "note": note[:_NOTE],
        "type": kind,
    }
