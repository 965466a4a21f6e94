"""From what is wanted to a place for each partition."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil

from cynosure.model.gpu import Gpu, Slot
from cynosure.model.mig import Spot, geometry_of
from cynosure.model.plan import Placement, Unplaced
from cynosure.model.service import ServiceKey
from cynosure.place.blame import excluded_by
from cynosure.place.demand import Demand, Inventory, Limits
from cynosure.place.domains import cells_of, item_of, spreading_of
from cynosure.place.item import Item
from cynosure.place.keep import kept_slots
from cynosure.place.patterns import arrangement, room
from cynosure.place.program import Class, Pattern, Room, Solution, counts_of, solve
from cynosure.place.spreading import Cell, Share, Spreading

SOLVER = "pattern-ilp/highs"
MOST_BLAMED = 4
"""Of what finds no place, for so many it is looked which rules exclude each other: a few solutions each."""
MOST_LIMITED = 3
"""Services with a tight limit of their own that one program tells apart; its patterns multiply with each."""
UNLIMITED = Limits()


def place(
    inventory: Inventory, demands: Sequence[Demand], limits: Limits = UNLIMITED, *, time_limit_seconds: float = 2.0
) -> Placement:
    """Return a place for every partition that finds one.

    Partitions that stand and are still wanted stay where they are, unless a limit on GPUs forbids it. Of the new ones
    as many as possible are placed, then on the fewest GPUs, with few holes; the first two are proven whenever
    ``optimal`` is set. Where many services have a tight limit of their own, they are placed one after the other, each
    exactly, and ``optimal`` is not claimed. The same input gives the same answer.
    """
    limits = _binding(limits, demands)
    slots, optimal = _filled(inventory, demands, limits, time_limit_seconds)
    used = len({slot.gpu for slot in slots})
    return Placement(
        slots=slots,
        unplaced=tuple(_unplaced(demands, slots, inventory, limits, time_limit_seconds)),
        gpus_used=used,
        lower_bound=used if optimal else _volume_bound(slots, inventory),
        optimal=optimal,
        solver=SOLVER,
        moves=_moves(inventory.ours, slots),
    )


def _filled(
    inventory: Inventory, demands: Sequence[Demand], limits: Limits, time_limit_seconds: float
) -> tuple[tuple[Slot, ...], bool]:
    """Return all that stands then, and whether that is proven to be the best."""
    slots, optimal = kept_slots(inventory, demands, limits), len(limits.of_service) <= MOST_LIMITED
    for wanted in [demands] if optimal else _one_by_one(demands, limits):
        added, proven = _added(inventory, slots, wanted, limits, time_limit_seconds)
        slots, optimal = tuple(sorted((*slots, *added))), optimal and proven
    return slots, optimal


def _added(
    inventory: Inventory, standing: Sequence[Slot], demands: Sequence[Demand], limits: Limits, time_limit_seconds: float
) -> tuple[tuple[Slot, ...], bool]:
    """Return the new partitions beside ``standing``, and whether that is proven to be the best."""
    waiting = _waiting(demands, standing, limits)
    spreading = spreading_of(inventory, standing, limits, waiting)
    groups = _classes(inventory, standing, limits, spreading)
    wanted: dict[Item, int] = {}
    for (_, item), count in waiting.items():
        wanted[item] = wanted.get(item, 0) + count
    solution = solve(
        {group: len(gpus) for group, gpus in groups.items()},
        wanted,
        _room(standing, limits),
        spreading,
        time_limit_seconds=time_limit_seconds,
    )
    return tuple(_realised(solution, groups, _Queues.of(waiting, spreading, solution.shares))), solution.optimal


def _one_by_one(demands: Sequence[Demand], limits: Limits) -> Iterator[list[Demand]]:
    """Each limited service alone, and the others between them together, in order."""
    for _, run in groupby(demands, key=lambda d: d.service if d.service in limits.of_service else None):
        yield list(run)


def _binding(limits: Limits, demands: Iterable[Demand]) -> Limits:
    """Without those that cannot be reached, as a partition is on one GPU: every limited service costs patterns."""
    wanted: Counter[ServiceKey] = Counter()
    for demand in demands:
        wanted[demand.service] += demand.count
    return replace(limits, of_service={key: n for key, n in limits.of_service.items() if n < wanted[key]})


def _classes(
    inventory: Inventory, kept: Sequence[Slot], limits: Limits, spreading: Spreading
) -> dict[Class, list[Gpu]]:
    """GPUs that look alike, each class in order."""
    ours: dict[str, list[Slot]] = {}
    for slot in kept:
        ours.setdefault(slot.gpu, []).append(slot)
    foreign: dict[str, list[Slot]] = {}
    for slot in inventory.foreign:
        foreign.setdefault(slot.gpu, []).append(slot)
    looks: dict[Gpu, Class] = {}
    for gpu in sorted(inventory.gpus):
        mine, others = ours.get(gpu.uuid, []), foreign.get(gpu.uuid, [])
        standing = tuple(sorted((s.partition, s.start) for s in (*mine, *others)))
        hosts = tuple(sorted({s.service for s in mine if s.service in limits.of_service and s.service is not None}))
        looks[gpu] = Class(gpu.product, standing, hosts, bool(mine), gpu.usable)
    cells, groups = cells_of(looks, kept, spreading), dict[Class, list[Gpu]]()
    for gpu, look in looks.items():
        group = replace(look, cell=cells[gpu.uuid]) if cells else look
        groups.setdefault(group, []).append(gpu)
    return groups


def _room(kept: Sequence[Slot], limits: Limits) -> Room:
    def left(most: int, service: ServiceKey | None) -> int:
        return max(0, most - len({s.gpu for s in kept if service in (None, s.service)}))

    fleet = None if limits.of_fleet is None else left(limits.of_fleet, None)
    return Room({service: left(most, service) for service, most in limits.of_service.items()}, fleet)


@dataclass(slots=True)
class _Queues:
    """Whose new partitions of each kind are still to be placed, in order; those of a cell go before the others."""

    anywhere: dict[Item, list[ServiceKey]]
    in_cell: dict[tuple[Cell, Item], list[ServiceKey]]

    @classmethod
    def of(
        cls, waiting: Mapping[Share, int], spreading: Spreading, shares: Iterable[tuple[Share, Cell, int]]
    ) -> "_Queues":
        found = cls({}, {})
        for (service, item), count in waiting.items():
            if (service, item) not in spreading.wanted:
                found.anywhere.setdefault(item, []).extend([service] * count)
        for (service, item), cell, count in shares:
            found.in_cell.setdefault((cell, item), []).extend([service] * count)
        return found

    def take(self, item: Item, cell: Cell) -> ServiceKey:
        return (self.in_cell.get((cell, item)) or self.anywhere[item]).pop(0)


def _realised(solution: Solution, groups: Mapping[Class, Sequence[Gpu]], queues: _Queues) -> Iterator[Slot]:
    """Give patterns to GPUs in order, and the places of a kind to the services that want it, in order."""
    for group, found in solution.patterns.items():
        gpus = iter(groups[group])
        for pattern in (pattern for pattern, times in found for _ in range(times)):
            yield from _slots(next(gpus), group, pattern, queues)


def _waiting(demands: Iterable[Demand], kept: Iterable[Slot], limits: Limits) -> dict[Share, int]:
    """How many new partitions of each kind each service lacks, in order of the demands."""
    standing = Counter((slot.service, slot.partition) for slot in kept)
    waiting: dict[Share, int] = {}
    for demand in demands:
        share = demand.service, item_of(demand, limits)
        lacking = demand.count - standing[demand.service, demand.partition]
        waiting[share] = waiting.get(share, 0) + max(0, lacking)
    return waiting


def _slots(gpu: Gpu, group: Class, pattern: Pattern, queues: _Queues) -> Iterator[Slot]:
    spots: list[Spot] = sorted(arrangement(group.product, group.standing, counts_of(pattern)) or ())
    for item, count in pattern:
        places = [spot for spot in spots if spot[0] == item.partition][:count]
        for spot in places:
            spots.remove(spot)
            yield Slot(gpu.uuid, spot[1], spot[0], queues.take(item, group.cell))


def _unplaced(
    demands: Sequence[Demand], slots: Sequence[Slot], inventory: Inventory, limits: Limits, time_limit_seconds: float
) -> Iterator[Unplaced]:
    standing = Counter((slot.service, slot.partition) for slot in slots)
    room: dict[str, str] = {}
    blamed = 0
    for demand in demands:
        lacking = demand.count - standing[demand.service, demand.partition]
        if lacking > 0:
            if demand.product not in room:
                usable = [gpu for gpu in inventory.gpus if gpu.usable and gpu.product == demand.product]
                room[demand.product] = _fits(usable, (*slots, *inventory.foreign), demand.product)
            message = _why(demand, lacking, room[demand.product], inventory, limits)
            if _is_ruled(demand.service, limits) and blamed < MOST_BLAMED:
                blamed += 1
                excluded = excluded_by(demand.service, limits, _fitting(demand, demands, inventory, time_limit_seconds))
                message += f"; {excluded}" if excluded else ""
            yield Unplaced(demand.service, demand.partition, lacking, message)


def _is_ruled(service: ServiceKey, limits: Limits) -> bool:
    return service in limits.spreads or any(service in (rule.one, rule.other) for rule in limits.apart)


def _fitting(
    demand: Demand, demands: Sequence[Demand], inventory: Inventory, time_limit_seconds: float
) -> Callable[[Limits], bool]:
    def fits(limits: Limits) -> bool:
        slots, _ = _filled(inventory, demands, limits, time_limit_seconds)
        return sum((s.service, s.partition) == (demand.service, demand.partition) for s in slots) >= demand.count

    return fits


def _why(demand: Demand, lacking: int, room: str, inventory: Inventory, limits: Limits) -> str:
    usable = [gpu for gpu in inventory.gpus if gpu.usable and gpu.product == demand.product]
    head = f"{lacking} of {demand.count} x {demand.partition} on {demand.product} find no place"
    if not usable:
        known = ", ".join(sorted({gpu.product for gpu in inventory.gpus if gpu.usable})) or "none"
        return f"{head}: no usable GPU of this product (usable: {known})"
    if (most := limits.of_service.get(demand.service)) is not None or limits.of_fleet is not None:
        limit = limits.of_fleet if most is None else most
        head += f" within {limit} GPU{'s' if limit != 1 else ''}"
    return f"{head}; {room}"


def _fits(gpus: Sequence[Gpu], slots: Iterable[Slot], product: str) -> str:
    standing: dict[str, list[Spot]] = {}
    for slot in slots:
        standing.setdefault(slot.gpu, []).append((slot.partition, slot.start))
    return room(product, [standing.get(gpu.uuid, []) for gpu in gpus])


def _moves(before: Sequence[Slot], after: Sequence[Slot]) -> int:
    """Partitions that are wanted as before and stand elsewhere: replicas that have to be restarted."""
    gone = Counter((slot.service, slot.partition) for slot in set(before) - set(after))
    new = Counter((slot.service, slot.partition) for slot in set(after) - set(before))
    return sum(min(count, new[key]) for key, count in gone.items())


def _volume_bound(slots: Iterable[Slot], inventory: Inventory) -> int:
    """No fewer GPUs than the compute slices in sum fill."""
    product = {gpu.uuid: gpu.product for gpu in inventory.gpus}
    shares = (geometry_of(product[s.gpu]).gpu_share(s.partition) for s in slots if s.gpu in product)
    return ceil(sum(shares) - 1e-9)
