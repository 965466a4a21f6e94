"""Deployments of services, ours and adopted ones, and the autoscalers that aim at them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cynosure.api import InferenceService
from cynosure.kube.informer import ObjectKey, Store
from cynosure.kube.labels import SERVICE, is_ours, labels_of, partition_of
from cynosure.kube.ownership import owners_of_replicas, owners_since
from cynosure.kube.port import Body
from cynosure.kube.times import rfc3339
from cynosure.model.service import ServiceKey
from cynosure.model.snapshot import Replica, ReplicaPhase, Workload

_WHOLE = "gpu"


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """Somebody's HorizontalPodAutoscaler, by what it scales."""

    name: str
    namespace: str
    kind: str
    target: str


def autoscalers(bodies: Iterable[Body]) -> tuple[Autoscaler, ...]:
    return tuple(
        Autoscaler(
            body["metadata"]["name"],
            body["metadata"]["namespace"],
            body["spec"]["scaleTargetRef"]["kind"],
            body["spec"]["scaleTargetRef"]["name"],
        )
        for body in bodies
    )


def deployments_by_service(store: Store) -> dict[ServiceKey, list[Body]]:
    """Our Deployments that are not being deleted."""
    found: dict[ServiceKey, list[Body]] = {}
    for body in store.items():
        if is_ours(body) and not body["metadata"].get("deletionTimestamp"):
            key = ServiceKey(body["metadata"]["namespace"], labels_of(body)[SERVICE])
            found.setdefault(key, []).append(body)
    return {key: sorted(bodies, key=lambda b: str(b["metadata"]["name"])) for key, bodies in found.items()}


def workload_of(deployment: Body, hpas: Iterable[Autoscaler], since: str | None = None) -> Workload:
    """``since`` for adopted Deployments: who set the replicas before the adoption has handed them over."""
    owners = owners_since(deployment, since) if since else owners_of_replicas(deployment)
    scaled = [f"HorizontalPodAutoscaler {hpa.name}" for hpa in hpas if _targets(hpa, deployment)]
    owner = ", ".join((*owners, *scaled)) or None
    return Workload(partition_of(deployment) or _asked(deployment), replicas_of(deployment), owner)


def replicas_of(deployment: Body) -> int:
    replicas = (deployment.get("spec") or {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def _targets(hpa: Autoscaler, deployment: Body) -> bool:
    metadata = deployment["metadata"]
    return (hpa.kind, hpa.namespace, hpa.target) == ("Deployment", metadata["namespace"], metadata["name"])


def _asked(deployment: Body) -> str:
    """The partition that an adopted Deployment asks of a device plugin; a whole GPU where it does not say."""
    containers = (((deployment.get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers") or ()
    limits = (name for c in containers for name in ((c.get("resources") or {}).get("limits") or {}))
    return next((n.removeprefix("nvidia.com/mig-") for n in limits if n.startswith("nvidia.com/mig-")), _WHOLE)


def adopted(service: InferenceService, deployments: Store) -> Body | None:
    """The Deployment that ``spec.workloadRef`` names, if it is there."""
    reference = service.spec.workload_ref
    return deployments.get(ObjectKey(service.metadata.namespace, reference.name)) if reference else None


def adopted_since(service: InferenceService) -> str:
    created = service.metadata.creation_timestamp
    return rfc3339(created.timestamp()) if created else ""


def adopted_replicas(deployment: Body, partition: str, created_at_seconds: float) -> Iterator[Replica]:
    """The pods of an adopted Deployment are not watched; its status tells how many there are and serve."""
    status: Mapping[str, int] = deployment.get("status") or {}
    ready = status.get("readyReplicas", 0)
    for index in range(status.get("replicas", 0)):
        phase = ReplicaPhase.READY if index < ready else ReplicaPhase.PENDING
        yield Replica(f"{deployment['metadata']['name']}-{index}", partition, phase, created_at_seconds)
