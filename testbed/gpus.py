"""Simulated GPUs on the nodes of a testbed: what a driver would publish, with nothing behind it."""

import json
from typing import Any

from cynosure.place.resource_slices import DRIVER, device_classes, extended_resources, resource_slices

from testbed.api import Api
from testbed.cluster import Cluster, NodeSpec
from testbed.processes import start, wait_until
from testbed.programs import program

_SLICES = "/apis/resource.k8s.io/v1/resourceslices"
PLUGIN_LAYOUT = {"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2}
"""How the GPUs of a node with a device plugin are partitioned: by an administrator, once."""


def publish_classes(api: Api) -> None:
    for body in device_classes():
        api.apply(f"/apis/resource.k8s.io/v1/deviceclasses/{body['metadata']['name']}", body)


def publish_gpus(api: Api, node: NodeSpec) -> None:
    """Publish the GPUs of a node that no kubelet plugin serves, or the resources of a device plugin."""
    label_node(api, node)
    if node.backend == "device-plugin":
        resources = extended_resources(node.product, node.gpus, PLUGIN_LAYOUT)
        api.merge(f"/api/v1/nodes/{node.name}/status", {"status": {"capacity": resources, "allocatable": resources}})
        return
    for body in resource_slices(node.name, node.product, node.gpus):
        api.apply(f"{_SLICES}/{body['metadata']['name']}", body)


def start_driver(cluster: Cluster, node: NodeSpec, within: list[str]) -> None:
    """Start the kubelet plugin of a node; it publishes the slices and prepares the claims of its pods."""
    folder = cluster.root / "gpus" / node.name
    folder.mkdir(parents=True, exist_ok=True)
    slices = resource_slices(node.name, node.product, node.gpus)
    _write(folder / "slices.json", slices)
    argv = [
        program("dra-driver"),
        f"--driver-name={DRIVER}",
        f"--node={node.name}",
        f"--kubeconfig={cluster.internal_kubeconfig(f'system:node:{node.name}')}",
        f"--slices={folder / 'slices.json'}",
        f"--faults={folder / 'faults.json'}",
    ]
    start(cluster, f"dra-driver-{node.name}", argv, within=within)


def await_gpus(cluster: Cluster, node: NodeSpec) -> None:
    """Return when the slices of a node are there."""

    def published() -> bool:
        with Api(cluster) as api:
            items = api.get(_SLICES)["items"]
        return len([body for body in items if body["spec"].get("nodeName") == node.name]) > node.gpus

    wait_until(published, f"the GPUs of {node.name}", 60, needs=(cluster, [f"dra-driver-{node.name}"]))


def set_faults(cluster: Cluster, node: str, *, prepare_delay_seconds: float = 0.0, prepare_error: str = "") -> None:
    """Make the node's driver slow, or make it fail; without arguments it works again."""
    faults = {"prepareDelaySeconds": prepare_delay_seconds, "prepareError": prepare_error}
    _write(cluster.root / "gpus" / node / "faults.json", faults)


def label_node(api: Api, node: NodeSpec) -> None:
    api.merge(f"/api/v1/nodes/{node.name}", {"metadata": {"labels": node_labels(node)}})


def node_labels(node: NodeSpec) -> dict[str, str]:
    """What NVIDIA's feature discovery would say of the node, and that it is not true."""
    return {
        "cynosure.dev/simulated": "true",
        "nvidia.com/gpu.product": node.product,
        "nvidia.com/gpu.count": str(node.gpus),
    }


def _write(path: Any, content: object) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(content))
    draft.replace(path)
