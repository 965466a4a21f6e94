"""Services spread over nodes and zones: brute force finds no better answer, and every rule holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations, product

import pytest
from cynosure.model.gpu import Gpu, Slot
from cynosure.model.plan import Placement
from cynosure.model.service import Apart, ServiceKey, Spread, Topology
from cynosure.place.demand import Demand, Inventory, Limits
from cynosure.place.patterns import arrangement
from cynosure.place.solve import place
from hypothesis import given, settings
from hypothesis import strategies as st

A100 = "A100-80GB"
CHAT, VISION = ServiceKey("shop", "chat"), ServiceKey("shop", "vision")
NODE, ZONE = Topology.NODE, Topology.ZONE


def gpus(nodes: Sequence[int], zones: Sequence[str] = ()) -> tuple[Gpu, ...]:
    """So many GPUs on each node; a zone for each node, or none."""
    at = [(node, zones[node] if zones else "") for node, count in enumerate(nodes) for _ in range(count)]
    return tuple(Gpu(f"gpu-{n}", f"node-{node}", n, A100, zone=zone) for n, (node, zone) in enumerate(at))


def want(service: ServiceKey, partition: str, count: int) -> Demand:
    return Demand(service, A100, partition, count)


def by_domain(found: Placement, inventory: Inventory, service: ServiceKey, topology: Topology = NODE) -> Counter[str]:
    where = {gpu.uuid: gpu.node if topology is NODE else gpu.zone for gpu in inventory.gpus}
    return Counter(where[slot.gpu] for slot in found.slots if slot.service == service)


def test_replicas_are_spread_over_nodes_where_one_gpu_would_hold_them() -> None:
    inventory = Inventory(gpus([4, 4, 4]))
    found = place(inventory, [want(CHAT, "1g.10gb", 7)], Limits(spreads={CHAT: (Spread(NODE),)}))
    assert sorted(by_domain(found, inventory, CHAT).values()) == [2, 2, 3]
    assert (found.gpus_used, found.optimal) == (3, True)


def test_a_larger_skew_leaves_more_together() -> None:
    inventory = Inventory(gpus([4, 4]))
    found = place(inventory, [want(CHAT, "2g.20gb", 4)], Limits(spreads={CHAT: (Spread(NODE, 2),)}))
    assert sorted(by_domain(found, inventory, CHAT).values()) == [1, 3]
    assert found.gpus_used == 2


def test_zones_and_nodes_at_once() -> None:
    inventory = Inventory(gpus([2, 2, 2, 2], ["a", "a", "b", "b"]))
    found = place(inventory, [want(CHAT, "3g.40gb", 4)], Limits(spreads={CHAT: (Spread(NODE), Spread(ZONE))}))
    assert set(by_domain(found, inventory, CHAT).values()) == {1}
    assert by_domain(found, inventory, CHAT, ZONE) == {"a": 2, "b": 2}


def test_replicas_apart_and_no_more_nodes() -> None:
    inventory = Inventory(gpus([2, 2]))
    found = place(inventory, [want(CHAT, "1g.10gb", 3)], Limits(apart=(Apart(NODE, CHAT, CHAT),)))
    assert set(by_domain(found, inventory, CHAT).values()) == {1}
    (lacking,) = found.unplaced
    assert lacking.count == 1
    assert "replicas apart by node" in lacking.message


def test_two_services_share_no_node_and_others_share_with_both() -> None:
    inventory = Inventory(gpus([1, 1]))
    demands = [want(CHAT, "2g.20gb", 2), want(VISION, "2g.20gb", 1), want(ServiceKey("lab", "other"), "1g.10gb", 4)]
    found = place(inventory, demands, Limits(apart=(Apart(NODE, CHAT, VISION),)))
    assert not by_domain(found, inventory, CHAT).keys() & by_domain(found, inventory, VISION).keys()
    assert not found.unplaced


def test_a_node_without_a_zone_gets_nothing_that_is_spread_over_zones() -> None:
    inventory = Inventory(gpus([4, 1], ["", "a"]))
    found = place(inventory, [want(CHAT, "1g.10gb", 2)], Limits(spreads={CHAT: (Spread(ZONE),)}))
    assert by_domain(found, inventory, CHAT) == {"node-1": 2}


def test_what_stands_stays_however_it_stands() -> None:
    ours = tuple(Slot("gpu-0", start, "1g.10gb", CHAT) for start in (0, 1, 2))
    inventory = Inventory(gpus([1, 1]), ours)
    found = place(inventory, [want(CHAT, "1g.10gb", 5)], Limits(spreads={CHAT: (Spread(NODE),)}))
    assert set(ours) <= set(found.slots)
    assert by_domain(found, inventory, CHAT) == {"node-0": 3, "node-1": 2}


def test_a_full_node_holds_the_others_back_and_the_reason_is_named() -> None:
    full = (Slot("gpu-1", 0, "7g.80gb"),)
    found = place(
        Inventory(gpus([1, 1]), foreign=full), [want(CHAT, "1g.10gb", 3)], Limits(spreads={CHAT: (Spread(NODE),)})
    )
    (lacking,) = found.unplaced
    assert (lacking.count, len(found.slots)) == (2, 1)
    assert "spread by node with a skew of at most 1" in lacking.message
    assert "without it all would" in lacking.message


def test_the_smallest_set_of_rules_that_exclude_each_other_is_named() -> None:
    """Two nodes, one GPU allowed: the limit and the spread exclude each other, the rule about vision is innocent."""
    limits = Limits({CHAT: 1}, spreads={CHAT: (Spread(NODE),)}, apart=(Apart(NODE, CHAT, VISION),))
    found = place(Inventory(gpus([1, 1])), [want(CHAT, "1g.10gb", 4)], limits)
    (lacking,) = found.unplaced
    both = "spread by node with a skew of at most 1 and at most 1 GPU leave no room"
    assert f"{both}; without any one of them all would fit" in lacking.message
    assert "vision" not in lacking.message


def test_a_thousand_nodes_that_look_alike_take_a_moment() -> None:
    inventory = Inventory(gpus([8] * 1000))
    limits = Limits(spreads={CHAT: (Spread(NODE),)}, apart=(Apart(NODE, CHAT, VISION),))
    found = place(inventory, [want(CHAT, "2g.20gb", 6), want(VISION, "3g.40gb", 4)], limits)
    assert (found.unplaced, found.optimal, found.gpus_used) == ((), True, 8)
    assert set(by_domain(found, inventory, CHAT).values()) == {1}


rules = st.fixed_dictionaries(
    {
        "skew": st.sampled_from([None, 1, 2]),
        "topology": st.sampled_from([NODE, ZONE]),
        "zone": st.booleans(),
        "apart": st.sampled_from([None, (NODE, CHAT), (ZONE, VISION), (NODE, VISION)]),
    }
)
Rules = Mapping[str, object]


def limits_of(asked: dict[str, object]) -> Limits:
    spreads: list[Spread] = []
    if isinstance(asked["skew"], int) and isinstance(asked["topology"], Topology):
        spreads.append(Spread(asked["topology"], asked["skew"]))
    if asked["zone"]:
        spreads.append(Spread(ZONE, 1))
    apart = asked["apart"]
    pairs = (Apart(apart[0], CHAT, apart[1]),) if isinstance(apart, tuple) else ()
    return Limits(spreads={CHAT: tuple(spreads)} if spreads else {}, apart=pairs)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(
    nodes=st.sampled_from([(1, 1), (2, 1), (1, 1, 1), (1, 2, 1)]),
    zones=st.sampled_from([("a", "a", "b"), ("a", "b", "b"), ("a", "b", ""), ("a", "b", "c")]),
    asked=rules,
    standing=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([CHAT, VISION, None])), max_size=3),
    counts=st.tuples(st.integers(0, 3), st.integers(0, 2)),
)
def test_brute_force_places_no_more_on_no_fewer_gpus(
    nodes: tuple[int, ...],
    zones: tuple[str, ...],
    asked: dict[str, object],
    standing: list[tuple[int, ServiceKey | None]],
    counts: tuple[int, int],
) -> None:
    inventory, limits = inventory_of(gpus(nodes, zones), standing), limits_of(asked)
    had = Counter(slot.service for slot in inventory.ours)
    more = {CHAT: counts[0], VISION: counts[1]}
    found = place(inventory, [want(key, "2g.20gb", had[key] + n) for key, n in more.items()], limits)
    assert set(inventory.ours) <= set(found.slots)
    new = sorted(set(found.slots) - set(inventory.ours))
    where = {gpu.uuid: n for n, gpu in enumerate(inventory.gpus)}
    given_to = {key: [where[s.gpu] for s in new if s.service == key] for key in more}
    assert holds(inventory, limits, given_to)
    assert found.optimal
    assert (len(new), found.gpus_used) == best(inventory, limits, more)


def inventory_of(stock: tuple[Gpu, ...], standing: list[tuple[int, ServiceKey | None]]) -> Inventory:
    """Each at the first start of its GPU that is free."""
    free = {n: iter((0, 2, 4)) for n in range(len(stock))}
    slots = [Slot(stock[n].uuid, next(free[n]), "2g.20gb", key) for n, key in standing if n < len(stock)]
    ours = tuple(slot for slot in slots if slot.service is not None)
    return Inventory(stock, ours, tuple(slot for slot in slots if slot.service is None))


def best(inventory: Inventory, limits: Limits, more: Mapping[ServiceKey, int]) -> tuple[int, int]:
    """The most that can be added, and the fewest GPUs in use for that: all ways are tried."""
    places, used = range(len(inventory.gpus)), {slot.gpu for slot in inventory.ours}
    found = []
    ways = [[way for n in range(count + 1) for way in multisets(len(places), n)] for count in more.values()]
    for chosen in product(*ways):
        given_to = dict(zip(more, map(list, chosen), strict=True))
        if holds(inventory, limits, given_to):
            taken = used | {inventory.gpus[n].uuid for way in chosen for n in way}
            found.append((-sum(map(len, chosen)), len(taken)))
    count, gpus_used = min(found)
    return -count, gpus_used


@cache
def multisets(gpu_count: int, size: int) -> list[tuple[int, ...]]:
    bars = combinations(range(gpu_count + size - 1), size)
    return [tuple(at - n for n, at in enumerate(way)) for way in bars]


def holds(inventory: Inventory, limits: Limits, given_to: Mapping[ServiceKey, list[int]]) -> bool:
    added = Counter(n for numbers in given_to.values() for n in numbers)
    for n, count in added.items():
        spots = [
            (s.partition, s.start) for s in (*inventory.ours, *inventory.foreign) if s.gpu == inventory.gpus[n].uuid
        ]
        if arrangement(A100, tuple(sorted(spots)), (("2g.20gb", count),)) is None:
            return False
    evens = ((key, spread) for key, spreads in limits.spreads.items() for spread in spreads)
    return all(is_even(inventory, given_to, *even) for even in evens) and all(
        is_apart(inventory, given_to, rule) for rule in limits.apart
    )


def counts_in(
    inventory: Inventory, numbers: Sequence[int], key: ServiceKey, topology: Topology
) -> tuple[Counter[str], Counter[str]]:
    """What is new, and what there is then, by domain."""
    domains = [gpu.node if topology is NODE else gpu.zone for gpu in inventory.gpus]
    at = {gpu.uuid: domain for gpu, domain in zip(inventory.gpus, domains, strict=True)}
    new = Counter(domains[n] for n in numbers)
    return new, new + Counter(at[slot.gpu] for slot in inventory.ours if slot.service == key)


def is_even(inventory: Inventory, given_to: Mapping[ServiceKey, list[int]], key: ServiceKey, spread: Spread) -> bool:
    new, then = counts_in(inventory, given_to[key], key, spread.topology)
    known = {gpu.node if spread.topology is NODE else gpu.zone for gpu in inventory.gpus} - {""}
    fewest = min((then[domain] for domain in known), default=0)
    return not new[""] and all(then[domain] <= fewest + spread.max_skew for domain in new)


def is_apart(inventory: Inventory, given_to: Mapping[ServiceKey, list[int]], rule: Apart) -> bool:
    new, then = counts_in(inventory, given_to[rule.one], rule.one, rule.topology)
    if rule.one == rule.other:
        return all(then[domain] == 1 for domain in new if domain)
    theirs, there = counts_in(inventory, given_to[rule.other], rule.other, rule.topology)
    mixed = {domain for domain in then.keys() & there.keys() if domain}
    return not mixed & (new.keys() | theirs.keys())


def test_the_order_of_gpus_does_not_matter() -> None:
    inventory = Inventory(gpus([2, 2, 2]))
    limits = Limits(spreads={CHAT: (Spread(NODE),)})
    found = place(inventory, [want(CHAT, "3g.40gb", 3)], limits)
    other = replace(inventory, gpus=tuple(reversed(inventory.gpus)))
    assert place(other, [want(CHAT, "3g.40gb", 3)], limits).slots == found.slots


def test_a_replica_may_share_a_node_with_its_successor_of_another_partition() -> None:
    """Or a service whose replicas stand apart could never change its partition."""
    old = tuple(Slot(f"gpu-{n}", 0, "1g.10gb", CHAT) for n in range(2))
    demands = [want(CHAT, "2g.20gb", 2), want(CHAT, "1g.10gb", 2)]
    inventory = Inventory(gpus([1, 1]), old)
    found = place(inventory, demands, Limits(apart=(Apart(NODE, CHAT, CHAT),)))
    assert not found.unplaced
    assert by_domain(found, inventory, CHAT) == {"node-0": 2, "node-1": 2}


@pytest.mark.parametrize(("spreads", "nodes"), [((), 1), ((Spread(NODE),), 2)], ids=["not spread", "spread"])
def test_of_a_surplus_those_stay_that_are_spread(spreads: tuple[Spread, ...], nodes: int) -> None:
    """Four go back to two: without a rule those that share a GPU stay, as that frees the others."""
    ours = tuple(Slot(f"gpu-{n}", start, "2g.20gb", CHAT) for n, start in ((0, 0), (0, 2), (1, 0), (2, 0)))
    inventory = Inventory(gpus([1, 1, 1]), ours)
    found = place(inventory, [want(CHAT, "2g.20gb", 2)], Limits(spreads={CHAT: spreads} if spreads else {}))
    assert len(by_domain(found, inventory, CHAT)) == nodes


def test_zones_come_before_nodes_when_fewer_are_wanted() -> None:
    ours = tuple(Slot(f"gpu-{n}", 0, "2g.20gb", CHAT) for n in range(4))
    inventory = Inventory(gpus([1, 1, 1, 1], ["a", "a", "a", "b"]), ours)
    found = place(inventory, [want(CHAT, "2g.20gb", 2)], Limits(spreads={CHAT: (Spread(NODE), Spread(ZONE))}))
    assert by_domain(found, inventory, CHAT, ZONE) == {"a": 1, "b": 1}
