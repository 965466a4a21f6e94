"""The chart's operator serves two services on real pods, and goes without holding anything back."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo import install
from demo.scenario import Scenario
from demo.stage import Stage
from demo.venue import prepare
from testbed.cluster import Cluster
from testbed.progress import timed_progress

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    scenario = replace(Scenario(), namespace="shop", system_namespace="cynosure-system")
    ready: Path = tmp_path_factory.mktemp("out")
    found = prepare(scenario, timed_progress(), ready)
    clear(found)  # a demo may have been here before
    yield found
    clear(found)


def clear(stage: Stage) -> None:
    namespaces = (stage.scenario.namespace, stage.scenario.system_namespace)
    stage.admin.kubectl.run("delete", "namespace", *namespaces, "--ignore-not-found", "--timeout=150s")


def test_services_of_a_fresh_install_get_ready_pods_on_partitions(stage: Stage) -> None:
    install.install_operator(stage)
    install.bind_people(stage)
    install.apply_services(stage)
    install.await_services(stage)
    services = stage.admin.kubectl.get("inferenceservices.cynosure.dev", namespace=stage.scenario.namespace)["items"]
    layouts = {service["metadata"]["name"]: service["status"]["layout"] for service in services}
    assert set(layouts) == {"chat", "vision"}
    assert all(slot["gpu"].startswith("GPU-node-") for layout in layouts.values() for slot in layout)


def test_without_metrics_nothing_is_taken_away_and_the_reason_is_said(stage: Stage) -> None:
    chat = stage.admin.kubectl.get("inferenceservices.cynosure.dev", "chat", namespace=stage.scenario.namespace)
    conditions = {c["type"]: c for c in chat["status"]["conditions"]}
    assert conditions["MetricsAvailable"]["status"] == "False"
    assert conditions["MetricsAvailable"]["reason"] == "PrometheusError"
    assert chat["status"]["readyReplicas"] >= 1


def test_a_replay_that_is_applied_ends_with_a_verdict_and_a_report(stage: Stage) -> None:
    kubectl, namespace = stage.admin.kubectl, stage.scenario.namespace
    spec = {
        "targets": [{"service": "chat"}],
        "trace": {"name": "azure-llm-2024-code-week"},
        "transforms": [{"compress": "10080"}, {"scaleToPeakRps": "4"}],
        "durationSeconds": 20,
        "workers": 2,
    }
    head = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "TrafficReplay"}
    kubectl.apply({**head, "metadata": {"name": "short", "namespace": namespace}, "spec": spec})
    ends = time.monotonic() + 150
    status: dict[str, Any] = {}
    while "finishedAt" not in status:
        assert time.monotonic() < ends, f"the replay should have ended: {status}"
        time.sleep(2)
        status = kubectl.get("trafficreplays.cynosure.dev", "short", namespace=namespace).get("status", {})
    conditions = {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}
    assert conditions["Complete"] == ("True", "Finished"), status
    assert status["progress"]["sent"] == status["progress"]["scheduled"] > 0
    assert {"met", "attainment"} == status["verdict"].keys()
    assert "report.json" in kubectl.get("configmap", status["report"], namespace=namespace)["data"]


def test_with_the_operator_gone_pods_serve_and_objects_can_be_deleted(stage: Stage) -> None:
    kubectl, namespace = stage.admin.kubectl, stage.scenario.namespace
    kubectl.run("-n", stage.scenario.system_namespace, "scale", "deployment/cynosure", "--replicas=0")
    kubectl.run("-n", stage.scenario.system_namespace, "rollout", "status", "deployment/cynosure", "--timeout=60s")
    pods = kubectl.get("pods", namespace=namespace, selector="cynosure.dev/service=chat")["items"]
    assert any(s["ready"] for pod in pods for s in pod["status"]["containerStatuses"])
    kubectl.run("delete", "csvc", "vision", "-n", namespace, "--timeout=30s")
    ends = time.monotonic() + 60
    while kubectl.get("deployments", namespace=namespace, selector="cynosure.dev/service=vision")["items"]:
        assert time.monotonic() < ends, "its children should go by their owner references"
        time.sleep(1)
