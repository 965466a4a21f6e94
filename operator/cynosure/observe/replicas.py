"""Pods of services, the partitions that their claims were given, and the partitions of others."""

from collections.abc import Iterable, Mapping

from cynosure.kube.labels import SERVICE, is_ours, labels_of, partition_of
from cynosure.kube.port import Body
from cynosure.kube.times import seconds
from cynosure.model.gpu import Slot
from cynosure.model.service import ServiceKey
from cynosure.model.snapshot import Replica, ReplicaPhase
from cynosure.observe.gpus import Device, DeviceKey

_ENDED = frozenset({"Succeeded", "Failed"})


def slots_by_pod(
    claims: Iterable[Body], devices: Mapping[DeviceKey, Device]
) -> tuple[dict[str, Slot], tuple[Slot, ...]]:
    """The slot of each pod by the pod's UID, and the slots of claims that no pod holds. Services are not filled in."""
    held: dict[str, Slot] = {}
    loose: list[Slot] = []
    for claim in claims:
        slots = _slots(claim, devices)
        pod = _pod_of(claim)
        if pod:
            held |= {pod: slots[0]} if slots else {}
        loose += slots[1:] if pod else slots
    return held, tuple(loose)


def _slots(claim: Body, devices: Mapping[DeviceKey, Device]) -> list[Slot]:
    allocation = (claim.get("status") or {}).get("allocation") or {}
    results = (allocation.get("devices") or {}).get("results") or ()
    found = (devices.get((r.get("driver"), r.get("pool"), r.get("device"))) for r in results)
    return [Slot(device.gpu, device.start, device.partition) for device in found if device]


def _pod_of(claim: Body) -> str | None:
    """The UID of the pod: the one it is reserved for, else the one that it was made for."""
    reserved = (claim.get("status") or {}).get("reservedFor") or ()
    owners = claim["metadata"].get("ownerReferences") or ()
    pods = [entry["uid"] for entry in reserved if entry.get("resource") == "pods"]
    pods += [owner["uid"] for owner in owners if owner.get("kind") == "Pod"]
    return pods[0] if pods else None


def replica_of(pod: Body, slot: Slot | None) -> Replica:
    metadata = pod["metadata"]
    key = service_key(pod)
    placed = Slot(slot.gpu, slot.start, slot.partition, key) if slot else None
    created = seconds(metadata.get("creationTimestamp")) or 0.0
    return Replica(metadata["name"], partition_of(pod), phase_of(pod), created, placed)


def service_key(pod: Body) -> ServiceKey:
    return ServiceKey(pod["metadata"].get("namespace", ""), labels_of(pod)[SERVICE])


def phase_of(pod: Body) -> ReplicaPhase:
    if pod["metadata"].get("deletionTimestamp"):
        return ReplicaPhase.DRAINING
    return ReplicaPhase.READY if ready_at(pod) is not None else ReplicaPhase.PENDING


def ready_at(pod: Body) -> float | None:
    """Since when the pod is ready (Unix seconds); None when it is not."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = next((c for c in conditions if c.get("type") == "Ready" and c.get("status") == "True"), None)
    return (seconds(ready.get("lastTransitionTime")) or 0.0) if ready else None


def is_replica(pod: Body) -> bool:
    """A pod of ours that runs or will; ended pods hold no capacity."""
    return is_ours(pod) and (pod.get("status") or {}).get("phase") not in _ENDED


def by_service(pods: Iterable[Body], slots: Mapping[str, Slot]) -> dict[ServiceKey, list[Replica]]:
    found: dict[ServiceKey, list[Replica]] = {}
    for pod in pods:
        if is_replica(pod):
            found.setdefault(service_key(pod), []).append(replica_of(pod, slots.get(pod["metadata"]["uid"])))
    return {key: sorted(replicas, key=lambda r: (r.created_at_seconds, r.pod)) for key, replicas in found.items()}
