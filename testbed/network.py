"""The network of a full testbed: one namespace that holds the whole cluster, and one loopback port into it."""

import subprocess
import sys
from collections.abc import Sequence

from testbed.cluster import NODE_SUBNET, Cluster
from testbed.paths import REPOSITORY
from testbed.processes import start

_NODE_DEVICE = "nodes"


def inside(cluster: Cluster) -> list[str]:
    """Command prefix that enters the cluster's network; nothing for a cluster on the host's loopback.

    Not `ip netns exec`: that hides /sys/fs/cgroup.
    """
    return ["nsenter", f"--net={cluster.network_namespace}"] if cluster.kubelets else []


def node_address(number: int) -> str:
    """Address of the node with that number, from 1."""
    return f"{NODE_SUBNET}.{number}"


def create_network(cluster: Cluster) -> None:
    """Make the namespace with an address for each node; what is there already stays. No packet can leave it."""
    if not cluster.network_namespace.exists():
        _run(["ip", "netns", "add", cluster.network_namespace.name])
    ip = [*inside(cluster), "ip"]
    _run([*ip, "link", "set", "lo", "up"])
    if not _succeeds([*ip, "link", "show", _NODE_DEVICE]):
        # A bridge, since kernels without the dummy device exist; kubelets refuse addresses of the loopback.
        _run([*ip, "link", "add", _NODE_DEVICE, "type", "bridge"])
    for number in range(1, len(cluster.nodes) + 1):
        _run([*ip, "address", "replace", f"{node_address(number)}/24", "dev", _NODE_DEVICE])
    _run([*ip, "link", "set", _NODE_DEVICE, "up"])
    _run([*ip, "route", "replace", "default", "via", node_address(1), "dev", _NODE_DEVICE])
    _run([*inside(cluster), "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])


def forward_api_port(cluster: Cluster) -> None:
    """Let the host reach the API server, and it alone, on a port of the loopback."""
    argv = [
        sys.executable, "-m", "testbed.forward",
        "--listen-port", str(cluster.api_port),
        "--namespace", str(cluster.network_namespace),
        "--target", f"{cluster.address}:{cluster.ports['kube-apiserver']}",
    ]  # fmt: skip
    search = f"{REPOSITORY / 'operator'}:{REPOSITORY}"
    start(cluster, "forward", argv, environment={"PYTHONPATH": search})


def delete_network(cluster: Cluster) -> None:
    if cluster.network_namespace.exists():
        _run(["ip", "netns", "delete", cluster.network_namespace.name])


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
