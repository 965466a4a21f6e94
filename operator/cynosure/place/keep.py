"""Which of the standing partitions stay: as many as are wanted, on as few GPUs as the limits ask."""

from collections import Counter
from collections.abc import Iterable

from cynosure.model.gpu import Gpu, Slot
from cynosure.model.service import ServiceKey, Spread
from cynosure.place.demand import Demand, Inventory, Limits


def kept_slots(inventory: Inventory, demands: Iterable[Demand], limits: Limits) -> tuple[Slot, ...]:
    """Return the partitions of ours that stay where they are.

    When a service wants fewer than stand, those go first whose GPU holds the least besides, so that whole GPUs become
    free; of one that is spread those in the fullest zone and node. When a limit on GPUs is tighter than what stands,
    those on its emptiest GPUs go.
    """
    wanted = {(demand.service, demand.partition): demand.count for demand in demands}
    load = Counter(slot.gpu for slot in (*inventory.ours, *inventory.foreign))
    by_service: dict[tuple[ServiceKey, str], list[Slot]] = {}
    for slot in sorted(inventory.ours, key=lambda slot: (-load[slot.gpu], slot)):
        if slot.service is not None and (slot.service, slot.partition) in wanted:
            by_service.setdefault((slot.service, slot.partition), []).append(slot)
    kept = list[Slot]()
    for (service, partition), slots in by_service.items():
        allowed, most = _on_few_gpus(slots, limits.of_service.get(service)), wanted[service, partition]
        if service in limits.spreads and most < len(allowed):
            allowed = _evenly(allowed, limits.spreads[service], inventory.gpus)
        kept += allowed[:most]
    return tuple(sorted(_on_few_gpus(kept, limits.of_fleet)))


def _evenly(slots: Iterable[Slot], spreads: Iterable[Spread], gpus: Iterable[Gpu]) -> list[Slot]:
    """Return the slots in an order of which each beginning is spread, zones before nodes, as far as they stand so."""
    at, topologies = {gpu.uuid: gpu for gpu in gpus}, sorted({s.topology for s in spreads}, reverse=True)
    left, taken, ordered = list(slots), Counter[str](), list[Slot]()
    while left:
        domains = [[f"{t}/{at[slot.gpu].domain(t)}" if slot.gpu in at else "" for t in topologies] for slot in left]
        _, chosen = min(([taken[domain] for domain in found], number) for number, found in enumerate(domains))
        taken.update(domains[chosen])
        ordered.append(left.pop(chosen))
    return ordered


def _on_few_gpus(slots: list[Slot], most: int | None) -> list[Slot]:
    """Return the slots on the ``most`` GPUs that hold most of them, in the order given."""
    if most is None:
        return slots
    counts = Counter(slot.gpu for slot in slots)
    chosen = sorted(counts, key=lambda gpu: (-counts[gpu], gpu))[:most]
    return [slot for slot in slots if slot.gpu in chosen]
