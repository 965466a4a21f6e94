"""Simulated GPUs on the nodes of a cluster that is not ours, by kubectl and only where its owner said so."""

import json
import subprocess
from pathlib import Path
from typing import Any

from cynosure.place.resource_slices import extended_resources, largest_counts

from testbed.cluster import NodeSpec
from testbed.errors import TestbedFailed
from testbed.gpus import node_labels

Body = dict[str, Any]

SIMULATED = "cynosure.dev/simulated=true"
OURS = "cynosure.dev/simulated-gpus"
"""Annotation: the node's GPUs are from here, so they may be set anew and taken away."""


def simulate_gpus(kubectl: Path, context: str, *, product: str = "A100-80GB", count: int = 4) -> list[str]:
    """Give every node labelled SIMULATED the resources of a device plugin; returns the names of these nodes.

    DRA would need the testbed's kubelet plugin on each node. No other node is touched. There is nobody who would
    partition the GPUs anew, so each partition is offered as often as it fits, and what fits together is up to the plan.

    :raises TestbedFailed: no node is labelled, one of them has GPUs of its own, or kubectl failed.
    """
    nodes = _labelled(kubectl, context)
    if not nodes:
        raise TestbedFailed(f"no node of {context} has the label {SIMULATED}; set it on those that may have such GPUs")
    if real := [node["metadata"]["name"] for node in nodes if _has_real_gpus(node)]:
        raise TestbedFailed(f"{', '.join(real)} of {context}: there are GPUs already; take the label {SIMULATED} off")
    names = [node["metadata"]["name"] for node in nodes]
    resources = extended_resources(product, count, largest_counts(product))
    for name in names:
        labels = node_labels(NodeSpec(name, product, count, "device-plugin"))
        _patch(kubectl, context, name, {"metadata": {"labels": labels, "annotations": {OURS: str(count)}}})
        status = {"status": {"capacity": resources, "allocatable": resources}}
        _patch(kubectl, context, name, status, "--subresource=status")
    return names


def withdraw_gpus(kubectl: Path, context: str, *, product: str = "A100-80GB") -> None:
    """Take them away again from the nodes that got them; the label, which is its owner's, stays."""
    gone = dict.fromkeys(extended_resources(product, 0, largest_counts(product)))
    for name in (node["metadata"]["name"] for node in _labelled(kubectl, context) if _is_ours(node)):
        said = node_labels(NodeSpec(name, product, 0, "device-plugin"))
        labels = {label: None for label in said if not SIMULATED.startswith(label)}
        _patch(kubectl, context, name, {"metadata": {"labels": labels, "annotations": {OURS: None}}})
        _patch(kubectl, context, name, {"status": {"capacity": gone, "allocatable": gone}}, "--subresource=status")


def _labelled(kubectl: Path, context: str) -> list[Body]:
    found = json.loads(_run(kubectl, context, "get", "nodes", f"--selector={SIMULATED}", "--output=json"))
    nodes: list[Body] = found["items"]
    return nodes


def _is_ours(node: Body) -> bool:
    return OURS in (node["metadata"].get("annotations") or {})


def _has_real_gpus(node: Body) -> bool:
    capacity = node.get("status", {}).get("capacity") or {}
    return not _is_ours(node) and any(name.startswith("nvidia.com/") for name in capacity)


def _patch(kubectl: Path, context: str, node: str, body: object, *more: str) -> None:
    _run(kubectl, context, "patch", "node", node, "--type=merge", f"--patch={json.dumps(body)}", *more)


def _run(kubectl: Path, context: str, *arguments: str) -> str:
    command = [str(kubectl), f"--context={context}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedFailed(f"kubectl {arguments[0]} {arguments[1]} in {context}: {done.stderr.strip()[-500:]}")
    return done.stdout
