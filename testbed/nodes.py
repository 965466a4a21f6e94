"""Nodes with real pods: each has a containerd and a kubelet, in a mount namespace and cgroups of its own."""

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from testbed.api import Api
from testbed.cluster import Cluster, NodeSpec
from testbed.errors import TestbedFailed
from testbed.gpus import await_gpus, label_node, publish_gpus, start_driver
from testbed.images import PAUSE, archive
from testbed.network import node_address
from testbed.processes import pid_of, start, stop_pids, wait_until
from testbed.programs import program
from testbed.progress import Progress
from testbed.services import DNS_ADDRESS

_PRIVATE_PATHS = ("/run/netns", "/run/containerd", "/var/lib/cni", "/var/log/containers", "/var/lib/kubelet")
_CGROUPS = Path("/sys/fs/cgroup")
_NODE_READY_SECONDS = 90
_KUBELET_PORT, _KUBELET_HEALTH_PORT = 10250, 10450


def start_nodes(cluster: Cluster, progress: Progress) -> None:
    """Start what each node consists of, and import its images."""
    for number, node in enumerate(cluster.nodes, 1):
        root = _root(cluster, node)
        for folder in ("containerd/root", "containerd/state", "cni/conf", "cni/data", "pods", "dra"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        _make_cgroups(cluster, node)
        _start_holder(cluster, node)
        _start_containerd(cluster, node, number)
        _import_images(cluster, node, progress)
        _start_kubelet(cluster, node, number)


def await_nodes(cluster: Cluster, progress: Progress) -> None:
    """Return when all nodes are ready and their GPUs are published."""
    for node in cluster.nodes:
        with Api(cluster) as api:
            wait_until(
                lambda api=api, node=node: _is_ready(api, node.name),  # type: ignore[misc]
                f"{node.name} to be ready",
                _NODE_READY_SECONDS,
                needs=(cluster, [f"kubelet-{node.name}", f"containerd-{node.name}"]),
            )
            if node.backend == "device-plugin":
                publish_gpus(api, node)
                continue
            label_node(api, node)
        start_driver(cluster, node, _within(cluster, node))
        await_gpus(cluster, node)
        progress(f"{node.name} is ready with {node.gpus} x {node.product}")


def clean(cluster: Cluster) -> None:
    """End what containerd left running, and take away mounts and cgroups. The programs have been stopped before."""
    for node in cluster.nodes:
        stop_pids(_left_over(cluster, node), grace_seconds=0)
        _unmount_below(_root(cluster, node))
        for group in _cgroups(cluster, node):
            wait_until(lambda group=group: _is_removed(group), f"{group} to empty", 10)  # type: ignore[misc]


def _root(cluster: Cluster, node: NodeSpec) -> Path:
    return cluster.root / "nodes" / node.name


def _holder(node: NodeSpec) -> str:
    return f"mounts-{node.name}"


def _within(cluster: Cluster, node: NodeSpec) -> list[str]:
    """Enter the node: its mounts and the cluster's network."""
    return ["nsenter", f"--mount=/proc/{pid_of(cluster, _holder(node))}/ns/mnt", f"--net={cluster.network_namespace}"]


def _start_holder(cluster: Cluster, node: NodeSpec) -> None:
    """A process that keeps the mount namespace, in which the fixed paths of kubelet and containerd are the node's own.

    Two kubelets cannot share the folder of device plugins, and what pods leave in any of these goes with the node.
    """
    root = _root(cluster, node)
    binds = " && ".join(f'mkdir -p {path} "$0{path}" && mount --bind "$0{path}" {path}' for path in _PRIVATE_PATHS)
    setup = f"{binds} && mount --make-rshared / && exec sleep inf"
    unshared = ["unshare", "--mount", "--propagation=private", "sh", "-ec", setup, str(root / "private")]
    start(cluster, _holder(node), unshared)
    mounts = Path(f"/proc/{pid_of(cluster, _holder(node))}/mounts")
    wait_until(lambda: f" {_PRIVATE_PATHS[-1]} " in mounts.read_text(), f"the mounts of {node.name}", 10)


def _start_containerd(cluster: Cluster, node: NodeSpec, number: int) -> None:
    root = _root(cluster, node)
    (root / "containerd.toml").write_text(_containerd_configuration(root))
    (root / "cni/conf/10-pods.conflist").write_text(json.dumps(_pod_network(root, number)))
    argv = ["containerd", f"--config={root / 'containerd.toml'}"]
    start(cluster, f"containerd-{node.name}", argv, within=_within(cluster, node))
    socket = root / "containerd.sock"
    wait_until(
        lambda: _ctr(cluster, node, "version").returncode == 0,
        f"containerd of {node.name}",
        30,
        needs=(cluster, [f"containerd-{node.name}"]),
    )
    assert socket.exists()  # noqa: S101  (it has just answered)


def _containerd_configuration(root: Path) -> str:
    return f"""version = 2
root = "{root}/containerd/root"
state = "{root}/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{root}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{root}/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def _pod_network(root: Path, number: int) -> dict[str, object]:
    """Point-to-point links: everything is routed, so Services work without the bridge netfilter module."""
    addresses = {
        "type": "host-local",
        "dataDir": str(root / "cni/data"),
        "ranges": [[{"subnet": f"10.244.{number}.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": addresses}]}


def _import_images(cluster: Cluster, node: NodeSpec, progress: Progress) -> None:
    known = _ctr(cluster, node, "--namespace=k8s.io", "images", "list", "--quiet").stdout.split()
    for image in dict.fromkeys(cluster.images.values()):
        if image in known:
            continue
        progress(f"{node.name}: importing {image}")
        done = _ctr(cluster, node, "--namespace=k8s.io", "images", "import", str(archive(image)))
        if done.returncode:
            raise TestbedFailed(f"{node.name}: importing {image}: {done.stderr.strip()[-500:]}")


def _ctr(cluster: Cluster, node: NodeSpec, *arguments: str) -> "subprocess.CompletedProcess[str]":
    socket = _root(cluster, node) / "containerd.sock"
    command = [*_within(cluster, node), "ctr", f"--address={socket}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _start_kubelet(cluster: Cluster, node: NodeSpec, number: int) -> None:
    root = _root(cluster, node)
    (root / "resolv.conf").touch()
    (root / "kubelet.json").write_text(json.dumps(_kubelet_configuration(cluster, node, number)))
    argv = [
        program("kubelet"),
        f"--config={root / 'kubelet.json'}",
        f"--kubeconfig={cluster.internal_kubeconfig(f'system:node:{node.name}')}",
        f"--hostname-override={node.name}",
        f"--node-ip={node_address(number)}",
        "--root-dir=/var/lib/kubelet",
        f"--cert-dir={root / 'kubelet-pki'}",
    ]
    start(cluster, f"kubelet-{node.name}", argv, within=_within(cluster, node))


def _kubelet_configuration(cluster: Cluster, node: NodeSpec, number: int) -> dict[str, object]:
    root = _root(cluster, node)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{root}/containerd.sock",
        "address": "0.0.0.0",  # noqa: S104  (of a private namespace, from which no packet leaves)
        "port": _KUBELET_PORT + number,
        "healthzPort": _KUBELET_HEALTH_PORT + number,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{_cgroup(cluster, node)}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(root / "resolv.conf"),
        "podLogsDir": str(root / "pods"),
        "imageGCHighThresholdPercent": 100,  # images come from archives; one that is gone cannot be pulled again
        "evictionHard": {"memory.available": "100Mi"},
        "registerNode": True,
    }


def _is_ready(api: Api, name: str) -> bool:
    items = {node["metadata"]["name"]: node for node in api.get("/api/v1/nodes")["items"]}
    conditions = items.get(name, {}).get("status", {}).get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _cgroup(cluster: Cluster, node: NodeSpec) -> str:
    return f"cynosure-{cluster.name}-{node.name}"


def _cgroups(cluster: Cluster, node: NodeSpec) -> Iterator[Path]:
    """The node's group in each subsystem (cgroup v1), or the one (v2)."""
    if (_CGROUPS / "cgroup.controllers").exists():
        yield _CGROUPS / _cgroup(cluster, node)
        return
    for subsystem in sorted(_CGROUPS.iterdir()):
        if subsystem.is_dir() and not subsystem.is_symlink():
            yield subsystem / _cgroup(cluster, node)


def _is_removed(group: Path) -> bool:
    """Remove it and all below; the kernel refuses for a moment after the last process has ended."""
    if not group.is_dir():
        return True
    try:
        for folder in sorted((p for p in group.rglob("*") if p.is_dir()), reverse=True):
            folder.rmdir()
        group.rmdir()
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.ENOENT):
            raise
    return not group.is_dir()


def _make_cgroups(cluster: Cluster, node: NodeSpec) -> None:
    """A kubelet expects its root to be there, and kills what it does not know below it; so each has its own."""
    for group in _cgroups(cluster, node):
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            inherited = group.parent / name
            if inherited.exists() and not (group / name).read_text().strip():
                (group / name).write_text(inherited.read_text())


def _left_over(cluster: Cluster, node: NodeSpec) -> set[int]:
    """Pids in the node's cgroups, and of containerd's shims that serve its folder."""
    pids: set[int] = set()
    for group in _cgroups(cluster, node):
        for tasks in group.rglob("cgroup.procs"):
            pids.update(int(pid) for pid in tasks.read_text().split())
    socket = str(_root(cluster, node) / "containerd.sock").encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and socket in _command_line(entry):
            pids.add(int(entry.name))
    return pids - {os.getpid(), 0}


def _command_line(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def _unmount_below(root: Path) -> None:
    """What is mounted in the host's own namespace below the node's folder, deepest first."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for target in sorted((m for m in mounts if m.startswith(f"{root}/")), reverse=True):
        subprocess.run(["umount", "--lazy", target], check=False, capture_output=True)
