"""From objects to GPUs, slots, replicas and lead times."""

from typing import Any

import pytest
from cynosure.kube.ownership import owners_of_replicas, owners_since
from cynosure.model.gpu import Slot
from cynosure.model.service import ServiceKey
from cynosure.model.snapshot import ReplicaPhase
from cynosure.observe.gpus import Devices, gpus_of, plugin_gpus
from cynosure.observe.lead_time import LeadTimes
from cynosure.observe.replicas import by_service, slots_by_pod

KEY = ServiceKey("shop", "chat")
LABELS = {
    "app.kubernetes.io/managed-by": "cynosure",
    "cynosure.dev/service": "chat",
    "cynosure.dev/partition": "1g.10gb-me",
}


def slice_(node: str = "n1", *names: tuple[str, str, str, int], version: str = "1") -> Any:
    devices = [
        {
            "name": name,
            "attributes": {
                "type": {"string": "mig"},
                "profile": {"string": profile},
                "parentUUID": {"string": gpu},
                "productName": {"string": "NVIDIA A100-SXM4-80GB"},
                "start": {"int": start},
            },
        }
        for name, gpu, profile, start in names
    ]
    spec = {"driver": "gpu.cynosure.dev", "nodeName": node, "pool": {"name": node}, "devices": devices}
    return {"metadata": {"name": f"{node}-slice", "resourceVersion": version}, "spec": spec}


def node(name: str, *, ready: bool = True, unschedulable: bool = False, **extra: Any) -> Any:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    allocatable = extra.pop("allocatable", {})
    return {
        "metadata": {"name": name, "labels": extra},
        "spec": {"unschedulable": unschedulable},
        "status": {"conditions": conditions, "allocatable": allocatable},
    }


def pod(name: str, ready_after: float | None = None, **metadata: Any) -> Any:
    conditions = []
    if ready_after is not None:
        at = f"2026-01-01T00:00:{int(ready_after):02d}Z"
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": at}]
    created = {"creationTimestamp": "2026-01-01T00:00:00Z", "uid": f"uid-{name}", "labels": LABELS}
    return {
        "metadata": {"name": name, "namespace": "shop", **created, **metadata},
        "status": {"phase": "Running" if conditions else "Pending", "conditions": conditions},
    }


def claim(device: str, pod_name: str | None) -> Any:
    results = [{"driver": "gpu.cynosure.dev", "pool": "n1", "device": device, "request": "part/planned"}]
    reserved = [{"resource": "pods", "name": pod_name, "uid": f"uid-{pod_name}"}] if pod_name else []
    status = {"allocation": {"devices": {"results": results}}, "reservedFor": reserved}
    return {"metadata": {"name": f"claim-{device}"}, "status": status}


def test_gpus_come_once_each_with_our_name_of_the_product() -> None:
    published = Devices().of([slice_("n1", ("a", "GPU-2", "2g.20gb", 0), ("b", "GPU-1", "2g.20gb", 0))])
    gpus = gpus_of(published.values(), {"n1": node("n1")})
    assert [(gpu.uuid, gpu.index, gpu.product) for gpu in gpus] == [
        ("GPU-1", 0, "A100-80GB"),
        ("GPU-2", 1, "A100-80GB"),
    ]


@pytest.mark.parametrize(
    ("nodes", "usable"),
    [
        ({"n1": node("n1")}, True),
        ({"n1": node("n1", ready=False)}, False),
        ({"n1": node("n1", unschedulable=True)}, False),
        ({}, False),
    ],
    ids=["ready", "not ready", "cordoned", "gone"],
)
def test_only_a_ready_node_gets_more(nodes: Any, usable: bool) -> None:
    published = Devices().of([slice_("n1", ("a", "GPU-1", "2g.20gb", 0))])
    assert [gpu.usable for gpu in gpus_of(published.values(), nodes)] == [usable]


def test_a_gpu_is_in_the_zone_of_its_node() -> None:
    labels = {"topology.kubernetes.io/zone": "b", "nvidia.com/gpu.count": "1"}
    published = Devices().of([slice_("n1", ("a", "GPU-1", "2g.20gb", 0)), slice_("n2", ("a", "GPU-2", "2g.20gb", 0))])
    assert [gpu.zone for gpu in gpus_of(published.values(), {"n1": node("n1", **labels), "n2": node("n2")})] == [
        "b",
        "",
    ]
    (counted,) = plugin_gpus([node("n3", allocatable={"nvidia.com/gpu": "1"}, **labels)])
    assert counted.zone == "b"


def test_a_slice_that_changed_is_read_again() -> None:
    devices = Devices()
    devices.of([slice_("n1", ("a", "GPU-1", "2g.20gb", 0))])
    again = devices.of([slice_("n1", ("b", "GPU-9", "2g.20gb", 0), version="2")])
    assert [device.gpu for device in again.values()] == ["GPU-9"]


def test_a_device_plugin_tells_product_and_count() -> None:
    labels = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-2g.20gb", "nvidia.com/gpu.count": "2"}
    found = plugin_gpus([node("n1", allocatable={"nvidia.com/mig-2g.20gb": "6"}, **labels), node("n2")])
    assert [(gpu.node, gpu.index, gpu.product) for gpu in found] == [("n1", 0, "A100-80GB"), ("n1", 1, "A100-80GB")]


def test_a_replica_knows_its_slot_and_its_partition() -> None:
    published = Devices().of([slice_("n1", ("a", "GPU-1", "1g.10gb+me", 3), ("b", "GPU-1", "2g.20gb", 4))])
    held, loose = slots_by_pod([claim("a", "chat-1"), claim("b", None)], published)
    (replica,) = by_service([pod("chat-1", 8)], held)[KEY]
    assert (replica.partition, replica.phase) == ("1g.10gb+me", ReplicaPhase.READY)
    assert replica.slot == Slot("GPU-1", 3, "1g.10gb+me", KEY)
    assert loose == (Slot("GPU-1", 4, "2g.20gb"),)


@pytest.mark.parametrize(
    ("body", "phase"),
    [
        (pod("a"), ReplicaPhase.PENDING),
        (pod("a", 5), ReplicaPhase.READY),
        (pod("a", 5, deletionTimestamp="2026-01-01T00:01:00Z"), ReplicaPhase.DRAINING),
    ],
    ids=["pending", "ready", "draining"],
)
def test_the_phase_of_a_pod(body: Any, phase: ReplicaPhase) -> None:
    assert by_service([body], {})[KEY][0].phase is phase


def test_ended_pods_hold_nothing() -> None:
    ended = pod("a")
    ended["status"]["phase"] = "Failed"
    assert by_service([ended], {}) == {}


def test_lead_times_are_measured_once_for_each_pod() -> None:
    measured = LeadTimes()
    assert measured.p90_seconds(KEY) is None
    measured.observe([pod("a", 10), pod("b")])
    measured.observe([pod("a", 10), pod("b", 20)])
    assert measured.p90_seconds(KEY) == pytest.approx(19.0)


def test_a_restart_is_no_start() -> None:
    restarted = pod("a", 59)
    restarted["status"]["containerStatuses"] = [{"restartCount": 1}]
    measured = LeadTimes()
    measured.observe([restarted])
    assert measured.p90_seconds(KEY) is None


def managed(*entries: tuple[str, str, str]) -> Any:
    fields = {"f:spec": {"f:replicas": {}}}
    return {
        "metadata": {
            "managedFields": [
                {"manager": manager, "subresource": subresource, "time": time, "fieldsV1": fields}
                for manager, subresource, time in entries
            ]
        }
    }


def test_owners_are_all_but_us_and_nobody() -> None:
    body = managed(("cynosure", "scale", ""), ("before-first-apply", "", ""), ("argocd", "", ""))
    assert owners_of_replicas(body) == ("argocd",)
    hpa = managed(("kube-controller-manager", "scale", ""))
    assert owners_of_replicas(hpa) == ("an HorizontalPodAutoscaler (kube-controller-manager)",)


def test_who_made_an_adopted_deployment_has_handed_it_over() -> None:
    body = managed(("kubectl-create", "", "2026-01-01T00:00:00Z"), ("kubectl", "scale", "2026-03-01T00:00:00Z"))
    assert owners_since(body, "2026-02-01T00:00:00Z") == ("kubectl scale",)
