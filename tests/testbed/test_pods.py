"""Real pods: what runs on the testbed behaves as on any Kubernetes."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from loadgen.burn import Utilisation
from loadgen.manifests import burning_pod
from testbed.cluster import Cluster
from testbed.gpus import set_faults
from testbed.processes import wait_until
from tests.testbed.workload import Kubectl, claiming, engine, prometheus

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster) -> Iterator[Kubectl]:
    """A namespace that admits nothing but restricted pods."""
    name = f"pods-{uuid.uuid4().hex[:8]}"
    kubectl = Kubectl(cluster, name)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    wait_until(lambda: bool(kubectl.get("serviceaccounts")["items"]), "the service account", 30)
    yield kubectl
    kubectl("delete", "namespace", name)


@pytest.fixture(scope="module")
def engines(kubectl: Kubectl, repository: Path) -> Kubectl:
    kubectl.apply(*engine(kubectl.cluster.images["cynosure"], repository))
    kubectl("rollout", "status", "deployment/engine", "--timeout=80s")
    return kubectl


def test_pods_of_all_nodes_reach_a_service_by_its_name_even_if_it_is_their_own(engines: Kubectl) -> None:
    ask = "import urllib.request as u; print(u.urlopen('http://engine/v1/models', timeout=5).read().decode())\n"
    pods = [pod["metadata"]["name"] for pod in engines.get("pods", "--selector=app=engine")["items"]]
    assert len(pods) == 2
    for pod in pods:  # each time the Service picks one of the two, so half of the pods ask themselves
        answers = engines("exec", pod, "--", "python3", "-c", 6 * ask).splitlines()
        assert [json.loads(answer)["data"][0]["id"] for answer in answers] == 6 * ["opt"]


def test_logs_are_those_of_the_process(engines: Kubectl) -> None:
    engines("exec", "deployment/engine", "--", "sh", "-c", "echo marked >/proc/1/fd/2")
    assert "marked" in engines("logs", "deployment/engine")


def test_the_image_is_the_program_and_nobody_in_particular(engines: Kubectl) -> None:
    assert "intent" in engines("exec", "deployment/engine", "--", "cynosure", "--help")
    assert engines("exec", "deployment/engine", "--", "id", "-u").strip() == "65532"


def test_a_change_rolls_out(engines: Kubectl) -> None:
    before = {pod["metadata"]["uid"] for pod in engines.get("pods", "--selector=app=engine")["items"]}
    engines("set", "env", "deployment/engine", "CHANGED=yes")
    engines("rollout", "status", "deployment/engine", "--timeout=80s")
    current = [pod for pod in engines.get("pods", "--selector=app=engine")["items"] if _is_ready(pod)]
    assert len([pod for pod in current if pod["metadata"]["uid"] not in before]) == 2


def test_prometheus_scrapes_pods(engines: Kubectl) -> None:
    pods = engines.get("pods", "--selector=app=engine")["items"]
    # A roll-out is done before its old pods are gone, and theirs are addresses that nobody answers soon.
    address = next(pod["status"]["podIP"] for pod in pods if _is_ready(pod) and not _is_going(pod))
    engines.apply(*prometheus(engines.cluster.images["prometheus"], f"{address}:8000"))
    engines("wait", "pod/prometheus", "--for=condition=Ready", "--timeout=60s")
    proxy = f"/api/v1/namespaces/{engines.namespace}/pods/prometheus:9090/proxy"
    query = f"{proxy}/api/v1/query?query=vllm:num_requests_running"
    wait_until(lambda: bool(json.loads(engines("get", "--raw", query))["data"]["result"]), "a sample", 60)


def test_a_claimed_partition_is_prepared_before_the_pod_runs(kubectl: Kubectl) -> None:
    kubectl.apply(*claiming("half", kubectl.cluster.images["cynosure"], "3g.40gb", node="node-1"))
    kubectl("wait", "pod/half", "--for=condition=Ready", "--timeout=60s")
    status = kubectl.get("resourceclaim", "half")["status"]
    assert status["reservedFor"][0]["name"] == "half"
    assert "-mig-3g40gb-" in status["allocation"]["devices"]["results"][0]["device"]


def test_a_node_that_cannot_prepare_keeps_the_pod_waiting_until_it_can(kubectl: Kubectl) -> None:
    set_faults(kubectl.cluster, "node-2", prepare_error="the partition could not be created")
    try:
        kubectl.apply(*claiming("late", kubectl.cluster.images["cynosure"], "1g.10gb", node="node-2"))
        about = ("events", "--field-selector=involvedObject.name=late,reason=FailedPrepareDynamicResources")
        wait_until(lambda: bool(kubectl.get(*about)["items"]), "the kubelet to complain", 60)
        assert not _is_ready(kubectl.get("pod", "late"))
    finally:
        set_faults(kubectl.cluster, "node-2")
    kubectl("wait", "pod/late", "--for=condition=Ready", "--timeout=120s", timeout_seconds=130)


def test_a_slow_node_takes_its_time(kubectl: Kubectl) -> None:
    set_faults(kubectl.cluster, "node-2", prepare_delay_seconds=3)
    started = time.monotonic()
    try:
        kubectl.apply(*claiming("slow", kubectl.cluster.images["cynosure"], "1g.10gb", node="node-2"))
        kubectl("wait", "pod/slow", "--for=condition=Ready", "--timeout=60s")
    finally:
        set_faults(kubectl.cluster, "node-2")
    assert time.monotonic() - started > 3


def test_a_burning_pod_is_as_busy_as_it_should_be_and_the_kubelet_counts_the_same(kubectl: Kubectl) -> None:
    memory = tuple(mebibytes << 20 for mebibytes in (30, 50, 80, 40, 40))
    utilisation, start_at = Utilisation(3.0, (0.02, 0.1, 0.05, 0.1, 0.0), memory), time.time() + 8
    kubectl.apply(*burning_pod("busy", kubectl.namespace, kubectl.cluster.images["stress-ng"], utilisation, start_at))
    kubectl("wait", "pod/busy", "--for=condition=Ready", "--timeout=60s")
    node = kubectl.get("pod", "busy")["spec"]["nodeName"]
    time.sleep(max(0.0, start_at - time.time()))
    before = _counted(kubectl, node, "busy")
    time.sleep(max(0.0, start_at + 12 - time.time()))
    counted = _counted(kubectl, node, "busy") - before
    kubectl("wait", "pod/busy", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
    told = json.loads(kubectl("logs", "busy"))
    used = told["used_cpu_seconds"]
    cores = [(after - before) / 3.0 for before, after in pairwise([0.0, *used])]
    assert cores == pytest.approx(utilisation.cores, abs=0.015)
    assert told["memory_bytes"][1:] == pytest.approx(memory[1:], abs=4 << 20)
    assert counted == pytest.approx(used[3], abs=0.06)


def _counted(kubectl: Kubectl, node: str, pod: str) -> float:
    """Return the CPU seconds of a pod's container by its kubelet."""
    text = kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/metrics/resource")
    found = re.search(rf'^container_cpu_usage_seconds_total{{.*pod="{pod}"}} (\S+)', text, re.MULTILINE)
    assert found, f"{node} counts no CPU of {pod}"
    return float(found[1])


def _is_going(pod: dict[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _is_ready(pod: dict[str, object]) -> bool:
    status = pod["status"]
    assert isinstance(status, dict)
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))
