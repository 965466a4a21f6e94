"""Nodes and zones as far as the rules of a placement tell them apart.

Nodes that look alike are interchangeable: with n new partitions that are spread no more than n + 1 of a kind have to be
told apart, whatever the rules; the last one gets nothing and counts as the emptiest. What is not spread may use all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cynosure.model.gpu import Gpu, Slot
from cynosure.model.service import Apart, ServiceKey, Spread, Topology
from cynosure.place.demand import Demand, Inventory, Limits
from cynosure.place.item import Item
from cynosure.place.program import Class
from cynosure.place.spreading import Cell, Even, Separate, Share, Single, Spreading


def spreading_of(
    inventory: Inventory, standing: Sequence[Slot], limits: Limits, waiting: Mapping[Share, int]
) -> Spreading:
    """The rules for what is ``waiting``; empty where none of it has any."""
    ruled = {*limits.spreads, *(key for rule in limits.apart for key in (rule.one, rule.other))}
    wanted = {share: count for share, count in waiting.items() if count and share[0] in ruled}
    services = {service for service, _ in wanted}
    evens = (
        _even(inventory.gpus, standing, spread, share)
        for share in wanted
        for spread in limits.spreads.get(share[0], ())
    )
    pairs = (rule for rule in limits.apart if rule.one != rule.other and services & {rule.one, rule.other})
    separates = (_separate(inventory.gpus, standing, rule) for rule in pairs)
    singles = (
        _single(inventory.gpus, standing, rule, share)
        for share in wanted
        for rule in limits.apart
        if share[0] == rule.one == rule.other
    )
    return Spreading(wanted, tuple(evens), tuple(separates), tuple(singles))


def _even(gpus: Iterable[Gpu], standing: Iterable[Slot], spread: Spread, share: Share) -> Even:
    service, item = share
    domains = {g.domain(spread.topology) for g in gpus if g.usable and g.product == item.product} - {""}
    found = _standing(gpus, standing, spread.topology, service)
    return Even(service, spread.topology, spread.max_skew, {domain: found[domain] for domain in sorted(domains)})


def _separate(gpus: Sequence[Gpu], standing: Sequence[Slot], rule: Apart) -> Separate:
    one, other = (_standing(gpus, standing, rule.topology, service) for service in (rule.one, rule.other))
    return Separate(rule.topology, rule.one, rule.other, one, other)


def _single(gpus: Sequence[Gpu], standing: Sequence[Slot], rule: Apart, share: Share) -> Single:
    alike = [slot for slot in standing if slot.partition == share[1].partition]
    return Single(rule.topology, share, _standing(gpus, alike, rule.topology, rule.one))


def _standing(gpus: Iterable[Gpu], standing: Iterable[Slot], topology: Topology, service: ServiceKey) -> Counter[str]:
    domains = {gpu.uuid: gpu.domain(topology) for gpu in gpus}
    return Counter(domains[slot.gpu] for slot in standing if slot.service == service and slot.gpu in domains)


def cells_of(gpus: Mapping[Gpu, Class], standing: Iterable[Slot], spreading: Spreading) -> dict[str, Cell]:
    """The cell of each GPU, by UUID. ``gpus`` with what each looks like, wherever it is."""
    told = spreading.topologies
    if not told:
        return {}
    if told == {Topology.ZONE}:
        return {gpu.uuid: Cell("", gpu.zone, is_open=True) for gpu in gpus}
    nodes = set(_told_apart(gpus, standing, spreading))
    return {g.uuid: Cell(g.node, g.zone, is_open=True) if g.node in nodes else Cell("", g.zone) for g in gpus}


def _told_apart(gpus: Mapping[Gpu, Class], standing: Iterable[Slot], spreading: Spreading) -> Iterator[str]:
    services = {service for service, _ in spreading.wanted}
    services |= {key for rule in spreading.separates for key in (rule.one, rule.other)}
    node_of, nodes = {gpu.uuid: gpu.node for gpu in gpus}, dict[str, list[Gpu]]()
    held: dict[str, Counter[tuple[ServiceKey, str]]] = {}
    for slot in standing:
        if slot.service in services and slot.service is not None and slot.gpu in node_of:
            held.setdefault(node_of[slot.gpu], Counter())[slot.service, slot.partition] += 1
    for gpu in gpus:
        nodes.setdefault(gpu.node, []).append(gpu)
    most, alike = sum(spreading.wanted.values()) + 1, Counter[object]()
    for node, found in sorted(nodes.items()):
        looks = tuple(sorted(gpus[gpu] for gpu in found))
        kind = found[0].zone, looks, tuple(sorted(held.get(node, {}).items()))
        alike[kind] += 1
        if alike[kind] <= most:
            yield node


def item_of(demand: Demand, limits: Limits) -> Item:
    limited = demand.service if demand.service in limits.of_service else None
    return Item(demand.product, demand.partition, limited)
