"""Pods on the testbed and what their kubelets say that they used, read through a Prometheus; for bench_traffic.py."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from demo.kubectl import Kubectl, namespace_body
from loadgen.closeness import used_per_step
from loadgen.trace import Floats
from testbed import lifecycle
from testbed.cluster import DEFAULT_NAME, load_cluster
from testbed.programs import kubectl_path
from testbed.progress import Progress

_PROMETHEUS = "prometheus"
_BEGUN_SECONDS, _ENDED_SECONDS = 60.0, 60.0
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Testbed:
    """``namespace`` is this benchmark's own and goes with it."""

    kubectl: Kubectl
    images: Mapping[str, str]
    say: Progress
    namespace: str

    def begin(self, bodies: Sequence[Body]) -> None:
        """Apply, and return when all pods run. :raises SystemExit: one does not."""
        self.kubectl.apply(*bodies)
        names = [body["metadata"]["name"] for body in bodies if body["kind"] == "Pod"]
        self._await(names, ("Running",), _BEGUN_SECONDS)

    def end(self, names: Sequence[str]) -> dict[str, str]:
        """Wait for pods to succeed and return their logs. :raises SystemExit: one does not."""
        self._await(names, ("Succeeded",), _ENDED_SECONDS)
        return {name: self.kubectl.run("logs", name, "-n", self.namespace, "--tail=-1") for name in names}

    def clear(self) -> None:
        """Delete all but Prometheus."""
        kinds = "jobs,pods,services,configmaps"
        self.kubectl.run(
            "delete", kinds, "-n", self.namespace, f"--selector=app!={_PROMETHEUS}", "--grace-period=1", "--wait=true"
        )

    def used(self, start_at: float, edges: Floats) -> dict[str, Floats]:
        """Return the mean cores of each pod between the edges, which count in seconds from the start (Unix)."""
        at = start_at + float(edges[-1]) + 10
        path = f"/api/v1/namespaces/{self.namespace}/pods/{_PROMETHEUS}:9090/proxy/api/v1/query"
        # Each pod has one container, and so one series.
        counter = f'container_cpu_usage_seconds_total{{namespace="{self.namespace}"}}'
        asked = {"query": f"{counter}[{edges[-1] - edges[0] + 30:.0f}s]", "time": f"{at:.3f}"}
        return {
            series["metric"]["pod"]: _between(series["values"], start_at + edges)
            for series in self.kubectl.raw(path, asked)["data"]["result"]
        }

    def _await(self, names: Sequence[str], phases: Sequence[str], seconds: float) -> None:
        ends, seen = time.monotonic() + seconds, dict[str, str]()
        while time.monotonic() < ends:
            pods = self.kubectl.get("pods", namespace=self.namespace)["items"]
            seen = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in pods}
            if all(seen.get(name) in phases for name in names):
                return
            if failed := [name for name in names if seen.get(name) == "Failed"]:
                raise SystemExit(
                    f"{failed[0]}: {self.kubectl.run('logs', failed[0], '-n', self.namespace, '--tail=5')}"
                )
            time.sleep(0.5)
        raise SystemExit(f"pods are not {phases[0]} after {seconds:g} s: { ({n: seen.get(n) for n in names}) }")


@contextmanager
def bring_up(say: Progress, namespace: str, scrape_seconds: float) -> Iterator[Testbed]:
    """Bring the testbed up with a Prometheus that scrapes its kubelets; one that was there before stays."""
    was_there = load_cluster(DEFAULT_NAME) is not None
    try:
        cluster = lifecycle.up(DEFAULT_NAME, say)
        kubectl = Kubectl(kubectl_path(say), ("--kubeconfig", str(cluster.kubeconfig())))
        found = Testbed(kubectl, cluster.images, say, namespace)
        kubectl.apply(namespace_body(namespace))
        try:
            found.begin(_prometheus(found, scrape_seconds))
            kubectl.run("wait", f"pod/{_PROMETHEUS}", "-n", namespace, "--for=condition=Ready", "--timeout=60s")
            yield found
        finally:
            kubectl.run("delete", "namespace", namespace, "--wait=true")
    finally:
        if not was_there:
            lifecycle.down(DEFAULT_NAME, say)


def run_to_end(bed: Testbed, bodies: Sequence[Body], start_at: float, seconds: float) -> dict[str, str]:
    """Return the logs of the pods among ``bodies``, which begin at that time (Unix) and end by themselves.

    :raises SystemExit: they were not there in time, so that the first steps are missing.
    """
    bed.begin(bodies)
    if (late := time.time() - start_at) > 0:
        raise SystemExit(f"the pods ran {late:.0f} s after the start; the machine is too busy for this")
    names = [body["metadata"]["name"] for body in bodies if body["kind"] == "Pod"]
    time.sleep(max(0.0, start_at + seconds - time.time()))
    return bed.end(names)


def _between(values: Sequence[tuple[float, str]], edges: Floats) -> Floats:
    at, seconds = np.array([(moment, float(text)) for moment, text in values]).T
    return used_per_step(at, seconds, edges)


def _kubelets(kubectl: Kubectl) -> list[str]:
    """Return where each node's kubelet serves its metrics."""
    found = []
    for node in kubectl.get("nodes")["items"]:
        status = node["status"]
        address = next(each["address"] for each in status["addresses"] if each["type"] == "InternalIP")
        found.append(f"{address}:{status['daemonEndpoints']['kubeletEndpoint']['Port']}")
    return found


def _prometheus(bed: Testbed, scrape_seconds: float) -> list[Body]:
    """It reads /metrics/resource: the runtime's counters at the moment of the scrape, with that moment.

    cAdvisor's, of /metrics/cadvisor, are some ten seconds old. The kubelets of the testbed answer without credentials.
    """
    job = {
        "job_name": "kubelets",
        "scrape_interval": f"{scrape_seconds * 1000:.0f}ms",
        "scrape_timeout": f"{scrape_seconds * 1000:.0f}ms",
        "scheme": "https",
        "tls_config": {"insecure_skip_verify": True},
        "metrics_path": "/metrics/resource",
        "static_configs": [{"targets": _kubelets(bed.kubectl)}],
        "metric_relabel_configs": [
            {"source_labels": ["__name__"], "regex": "container_.*", "action": "keep"},
        ],
    }
    container = {
        "name": _PROMETHEUS,
        "image": bed.images["prometheus"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["prometheus", "--config.file=/config/prometheus.yml", "--storage.tsdb.path=/data"],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": 9090}, "periodSeconds": 1},
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "config", "mountPath": "/config"}, {"name": "data", "mountPath": "/data"}],
    }
    volumes = [{"name": "config", "configMap": {"name": _PROMETHEUS}}, {"name": "data", "emptyDir": {}}]
    metadata = {"name": _PROMETHEUS, "namespace": bed.namespace, "labels": {"app": _PROMETHEUS}}
    configuration = yaml.safe_dump({"scrape_configs": [job]})
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"prometheus.yml": configuration}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"containers": [container], "volumes": volumes},
        },
    ]
