"""The informers of every kind that a pass reads, as one: synced only when all are."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping

from cynosure.kube.informer import Informer, ObjectKey, Store
from cynosure.kube.labels import MANAGED_SELECTOR, is_ours
from cynosure.kube.port import (
    AUTOMATION_POLICIES,
    DEPLOYMENTS,
    GPU_CLASSES,
    HORIZONTAL_POD_AUTOSCALERS,
    INFERENCE_SERVICES,
    INTENT_APPROVALS,
    MODEL_PROFILES,
    NODES,
    POD_DISRUPTION_BUDGETS,
    PODS,
    RESOURCE_CLAIM_TEMPLATES,
    RESOURCE_CLAIMS,
    RESOURCE_SLICES,
    SCALING_INTENTS,
    SERVICES,
    TRAFFIC_REPLAYS,
    Body,
    KubeApi,
    Resource,
)

_EVERYTHING: Mapping[Resource, str | None] = {
    INFERENCE_SERVICES: None,
    MODEL_PROFILES: None,
    GPU_CLASSES: None,
    SCALING_INTENTS: None,
    INTENT_APPROVALS: None,
    AUTOMATION_POLICIES: None,
    TRAFFIC_REPLAYS: None,
    DEPLOYMENTS: None,  # those of others too: spec.workloadRef may adopt one
    HORIZONTAL_POD_AUTOSCALERS: None,
    NODES: None,
    RESOURCE_SLICES: None,
    RESOURCE_CLAIMS: None,
    RESOURCE_CLAIM_TEMPLATES: MANAGED_SELECTOR,
    PODS: MANAGED_SELECTOR,
    SERVICES: MANAGED_SELECTOR,
    POD_DISRUPTION_BUDGETS: MANAGED_SELECTOR,
}
_OPTIONAL = frozenset({RESOURCE_SLICES, RESOURCE_CLAIMS, RESOURCE_CLAIM_TEMPLATES})
"""Kinds that clusters before Kubernetes 1.34 do not have; device plugins serve there."""

Changed = Callable[[Resource, ObjectKey], None]


class Caches:
    def __init__(self, api: KubeApi, changed: Changed, clock: Callable[[], float] = time.monotonic) -> None:
        self._informers = {
            resource: Informer(
                api,
                resource,
                label_selector=selector,
                optional=resource in _OPTIONAL,
                changed=_naming(changed, resource),
                slim=_slim_deployment if resource is DEPLOYMENTS else _slim,
                clock=clock,
            )
            for resource, selector in _EVERYTHING.items()
        }
        self._clock = clock

    @property
    def synced(self) -> bool:
        return all(informer.synced for informer in self._informers.values())

    def missing(self) -> Iterator[str]:
        """The kinds that are not synced yet."""
        return (informer.resource.plural for informer in self._informers.values() if not informer.synced)

    def store(self, resource: Resource) -> Store:
        return self._informers[resource].store

    def silent_seconds(self) -> Iterator[tuple[str, float]]:
        """For each kind, how long its watch has said nothing, bookmarks included."""
        now = self._clock()
        return ((informer.resource.plural, now - informer.heard_at) for informer in self._informers.values())

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for informer in self._informers.values():
                group.create_task(informer.run(), name=f"watch {informer.resource.plural}")


def _naming(changed: Changed, resource: Resource) -> Callable[[ObjectKey], None]:
    return lambda key: changed(resource, key)


def _slim(body: Body) -> Body:
    """Field ownership is half of an object, and read of Deployments only."""
    body["metadata"].pop("managedFields", None)
    return body


def _slim_deployment(body: Body) -> Body:
    """Of the Deployments of others only what adoption and its diagnosis need."""
    if is_ours(body):
        return body
    metadata = {
        k: v
        for k, v in body["metadata"].items()
        if k in ("name", "namespace", "uid", "resourceVersion", "managedFields")
    }
    spec = {k: v for k, v in body.get("spec", {}).items() if k in ("replicas", "selector")}
    containers = (((body.get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers") or ()
    asked = [{k: c[k] for k in ("name", "image", "args", "resources", "readinessProbe") if k in c} for c in containers]
    return {
        "metadata": metadata,
        "spec": {**spec, "template": {"spec": {"containers": asked}}},
        "status": {k: v for k, v in (body.get("status") or {}).items() if k in ("replicas", "readyReplicas")},
    }
