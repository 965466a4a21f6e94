"""An event for each phase that an intent reaches; the status is the record, events only tell."""

import logging
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cynosure.api import ScalingIntent
from cynosure.api.intent_status import Phase
from cynosure.api.metadata import API_VERSION
from cynosure.errors import CynosureError
from cynosure.kube.port import EVENTS, KubeApi

log = logging.getLogger(__name__)

_NOTE = 1024
_WARNINGS = frozenset({Phase.REFUSED, Phase.FAILED, Phase.DENIED})


async def announce(kube: KubeApi, before: ScalingIntent, after: ScalingIntent) -> None:
    if before.status.phase == after.status.phase:
        return
    try:
        await kube.create(EVENTS, event(after, datetime.now(UTC)))
    except CynosureError as error:
        log.info("no event for %s/%s: %s", after.metadata.namespace, after.metadata.name, error)


def event(intent: ScalingIntent, now: datetime) -> dict[str, Any]:
    ready = next((c for c in intent.status.conditions if c.type == "Ready"), None)
    metadata = intent.metadata
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata.name[:200]}.{uuid4().hex[:16]}", "namespace": metadata.namespace},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": "Warning" if intent.status.phase in _WARNINGS else "Normal",
        "reason": ready.reason if ready else intent.status.phase.value,
        "action": intent.status.phase.value,
        "note": (ready.message if ready else "")[:_NOTE],
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": "ScalingIntent",
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
        },
        "reportingController": "cynosure.dev/operator",
        "reportingInstance": "cynosure",
    }
