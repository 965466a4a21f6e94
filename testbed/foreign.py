"""Simulated GPUs on the nodes of a cluster that is not ours, by kubectl and only where its owner said so."""

import json
import subprocess
from pathlib import Path

from cynosure.place.resource_slices import extended_resources, largest_counts

from testbed.cluster import NodeSpec
from testbed.errors import TestbedFailed
from testbed.gpus import node_labels

SIMULATED = "cynosure.dev/simulated=true"


def simulate_gpus(kubectl: Path, context: str, *, product: str = "A100-80GB", count: int = 4) -> list[str]:
    """Give every node labelled SIMULATED the resources of a device plugin; returns the names of these nodes.

    DRA would need the testbed's kubelet plugin on each node. No other node is touched. There is nobody who would
    partition the GPUs anew, so each partition is offered as often as it fits, and what fits together is up to the plan.

    :raises TestbedFailed: no node is labelled, or kubectl failed.
    """
    names = _labelled(kubectl, context)
    if not names:
        raise TestbedFailed(f"no node of {context} has the label {SIMULATED}; set it on those that may have such GPUs")
    resources = extended_resources(product, count, largest_counts(product))
    for name in names:
        labels = node_labels(NodeSpec(name, product, count, "device-plugin"))
        _patch(kubectl, context, name, {"metadata": {"labels": labels}})
        status = {"status": {"capacity": resources, "allocatable": resources}}
        _patch(kubectl, context, name, status, "--subresource=status")
    return names


def withdraw_gpus(kubectl: Path, context: str, *, product: str = "A100-80GB") -> None:
    """Take them away again from the labelled nodes; the label, which is its owner's, stays."""
    gone = dict.fromkeys(extended_resources(product, 0, largest_counts(product)))
    for name in _labelled(kubectl, context):
        said = node_labels(NodeSpec(name, product, 0, "device-plugin"))
        labels = {label: None for label in said if not SIMULATED.startswith(label)}
        _patch(kubectl, context, name, {"metadata": {"labels": labels}})
        _patch(kubectl, context, name, {"status": {"capacity": gone, "allocatable": gone}}, "--subresource=status")


def _labelled(kubectl: Path, context: str) -> list[str]:
    found = json.loads(_run(kubectl, context, "get", "nodes", f"--selector={SIMULATED}", "--output=json"))
    return [item["metadata"]["name"] for item in found["items"]]


def _patch(kubectl: Path, context: str, node: str, body: object, *more: str) -> None:
    _run(kubectl, context, "patch", "node", node, "--type=merge", f"--patch={json.dumps(body)}", *more)


def _run(kubectl: Path, context: str, *arguments: str) -> str:
    command = [str(kubectl), f"--context={context}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedFailed(f"kubectl {arguments[0]} {arguments[1]} in {context}: {done.stderr.strip()[-500:]}")
    return done.stdout
