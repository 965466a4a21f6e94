"""The real scheduler, over simulated GPUs: it allocates what MIG allows, and leaves the rest pending."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from cynosure.model.mig import geometry_of

from testbed.api import Api
from testbed.cluster import Cluster
from testbed.processes import wait_until

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(200)]

Body = dict[str, Any]
_NODE_OF_ITS_OWN = {"kubernetes.io/hostname": "node-1"}


@pytest.fixture
def api(api_server: Cluster) -> Iterator[Api]:
    with Api(api_server) as api:
        yield api


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    name = f"scheduling-{uuid.uuid4().hex[:8]}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    account = f"/api/v1/namespaces/{name}/serviceaccounts"
    wait_until(lambda: bool(api.get(account)["items"]), "the service account", 30)
    yield name
    api.delete(f"/api/v1/namespaces/{name}")
    wait_until(lambda: not _pods(api, name), "the pods to be gone", 60)


def test_partitions_are_allocated_where_mig_allows_them_and_no_further(api: Api, namespace: str) -> None:
    for number in range(4):  # eight halves are all there is on a node of four GPUs, and three small ones split one
        _ask(api, namespace, f"half-{number}", "3g.40gb")
    for number in range(12):
        _ask(api, namespace, f"small-{number}", "1g.10gb")
    wait_until(lambda: len(_running(api, namespace)) == 16, "the claims to be allocated", 60)
    assert all(geometry_of("A100-80GB").legal(spots) for spots in _spots(api, namespace).values())

    for number in range(9):
        _ask(api, namespace, f"late-{number}", "7g.80gb")
    wait_until(lambda: bool(_unschedulable(api, namespace)), "the scheduler to refuse", 60)
    assert all(name.startswith("late-") for name in _unschedulable(api, namespace))
    assert all(geometry_of("A100-80GB").legal(spots) for spots in _spots(api, namespace).values())


def test_a_released_partition_serves_who_waited(api: Api, namespace: str) -> None:
    for number in range(5):  # the node has four GPUs
        _ask(api, namespace, f"whole-{number}", "7g.80gb")
    wait_until(lambda: len(_running(api, namespace)) == 4 and len(_unschedulable(api, namespace)) == 1, "four", 60)
    waiting = _unschedulable(api, namespace)[0]
    api.delete(f"/api/v1/namespaces/{namespace}/pods/{_running(api, namespace)[0]}")
    wait_until(lambda: waiting in _running(api, namespace), "the fifth to run", 60)


def _ask(api: Api, namespace: str, name: str, profile: str) -> None:
    rule = f"device.attributes['gpu.cynosure.dev'].profile == '{profile}'"
    exactly = {"deviceClassName": "mig.cynosure.dev", "selectors": [{"cel": {"expression": rule}}]}
    claim = {"metadata": {"name": name}, "spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}}
    api.create(f"/apis/resource.k8s.io/v1/namespaces/{namespace}/resourceclaims", claim)
    spec = {
        "nodeSelector": _NODE_OF_ITS_OWN,
        "containers": [{"name": "engine", "image": "none", "resources": {"claims": [{"name": "gpu"}]}}],
        "resourceClaims": [{"name": "gpu", "resourceClaimName": name}],
    }
    api.create(f"/api/v1/namespaces/{namespace}/pods", {"metadata": {"name": name}, "spec": spec})


def _pods(api: Api, namespace: str) -> list[Body]:
    return list(api.get(f"/api/v1/namespaces/{namespace}/pods")["items"])


def _running(api: Api, namespace: str) -> list[str]:
    return [pod["metadata"]["name"] for pod in _pods(api, namespace) if pod["status"]["phase"] == "Running"]


def _unschedulable(api: Api, namespace: str) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in _pods(api, namespace)
        if any(c.get("reason") == "Unschedulable" for c in pod["status"].get("conditions", ()))
    ]


def _spots(api: Api, namespace: str) -> dict[str, list[tuple[str, int]]]:
    """Allocated partitions by GPU, read back from the published devices."""
    slices = api.get("/apis/resource.k8s.io/v1/resourceslices")["items"]
    devices = {(s["spec"]["pool"]["name"], d["name"]): d for s in slices for d in s["spec"].get("devices", ())}
    spots: dict[str, list[tuple[str, int]]] = {}
    for claim in api.get(f"/apis/resource.k8s.io/v1/namespaces/{namespace}/resourceclaims")["items"]:
        for result in claim.get("status", {}).get("allocation", {}).get("devices", {}).get("results", ()):
            about = devices[result["pool"], result["device"]]["attributes"]
            spot = (about["profile"]["string"], about["start"]["int"])
            spots.setdefault(about["parentUUID"]["string"], []).append(spot)
    return spots
