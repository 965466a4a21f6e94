"""What is published of simulated GPUs keeps the API's limits and MIG's arithmetic."""

from itertools import combinations
from typing import Any

import pytest
from cynosure.place.geometry import GEOMETRIES, geometry_of
from cynosure.place.resource_slices import extended_resources, resource_slices

Device = dict[str, Any]
PRODUCTS = sorted(GEOMETRIES)


@pytest.fixture(params=PRODUCTS)
def product(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_slice_has_counters_or_devices_and_counts_its_pool(product: str) -> None:
    slices = resource_slices("node-1", product, 4, generation=7)
    for body in slices:
        spec = body["spec"]
        assert ("sharedCounters" in spec) != ("devices" in spec)
        assert spec["pool"] == {"name": "node-1", "generation": 7, "resourceSliceCount": len(slices)}
        assert len(spec.get("devices", ())) <= 64
    assert len({body["metadata"]["name"] for body in slices}) == len(slices)


def test_the_counters_allow_two_partitions_exactly_where_mig_does(product: str) -> None:
    """Media extensions left out: how many of those a GPU has is no matter of slices."""
    devices = [d for d in _partitions(product) if not _profile(d).endswith("+me")]
    for one, other in combinations(devices, 2):
        spots = [(_profile(d), d["attributes"]["start"]["int"]) for d in (one, other)]
        assert _fits(product, [one, other]) == geometry_of(product).legal(spots), spots


def test_a_whole_gpu_leaves_room_for_nothing(product: str) -> None:
    *partitions, whole = resource_slices("node-1", product, 1)[1]["spec"]["devices"]
    assert whole["attributes"]["type"] == {"string": "gpu"}
    assert not any(_fits(product, [whole, partition]) for partition in partitions)


def test_gpus_of_a_node_differ_in_uuid_and_counters() -> None:
    devices = [body["spec"]["devices"] for body in resource_slices("node-1", "A100-80GB", 4)[1:]]
    assert len({d["attributes"]["parentUUID"]["string"] for gpu in devices for d in gpu}) == 4
    assert len({d["consumesCounters"][0]["counterSet"] for gpu in devices for d in gpu}) == 4
    assert len({d["name"] for gpu in devices for d in gpu}) == sum(len(gpu) for gpu in devices)


def test_a_device_plugin_counts_over_all_gpus() -> None:
    resources = extended_resources("A100-80GB", 4, {"3g.40gb": 1, "1g.10gb+me": 1})
    assert resources == {"nvidia.com/mig-3g.40gb": "4", "nvidia.com/mig-1g.10gb.me": "4"}


def test_an_unknown_partition_is_refused() -> None:
    with pytest.raises(KeyError, match=r"A100-80GB has no partition 5g\.60gb"):
        extended_resources("A100-80GB", 1, {"5g.60gb": 1})


def _partitions(product: str) -> list[Device]:
    devices = resource_slices("node-1", product, 1)[1]["spec"]["devices"]
    return [device for device in devices if device["attributes"]["type"] == {"string": "mig"}]


def _profile(device: Device) -> str:
    return str(device["attributes"]["profile"]["string"])


def _fits(product: str, devices: list[Device]) -> bool:
    """Whether the scheduler may allocate all of them: no counter is overdrawn."""
    (counters,) = resource_slices("node-1", product, 1)[0]["spec"]["sharedCounters"]
    left = {name: int(counter["value"]) for name, counter in counters["counters"].items()}
    for device in devices:
        for name, counter in device["consumesCounters"][0]["counters"].items():
            left[name] -= int(counter["value"])
    return min(left.values()) >= 0
