"""What a cluster is made of: decided by `up`, written to its state folder, read by everything else."""

import json
import re
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from cynosure.errors import BadInput

from testbed.paths import state_directory

Backend = Literal["dra", "device-plugin"]

DEFAULT_NAME = "cynosure"
STATE_FILE = "cluster.json"
NODE_SUBNET = "10.88.0"
"""Node n of a full testbed has the address NODE_SUBNET.n, inside the cluster's own network namespace."""
_PROGRAMS_WITH_PORTS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_NAMESPACE_PORTS = dict(zip(_PROGRAMS_WITH_PORTS, (2379, 2380, 6443, 10257, 10259), strict=True))


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node and its GPUs. ``backend`` says how they are published; both at once would count them twice."""

    name: str
    product: str
    gpus: int
    backend: Backend


@dataclass(frozen=True, slots=True)
class Cluster:
    """``kubelets`` False: control plane only, on loopback. ``ready_delay_seconds`` is then a pod's start-up time.

    ``ports`` are those the programs listen on; ``api_port`` is the API server's on the host's loopback.
    """

    name: str
    kubelets: bool
    nodes: tuple[NodeSpec, ...]
    ports: dict[str, int]
    api_port: int
    ready_delay_seconds: float = 0.0
    images: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return state_directory(self.name)

    @property
    def address(self) -> str:
        """Where the programs of the cluster find each other."""
        return f"{NODE_SUBNET}.1" if self.kubelets else "127.0.0.1"

    @property
    def internal_server(self) -> str:
        return f"https://{self.address}:{self.ports['kube-apiserver']}"

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def network_namespace(self) -> Path:
        return Path("/run/netns") / f"cynosure-{self.name}"

    @property
    def certificate_authority(self) -> Path:
        return self.root / "pki" / "ca.crt"

    def kubeconfig(self, user: str = "admin") -> Path:
        """Credentials for use from the host."""
        return self.root / ("kubeconfig" if user == "admin" else f"kubeconfig-{user}")

    def internal_kubeconfig(self, user: str) -> Path:
        """Credentials for the cluster's own programs."""
        return self.root / "internal" / f"{user.replace(':', '-')}.kubeconfig"

    def save(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.root / f"{STATE_FILE}.new"
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(self.root / STATE_FILE)


def plan_cluster(
    name: str, nodes: tuple[NodeSpec, ...], *, kubelets: bool, ready_delay_seconds: float = 0.0
) -> Cluster:
    """A new cluster with free ports; nothing is started.

    :raises BadInput: the name cannot be part of file, device and cgroup names.
    """
    check_name(name)
    api_port, *free = free_ports(1 + len(_PROGRAMS_WITH_PORTS))
    if kubelets:
        return Cluster(name, kubelets, nodes, dict(_NAMESPACE_PORTS), api_port)
    ports = dict(zip(_PROGRAMS_WITH_PORTS, free, strict=True))
    return Cluster(name, kubelets, nodes, ports, ports["kube-apiserver"], ready_delay_seconds)


def check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", name):
        raise BadInput(
            f"--name {name!r}: use 1 to 32 lower-case letters, digits and inner dashes, such as {DEFAULT_NAME!r}"
        )


def load_cluster(name: str) -> Cluster | None:
    """The cluster of that name as `up` last wrote it, running or not; None where there is none."""
    check_name(name)
    try:
        stored = json.loads((state_directory(name) / STATE_FILE).read_text())
    except FileNotFoundError:
        return None
    stored["nodes"] = tuple(NodeSpec(**node) for node in stored["nodes"])
    return Cluster(**stored)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that were free a moment ago, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
