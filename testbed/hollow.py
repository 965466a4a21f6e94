"""Nodes with no kubelet behind them, for tests that need thousands of objects."""

from testbed.api import Api
from testbed.cluster import Cluster, NodeSpec
from testbed.gpus import publish_gpus
from testbed.processes import start, wait_until
from testbed.programs import program

_LABEL = "testbed.cynosure.dev/hollow"
_CAPACITY = {"cpu": "64", "memory": "512Gi", "pods": "1000", "ephemeral-storage": "1Ti"}


def start_hollow_kubelet(cluster: Cluster) -> None:
    """Start the program that plays the kubelet of all hollow nodes."""
    argv = [
        program("hollow-kubelet"),
        f"--kubeconfig={cluster.internal_kubeconfig('system:hollow-kubelet')}",
        f"--ready-delay={cluster.ready_delay_seconds}s",
    ]
    start(cluster, "hollow-kubelet", argv)


def create_hollow_nodes(cluster: Cluster) -> None:
    """Create the nodes with their GPUs, and return when they are ready."""
    with Api(cluster) as api:
        for node in cluster.nodes:
            _create(api, node)
            publish_gpus(api, node)

        def ready() -> bool:
            return all(_is_ready(api, node.name) for node in cluster.nodes)

        wait_until(ready, "the hollow nodes to be ready", 30, needs=(cluster, ["hollow-kubelet"]))


def _create(api: Api, node: NodeSpec) -> None:
    path = f"/api/v1/nodes/{node.name}"
    labels = {_LABEL: "true", "kubernetes.io/hostname": node.name}
    api.apply(path, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name, "labels": labels}})
    api.merge(f"{path}/status", {"status": {"capacity": _CAPACITY, "allocatable": _CAPACITY}})


def _is_ready(api: Api, name: str) -> bool:
    conditions = api.get(f"/api/v1/nodes/{name}")["status"].get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
