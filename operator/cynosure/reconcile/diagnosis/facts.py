"""From objects to what a diagnosis knows of them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from cynosure.api import InferenceService, ScalingIntent
from cynosure.api.intent_status import Phase
from cynosure.diagnose import Engine, Expired, Pod
from cynosure.intents.effects import ReplicaLimit, effects_of
from cynosure.kube.port import Body
from cynosure.kube.times import seconds
from cynosure.model.condition import Condition
from cynosure.model.service import ServiceKey
from cynosure.model.snapshot import ReplicaPhase
from cynosure.observe.replicas import phase_of

_ENGINE = "engine"
_DAY_SECONDS = 86400.0
_BATCH = ("--max-num-seqs", "--parallel", "-np")
"""How vLLM and llama.cpp are told how many requests to work on together."""
_SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_QUANTITY = re.compile(r"([0-9.]+)([kMGT]i?|Ki)?")


def pod_of(body: Body) -> Pod:
    metadata, status = body["metadata"], body.get("status") or {}
    container = _container_status(status)
    state, last = container.get("state") or {}, container.get("lastState") or {}
    waiting, ended = state.get("waiting") or {}, (last.get("terminated") or state.get("terminated") or {})
    scheduled: Mapping[str, Any] = next(
        (c for c in status.get("conditions") or () if c.get("type") == "PodScheduled"), {}
    )
    phase = phase_of(body)
    return Pod(
        name=metadata["name"],
        created_at_seconds=seconds(metadata.get("creationTimestamp")) or 0.0,
        is_ready=phase is ReplicaPhase.READY,
        is_draining=phase is ReplicaPhase.DRAINING,
        unscheduled=(scheduled.get("message") or "no node") if scheduled.get("status") == "False" else "",
        waiting=waiting.get("reason") or "",
        waiting_message=waiting.get("message") or "",
        running_since_seconds=seconds((state.get("running") or {}).get("startedAt")),
        ended=ended.get("reason") or "",
        ended_message=ended.get("message") or "",
        exit_code=ended.get("exitCode"),
        restarts=container.get("restartCount") or 0,
    )


def _container_status(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of the engine; of an init container while that has not ended well."""
    inits = [c for c in status.get("initContainerStatuses") or () if not c.get("ready") and not c.get("started")]
    found = [*inits, *(status.get("containerStatuses") or ())]
    named = [c for c in found if c.get("name") == _ENGINE]
    chosen: Mapping[str, Any] = next(iter(inits or named or found), {})
    return chosen


def engine_of(deployments: Iterable[Body], service: InferenceService) -> Engine | None:
    """Of the newest Deployment; None before there is one."""
    deployment = max(deployments, key=lambda body: str(body["metadata"].get("creationTimestamp", "")), default=None)
    if deployment is None:
        return None
    pod = ((deployment.get("spec") or {}).get("template") or {}).get("spec") or {}
    containers = pod.get("containers") or [{}]
    container = next((c for c in containers if c.get("name") == _ENGINE), containers[0])
    metadata = deployment["metadata"]
    return Engine(
        deployment=f"{metadata['namespace']}/{metadata['name']}",
        image=container.get("image") or (service.spec.engine.image if service.spec.engine else "") or "",
        has_readiness_probe=bool(container.get("readinessProbe")),
        memory_limit_gib=_gib(((container.get("resources") or {}).get("limits") or {}).get("memory")),
        max_batch=_max_batch(container.get("args") or ()),
    )


def _gib(quantity: object) -> float | None:
    found = _QUANTITY.fullmatch(str(quantity)) if quantity is not None else None
    return float(found[1]) * _SIZES[found[2] or ""] / 2**30 if found else None


def _max_batch(arguments: Iterable[str]) -> int | None:
    """The last one counts, as for the engines themselves."""
    words = " ".join(arguments).replace("=", " ").split()
    told = [after for word, after in pairwise(words) if word in _BATCH and after.isdigit()]
    return int(told[-1]) if told else None


def conditions_of(service: InferenceService, planned: Iterable[Condition]) -> tuple[Condition, ...]:
    """What the last pass said, and of acting what the status says."""
    fresh = {condition.type: condition for condition in planned}
    stored = (Condition(c.type, c.status, c.reason, c.message) for c in service.status.conditions)
    return tuple({**{condition.type: condition for condition in stored}, **fresh}.values())


def expired_of(intents: Iterable[ScalingIntent], key: ServiceKey, now_seconds: float) -> Iterator[Expired]:
    """Intents that kept replicas of the service until some time in the last day."""
    for intent in intents:
        if intent.status.phase is not Phase.EXPIRED or intent.metadata.namespace != key.namespace:
            continue
        ends = [end.timestamp() for d in intent.status.directives if (end := d.expires or intent.spec.expires)]
        at = max(ends, default=0.0)
        for effect in effects_of(intent.status.directives):
            if (
                isinstance(effect, ReplicaLimit)
                and effect.service == key
                and effect.least
                and now_seconds - at < _DAY_SECONDS
            ):
                yield Expired(intent.metadata.name, at, effect.least)
