"""A fleet under rules: services spread over nodes and zones or kept apart, and GPUs that may not be touched.

What stands and is wanted stays, as in a pass of the operator; only what is new is placed, by its exact program.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from cynosure.model.gpu import Gpu, Slot
from cynosure.model.plan import Placement
from cynosure.model.service import ServiceKey
from cynosure.place.bounds import fewest_moves
from cynosure.place.choices import Label
from cynosure.place.demand import Demand, Inventory, Limits
from cynosure.place.fleet import place_fleet
from cynosure.place.greedy import Placed
from cynosure.place.need import Holding, Need, Stock
from cynosure.place.prices import GPUS, Prices
from cynosure.place.solve import place
from cynosure.place.task import Fleet, Task, task_of


@dataclass(frozen=True, slots=True)
class Rules:
    """``sites``: node and zone of each GPU, by number. ``fixed`` GPUs keep what stands on them and get nothing."""

    sites: Mapping[int, tuple[str, str]]
    fixed: frozenset[int] = frozenset()
    limits: Limits = field(default_factory=Limits)

    def __bool__(self) -> bool:
        return bool(self.fixed or self.limits.spreads or self.limits.apart)


def key_of(service: str) -> ServiceKey:
    return ServiceKey("", service)


def place_ruled(
    needs: Sequence[Need], stock: Stock, rules: Rules, prices: Prices = GPUS, *, time_limit_seconds: float = 10.0
) -> tuple[Fleet, Mapping[Label, str]]:
    """Place as many partitions as the rules leave room for, on the fewest GPUs beside what stays.

    Partitions that serve a rate are chosen as if there were no rules. ``stock`` includes the fixed GPUs. The bound on
    the cost is that without rules wherever something stands or was chosen: no answer within them is cheaper.

    :return: the answer, and why what is unplaced finds no place.
    """
    end = perf_counter() + time_limit_seconds
    task, _ = task_of(needs, stock, prices)
    free = place_fleet(needs, replace(stock, standing={}), prices, time_limit_seconds=time_limit_seconds / 2)
    counts = _counts(task, free)
    inventory, foreign = _inventory(stock, rules, counts)
    product = {need.service: need.product for need in needs}
    demands = [Demand(key_of(s), product[s], profile, count) for (s, profile), count in counts.items()]
    found = place(inventory, demands, rules.limits, time_limit_seconds=max(0.0, end - perf_counter()))
    placed = _placed(found, foreign)
    reasons = {(u.service.name, u.partition): u.message for u in found.unplaced}
    lacking = Counter({(u.service.name, u.partition): u.count for u in found.unplaced})
    is_exact = found.optimal and not inventory.ours and not foreign and not task.choices
    cost, is_most = task.cost(placed), found.optimal and (is_exact or not lacking)
    bound = cost if is_exact else min(cost, free.cost_bound) if not lacking else 0.0
    moves, fewest = replace(task, stock=stock).moves(placed), fewest_moves(needs, stock)
    return Fleet(placed, lacking, cost, moves, found.solver, is_most, bound, min(moves, fewest)), reasons


def _counts(task: Task, free: Fleet) -> dict[Label, int]:
    """How many of what each service gets: as listed, or as chosen for its rate. In the order of the needs."""
    chosen = Counter((held.service, held.profile) for found in free.placed.values() for held in found) + free.unplaced
    counts: dict[Label, int] = {}
    for need in task.needs:
        for profile in need.choices:
            label = need.service, profile
            counts[label] = chosen[label] if need.is_choice else need.most(profile)
    return counts


def _inventory(stock: Stock, rules: Rules, counts: dict[Label, int]) -> tuple[Inventory, tuple[Slot, ...]]:
    """Return what the program sees, and what of it is nobody's. ``counts`` grow to what stands on fixed GPUs."""
    fixed = {gpu: found for gpu, found in stock.standing.items() if gpu in rules.fixed}
    held = Counter((each.service, each.profile) for found in fixed.values() for each in found)
    for label in counts:
        counts[label] = max(counts[label], held[label])
    everything = sum(map(len, stock.standing.values()))
    loose = {g: found for g, found in stock.standing.items() if g not in rules.fixed and g in stock.products}
    # Of a surplus the program chooses what goes, unless some of it may not be touched.
    left = Counter({label: n - held[label] if held[label] else everything for label, n in counts.items()})
    kept = replace(stock, standing=loose).kept(left)
    ours = [_slot(g, each) for g, found in {**kept, **fixed}.items() for each in found if _label(each) in counts]
    foreign = tuple(_slot(g, each) for g, found in fixed.items() for each in found if _label(each) not in counts)
    gpus = (
        Gpu(str(gpu), rules.sites[gpu][0], gpu, product, gpu not in rules.fixed, rules.sites[gpu][1])
        for gpu, product in stock.products.items()
    )
    return Inventory(tuple(gpus), tuple(ours), foreign), foreign


def _label(held: Holding) -> Label:
    return held.service, held.profile


def _slot(gpu: int, held: Holding) -> Slot:
    return Slot(str(gpu), held.start, held.profile, key_of(held.service))


def _placed(found: Placement, foreign: Sequence[Slot]) -> Placed:
    placed: dict[int, list[Holding]] = {}
    for slot in (*found.slots, *foreign):
        service = slot.service.name if slot.service else ""
        placed.setdefault(int(slot.gpu), []).append(Holding(slot.start, slot.partition, service))
    return {gpu: tuple(sorted(held)) for gpu, held in sorted(placed.items())}
