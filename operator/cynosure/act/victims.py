"""Which replicas go first when there are to be fewer."""

from collections.abc import Iterable, Sequence

from cynosure.kube.labels import DELETION_COST, annotations_of
from cynosure.kube.port import Body
from cynosure.model.gpu import Slot
from cynosure.model.snapshot import Replica, ReplicaPhase

GOES_FIRST = "-100"


def victims(replicas: Iterable[Replica], planned: Iterable[Slot], count: int) -> list[Replica]:
    """``count`` of the replicas: pending ones, then those whose slot the plan wants free, then the youngest.

    Kubernetes takes what is not ready before anything else, whatever it is told.
    """
    kept = {(slot.gpu, slot.start, slot.partition) for slot in planned}

    def order(replica: Replica) -> tuple[bool, bool, float, str]:
        slot = replica.slot
        stays = slot is not None and (slot.gpu, slot.start, slot.partition) in kept
        return replica.phase is ReplicaPhase.READY, stays, -replica.created_at_seconds, replica.pod

    living = [replica for replica in replicas if replica.phase is not ReplicaPhase.DRAINING]
    return sorted(living, key=order)[: max(0, count)]


def cost_changes(pods: Sequence[Body], chosen: Iterable[Replica]) -> dict[str, str | None]:
    """The deletion cost to write on each pod by name; None takes an old choice back."""
    names = {replica.pod for replica in chosen}
    changes: dict[str, str | None] = {}
    for pod in pods:
        name, cost = pod["metadata"]["name"], annotations_of(pod).get(DELETION_COST)
        if name in names and cost != GOES_FIRST:
            changes[name] = GOES_FIRST
        elif name not in names and cost == GOES_FIRST:
            changes[name] = None
    return changes
