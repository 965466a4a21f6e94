"""The slices let a scheduler allocate what MIG allows, no more and no less, within Kubernetes' own limits."""

from collections import Counter
from itertools import chain
from typing import Any

import pytest
from cynosure.model.mig import GEOMETRIES, Spot, geometry_of
from cynosure.place.resource_slices import DRIVER, device_classes, extended_resources, resource_slices
from hypothesis import given
from hypothesis import strategies as st

Body = dict[str, Any]
_MOST_DEVICES, _MOST_SETS, _MOST_COUNTERS = 64, 8, 32  # of a slice, a slice and a set: k8s.io/api/resource/v1


@pytest.mark.parametrize("gpus", [1, 8, 16])
@pytest.mark.parametrize("product", [*GEOMETRIES, "L40S"])
def test_a_pool_keeps_the_rules_of_partitionable_devices(product: str, gpus: int) -> None:
    slices = [body["spec"] for body in resource_slices("node-1", product, gpus, generation=3)]
    assert {(s["pool"]["generation"], s["pool"]["resourceSliceCount"]) for s in slices} == {(3, len(slices))}
    assert all(("sharedCounters" in s) != ("devices" in s) for s in slices)
    assert all(len(s.get("devices", ())) <= _MOST_DEVICES for s in slices)
    assert all(len(s.get("sharedCounters", ())) <= _MOST_SETS for s in slices)
    assert all(len(each["counters"]) <= _MOST_COUNTERS for s in slices for each in s.get("sharedCounters", ()))
    names = [device["name"] for device in _devices(product, gpus)]
    assert len(names) == len(set(names)) >= gpus
    assert len({d["attributes"]["parentUUID"]["string"] for d in _devices(product, gpus)}) == gpus
    assert len({d["consumesCounters"][0]["counterSet"] for d in _devices(product, gpus)}) == gpus
    assert len({body["metadata"]["name"] for body in resource_slices("node-1", product, gpus)}) == len(slices)


def test_a_partition_says_what_it_is() -> None:
    device = next(d for d in _devices("A100-80GB", 2) if d["name"] == "gpu-1-mig-3g40gb-4")
    assert device["attributes"] == {
        "type": {"string": "mig"},
        "productName": {"string": "A100-80GB"},
        "parentUUID": {"string": "GPU-node-1-1"},
        "index": {"int": 1},
        "start": {"int": 4},
        "profile": {"string": "3g.40gb"},
    }
    assert device["capacity"] == {"memory": {"value": "40Gi"}}


@given(st.sampled_from(sorted(GEOMETRIES)), st.data())
def test_counters_allow_exactly_the_legal_layouts(product: str, data: st.DataObject) -> None:
    geometry = geometry_of(product)
    places = [(profile.name, start) for profile in geometry.profiles for start in profile.starts]
    spots = data.draw(st.lists(st.sampled_from(places), unique=True, max_size=7))
    assert _fits(product, spots) == geometry.legal(spots)


def test_a_whole_gpu_leaves_no_partition() -> None:
    whole = next(d for d in _devices("A100-80GB", 1) if d["attributes"]["type"] == {"string": "gpu"})
    assert all(not _within_counters("A100-80GB", [whole, d]) for d in _devices("A100-80GB", 1) if d != whole)


def test_classes_pick_partitions_or_whole_gpus_of_our_driver_only() -> None:
    rules = {body["metadata"]["name"]: body["spec"]["selectors"][0]["cel"]["expression"] for body in device_classes()}
    assert set(rules) == {"mig.cynosure.dev", "gpu.cynosure.dev"}
    assert all(f"device.driver == '{DRIVER}'" in rule for rule in rules.values())


def test_a_device_plugin_counts_the_partitions_of_all_gpus() -> None:
    assert extended_resources("A100-80GB", 4, {"3g.40gb": 1, "1g.10gb+me": 1}) == {
        "nvidia.com/mig-3g.40gb": "4",
        "nvidia.com/mig-1g.10gb.me": "4",
    }


def test_a_layout_of_unknown_partitions_is_refused() -> None:
    with pytest.raises(KeyError, match=r"A100-80GB has no partition 9g\.90gb"):
        extended_resources("A100-80GB", 1, {"9g.90gb": 1})


def _devices(product: str, count: int) -> list[Body]:
    slices = resource_slices("node-1", product, count)
    return list(chain.from_iterable(body["spec"].get("devices", ()) for body in slices))


def _fits(product: str, spots: list[Spot]) -> bool:
    by_spot = {
        (d["attributes"]["profile"]["string"], d["attributes"]["start"]["int"]): d
        for d in _devices(product, 1)
        if "profile" in d["attributes"]
    }
    return _within_counters(product, [by_spot[spot] for spot in spots])


def _within_counters(product: str, devices: list[Body]) -> bool:
    """What the scheduler checks: the devices together consume no more than there is."""
    shared = resource_slices("node-1", product, 1)[0]["spec"]["sharedCounters"][0]["counters"]
    used: Counter[str] = Counter()
    for device in devices:
        for name, amount in device["consumesCounters"][0]["counters"].items():
            used[name] += int(amount["value"])
    return all(used[name] <= int(shared[name]["value"]) for name in used)
