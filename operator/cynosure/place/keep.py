"""Which of the standing partitions stay: as many as are wanted, on as few GPUs as the limits ask."""

from collections import Counter
from collections.abc import Iterable

from cynosure.model.gpu import Slot
from cynosure.model.service import ServiceKey
from cynosure.place.demand import Demand, Inventory, Limits


def kept_slots(inventory: Inventory, demands: Iterable[Demand], limits: Limits) -> tuple[Slot, ...]:
    """Return the partitions of ours that stay where they are.

    When a service wants fewer than stand, those go first whose GPU holds the least besides, so that whole GPUs become
    free; when a limit on GPUs is tighter than what stands, those on its emptiest GPUs go.
    """
    wanted = {(demand.service, demand.partition): demand.count for demand in demands}
    load = Counter(slot.gpu for slot in (*inventory.ours, *inventory.foreign))
    by_service: dict[tuple[ServiceKey, str], list[Slot]] = {}
    for slot in sorted(inventory.ours, key=lambda slot: (-load[slot.gpu], slot)):
        if slot.service is not None and (slot.service, slot.partition) in wanted:
            by_service.setdefault((slot.service, slot.partition), []).append(slot)
    kept = [
        slot
        for (service, partition), slots in by_service.items()
        for slot in _on_few_gpus(slots, limits.of_service.get(service))[: wanted[service, partition]]
    ]
    return tuple(sorted(_on_few_gpus(kept, limits.of_fleet)))


def _on_few_gpus(slots: list[Slot], most: int | None) -> list[Slot]:
    """Return the slots on the ``most`` GPUs that hold most of them, in the order given."""
    if most is None:
        return slots
    counts = Counter(slot.gpu for slot in slots)
    chosen = sorted(counts, key=lambda gpu: (-counts[gpu], gpu))[:most]
    return [slot for slot in slots if slot.gpu in chosen]
