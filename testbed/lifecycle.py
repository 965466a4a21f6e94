"""The order in which a cluster comes up and goes down. Every step leaves alone what is there already."""

import os
import shutil
from pathlib import Path

from cynosure.errors import BadInput

from testbed import nodes, services
from testbed.api import Api, answers
from testbed.cluster import STATE_FILE, Cluster, NodeSpec, check_name, load_cluster, plan_cluster
from testbed.control_plane import start_control_plane
from testbed.gpus import publish_classes
from testbed.hollow import create_hollow_nodes, start_hollow_kubelet
from testbed.images import build_images
from testbed.locks import only_one
from testbed.network import create_network, delete_network, forward_api_port
from testbed.packages import install_debian_packages
from testbed.paths import state_directory
from testbed.processes import is_running, recorded, stop
from testbed.programs import build
from testbed.progress import Progress

DEFAULT_NODES = tuple(NodeSpec(f"node-{n}", "A100-80GB", 4, "dra") for n in (1, 2))


def up(
    name: str,
    progress: Progress,
    *,
    kubelets: bool = True,
    specs: tuple[NodeSpec, ...] = DEFAULT_NODES,
    ready_delay_seconds: float = 0.0,
) -> Cluster:
    """Bring the cluster up, or what is missing of it; returns when all nodes are ready.

    :raises BadInput: this machine or this user cannot, or a cluster of this name is of the other kind.
    """
    check_name(name)
    with only_one(state_directory(name).with_suffix(".lock"), "another `up` or `down`", progress):
        cluster = load_cluster(name) or plan_cluster(
            name, specs, kubelets=kubelets, ready_delay_seconds=ready_delay_seconds
        )
        if cluster.kubelets != kubelets:
            kind = "with kubelets" if cluster.kubelets else "of a control plane only"
            raise BadInput(f"--name {name}: there is a cluster {kind} of this name; take it down, or use another name")
        if kubelets:
            _check_machine()
        build(progress)
        cluster.save()
        return _up_full(cluster, progress) if kubelets else _up_control_plane(cluster, progress)


def down(name: str, progress: Progress) -> bool:
    """Take the cluster away and leave nothing behind; False when there was none."""
    check_name(name)
    with only_one(state_directory(name).with_suffix(".lock"), "another `up` or `down`", progress):
        cluster = load_cluster(name)
        if cluster is None:
            return False
        for program in recorded(cluster):
            progress(f"stopping {program}")
            stop(cluster, program, grace_seconds=2)
        if cluster.kubelets:
            nodes.clean(cluster)
            delete_network(cluster)
        _remove(cluster.root)
    state_directory(name).with_suffix(".lock").unlink(missing_ok=True)
    return True


def _remove(root: Path) -> None:
    """What the cluster is goes last, so that who is interrupted can be asked again."""
    for child in root.iterdir():
        if child.is_dir():
            shutil.rmtree(child)
        elif child.name != STATE_FILE:
            child.unlink()
    shutil.rmtree(root)


def status(name: str) -> dict[str, object] | None:
    """What runs of a cluster; None when there is none."""
    cluster = load_cluster(name)
    if cluster is None:
        return None
    programs = {program: is_running(cluster, program) for program in sorted(recorded(cluster))}
    return {
        "name": name,
        "ready": answers(cluster) and all(programs.values()),
        "kubelets": cluster.kubelets,
        "nodes": [node.name for node in cluster.nodes],
        "gpus": sum(node.gpus for node in cluster.nodes),
        "kubeconfig": str(cluster.kubeconfig()),
        "images": cluster.images,
        "programs": programs,
    }


def _up_control_plane(cluster: Cluster, progress: Progress) -> Cluster:
    progress("starting the control plane")
    start_control_plane(cluster)
    start_hollow_kubelet(cluster)
    with Api(cluster) as api:
        publish_classes(api)
    create_hollow_nodes(cluster)
    progress(f"ready: {cluster.kubeconfig()}")
    return cluster


def _up_full(cluster: Cluster, progress: Progress) -> Cluster:
    install_debian_packages(progress)
    cluster = build_images(cluster, progress)
    cluster.save()
    create_network(cluster)
    progress("starting the control plane")
    forward_api_port(cluster)
    start_control_plane(cluster)
    progress(f"starting {len(cluster.nodes)} nodes")
    services.start_services(cluster)
    nodes.start_nodes(cluster, progress)
    with Api(cluster) as api:
        publish_classes(api)
    nodes.await_nodes(cluster, progress)
    progress(f"ready: {cluster.kubeconfig()}")
    return cluster


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise BadInput(
            "testbed: nodes need root for namespaces and containers; run it as root, or set CYNOSURE_CONTEXT to a "
            "cluster of yours, or use --nodes-only-control-plane"
        )
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        raise BadInput(
            "testbed: nodes need a Debian or Ubuntu machine (apt-get); install kind, or set CYNOSURE_CONTEXT to a "
            "cluster of yours"
        )
