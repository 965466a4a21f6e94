"""``cynosure place`` with rules in its files: spread, kept apart, and GPUs that may not be touched."""

from collections import Counter
from typing import Any

import pytest
from cynosure.errors import BadInput

from tests.place.checker import Document, check, partitions
from tests.place.conftest import Run
from tests.place.files import A100, demand, gpus, placement, points, rated

NODE = {"topology": "node"}


def stock(*nodes: int, zones: str = "") -> Document:
    """So many GPUs on each node, each node in the zone of its letter."""
    at = [node for node, count in enumerate(nodes) for _ in range(count)]
    found = [{"gpu": n, "product": A100, "node": f"n{node}"} for n, node in enumerate(at)]
    return {"gpus": [{**gpu, "zone": zones[node]} if zones else gpu for gpu, node in zip(found, at, strict=True)]}


def ruled(wanted: Document, **rules: Document) -> Document:
    services = [{**service, **rules.get(service["name"], {})} for service in wanted["services"]]
    return {**wanted, "services": services}


def on(answer: Document, inventory: Document, service: str, field: str = "node") -> Counter[Any]:
    where = {gpu["gpu"]: gpu[field] for gpu in inventory["gpus"]}
    return Counter(where[gpu] for gpu, _, _, name in partitions(answer) if name == service)


def test_partitions_are_spread_over_nodes_and_zones(run: Run) -> None:
    inventory = stock(2, 2, 2, 2, zones="aabb")
    wanted = ruled(demand(chat={"2g.20gb": 4}), chat={"spread": [NODE, {"topology": "zone"}]})
    code, answer = run(wanted, inventory=inventory)
    check(answer, wanted, inventory=inventory)
    assert on(answer, inventory, "chat") == {"n0": 1, "n1": 1, "n2": 1, "n3": 1}
    assert on(answer, inventory, "chat", "zone") == {"a": 2, "b": 2}
    assert (code, answer["gpus"], answer["lower_bound"], answer["optimal"]) == (0, 4, 4, True)


def test_services_that_are_apart_share_no_node(run: Run) -> None:
    inventory = stock(2, 2)
    wanted = ruled(
        demand(chat={"1g.10gb": 3}, vision={"1g.10gb": 3}), chat={"apart_from": [{**NODE, "service": "vision"}]}
    )
    _, answer = run(wanted, inventory=inventory)
    check(answer, wanted, inventory=inventory)
    assert not on(answer, inventory, "chat").keys() & on(answer, inventory, "vision").keys()
    assert (answer["gpus"], answer["optimal"]) == (2, True)


def test_replicas_of_one_service_each_on_a_node_of_its_own(run: Run) -> None:
    inventory = stock(4, 4)
    wanted = ruled(demand(chat={"1g.10gb": 3}), chat={"apart_from": [NODE]})
    code, answer = run(wanted, inventory=inventory)
    check(answer, wanted, inventory=inventory)
    (lacking,) = answer["unplaced"]
    assert (code, lacking["count"]) == (1, 1)
    assert lacking["reason"].endswith("replicas apart by node leaves no room; without it all would fit")


def test_a_gpu_that_may_not_be_touched_keeps_what_it_has_and_gets_nothing(run: Run) -> None:
    inventory = {"gpus": [*gpus(1, fixed=True), *gpus(2, first=1)]}
    before = placement(gpu0=[("1g.10gb", 0, "chat"), ("3g.40gb", 4, "gone")], gpu1=[("1g.10gb", 0, "chat")])
    wanted = demand(chat={"1g.10gb": 3})
    code, answer = run(wanted, inventory=inventory, current=before)
    assert (code, answer["moves"], answer["feasible"]) == (0, 0, True)
    assert {spot for spot in partitions(answer) if spot[0] == 0} == {
        (0, 0, "1g.10gb", "chat"),
        (0, 4, "3g.40gb", "gone"),
    }
    assert len([spot for spot in partitions(answer) if spot[3] == "chat"]) == 3


def test_not_even_a_surplus_is_taken_from_it(run: Run) -> None:
    inventory = {"gpus": [*gpus(1, fixed=True), *gpus(1, first=1)]}
    before = placement(gpu0=[("1g.10gb", 0, "chat"), ("1g.10gb", 1, "chat")], gpu1=[("1g.10gb", 0, "chat")])
    _, answer = run(demand(chat={"1g.10gb": 1}), inventory=inventory, current=before)
    assert partitions(answer) == {(0, 0, "1g.10gb", "chat"), (0, 1, "1g.10gb", "chat")}
    assert answer["moves"] == 1


def test_what_stands_stays_and_the_bound_says_what_moving_could_save(run: Run) -> None:
    inventory = stock(1, 1, 1)
    before = placement(gpu0=[("1g.10gb", 0, "a")], gpu1=[("1g.10gb", 0, "a")])
    wanted = ruled(demand(a={"1g.10gb": 2}, b={"1g.10gb": 2}), b={"spread": [NODE]})
    _, answer = run(wanted, inventory=inventory, current=before)
    check(answer, wanted, inventory=inventory, current=before)
    assert (answer["gpus"], answer["lower_bound"], answer["optimal"], answer["moves"]) == (2, 1, False, 0)


def test_partitions_of_a_rate_are_spread_as_well(run: Run) -> None:
    measured = points("chat", {1: 10.0, 2: 25.0})
    inventory, wanted = stock(1, 1), ruled(rated(chat=(45.0, 50.0)), chat={"spread": [NODE]})
    _, answer = run(wanted, inventory=inventory, points=measured)
    check(answer, wanted, inventory=inventory, points=measured)
    assert on(answer, inventory, "chat") == {"n0": 1, "n1": 1}
    assert not answer["optimal"], "whether other partitions would do with fewer GPUs was not looked at"


@pytest.mark.parametrize(
    ("wanted", "files", "said"),
    [
        ({"chat": {"spread": [NODE]}}, {}, "without --inventory there are no nodes and zones"),
        ({"chat": {"apart_from": [{**NODE, "service": "vison"}]}}, {}, "did you mean vision?"),
        ({"chat": {"spread": [{"topology": "rack"}]}}, {"inventory": stock(1)}, "topology"),
        ({"chat": {"spread": [{**NODE, "max_skew": 0}]}}, {"inventory": stock(1)}, "max_skew"),
    ],
    ids=["no inventory", "unknown service", "unknown topology", "no skew"],
)
def test_rules_that_cannot_be_used_say_so(run: Run, wanted: Document, files: Document, said: str) -> None:
    with pytest.raises(BadInput, match=said.replace("?", r"\?")):
        run(ruled(demand(chat={"1g.10gb": 1}, vision={"1g.10gb": 1}), **wanted), **files)
