"""In somebody's own cluster only the nodes that they labelled get simulated GPUs."""

from pathlib import Path

import pytest

from testbed.api import Api
from testbed.cluster import Cluster
from testbed.errors import TestbedFailed
from testbed.foreign import simulate_gpus, withdraw_gpus
from testbed.programs import program

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(200)]


def test_only_labelled_nodes_get_gpus(api_server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api_server.kubeconfig()))
    kubectl, context = Path(program("kubectl")), f"cynosure-{api_server.name}"
    with Api(api_server) as api:
        try:
            for name, labels in (("may", {"cynosure.dev/simulated": "true"}), ("may-not", {})):
                api.create("/api/v1/nodes", {"metadata": {"name": name, "labels": labels}})
            # The fixture's own nodes, which other tests use, have DRA and must not be counted twice.
            for node in api_server.nodes:
                api.merge(f"/api/v1/nodes/{node.name}", {"metadata": {"labels": {"cynosure.dev/simulated": None}}})
            assert simulate_gpus(kubectl, context) == ["may"]
            assert api.get("/api/v1/nodes/may")["status"]["allocatable"]["nvidia.com/mig-1g.10gb"] == "28"
            assert "nvidia.com/mig-1g.10gb" not in api.get("/api/v1/nodes/may-not")["status"].get("allocatable", {})
            assert simulate_gpus(kubectl, context) == ["may"], "its own simulated GPUs are no obstacle"
            withdraw_gpus(kubectl, context)
            left = api.get("/api/v1/nodes/may")
            assert "nvidia.com/mig-1g.10gb" not in left["status"].get("allocatable", {})
            assert left["metadata"]["labels"]["cynosure.dev/simulated"] == "true", "its owner's"
            _with_real_gpus(api, "may")
            with pytest.raises(TestbedFailed, match=r"may of .*: there are GPUs already"):
                simulate_gpus(kubectl, context)
            withdraw_gpus(kubectl, context)
            assert api.get("/api/v1/nodes/may")["status"]["capacity"]["nvidia.com/gpu"] == "8", "not ours to take"
            api.delete("/api/v1/nodes/may")
            with pytest.raises(TestbedFailed, match=r"no node of .* has the label"):
                simulate_gpus(kubectl, context)
        finally:
            _restore(api, api_server)


def _with_real_gpus(api: Api, node: str) -> None:
    api.merge(f"/api/v1/nodes/{node}/status", {"status": {"capacity": {"nvidia.com/gpu": "8"}}})


def _restore(api: Api, cluster: Cluster) -> None:
    for node in cluster.nodes:
        api.merge(f"/api/v1/nodes/{node.name}", {"metadata": {"labels": {"cynosure.dev/simulated": "true"}}})
    left = {item["metadata"]["name"] for item in api.get("/api/v1/nodes")["items"]}
    for name in left & {"may", "may-not"}:
        api.delete(f"/api/v1/nodes/{name}")
