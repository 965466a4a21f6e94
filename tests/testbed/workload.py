"""What the cluster tests run: an engine as the operator would run it, and kubectl to look at it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.cluster import Cluster
from testbed.programs import program

Body = dict[str, Any]

RESTRICTED: Body = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
PROFILE = "examples/profiles/opt-1.3b.yaml"


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl as the administrator, in one namespace."""

    cluster: Cluster
    namespace: str

    def __call__(self, *arguments: str, stdin: str | None = None, timeout_seconds: float = 90) -> str:
        where = [f"--kubeconfig={self.cluster.kubeconfig()}", f"--namespace={self.namespace}"]
        command = [program("kubectl"), *where, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_seconds)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def apply(self, *bodies: Body) -> None:
        self("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)}))

    def get(self, *arguments: str) -> Body:
        found: Body = json.loads(self("get", *arguments, "-o", "json"))
        return found


def engine(image: str, repository: Path) -> list[Body]:
    """A Deployment of two emulated engines behind a Service, with a profile from a ConfigMap."""
    labels = {"app": "engine"}
    container = {
        "name": "engine",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "serving.emulated", "--model", "opt", "--port", "8000"],
        "args": ["--profile", "/profile/profile.yaml", "--gpu", "A100-80GB", "--partition", "2g.20gb"],
        "ports": [{"containerPort": 8000}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "profile", "mountPath": "/profile"}],
    }
    pod = {
        "metadata": {"labels": labels},
        "spec": {
            "containers": [container],
            "terminationGracePeriodSeconds": 5,
            "volumes": [{"name": "profile", "configMap": {"name": "engine"}}],
        },
    }
    selector = {"matchLabels": labels}
    return [
        {**_head("v1", "ConfigMap"), "data": {"profile.yaml": (repository / PROFILE).read_text()}},
        {**_head("v1", "Service"), "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]}},
        {**_head("apps/v1", "Deployment"), "spec": {"replicas": 2, "selector": selector, "template": pod}},
    ]


def claiming(name: str, image: str, profile: str, *, node: str) -> list[Body]:
    """A pod on one node that waits for a partition."""
    rule = f"device.attributes['gpu.cynosure.dev'].profile == '{profile}'"
    exactly = {"deviceClassName": "mig.cynosure.dev", "selectors": [{"cel": {"expression": rule}}]}
    requests = [{"name": "gpu", "exactly": exactly}]
    container = {
        "name": "engine",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["sleep", "600"],
        "resources": {"claims": [{"name": "gpu"}]},
        "securityContext": RESTRICTED,
    }
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": node},
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "resourceClaims": [{"name": "gpu", "resourceClaimName": name}],
    }
    claim = _head("resource.k8s.io/v1", "ResourceClaim", name)
    return [{**claim, "spec": {"devices": {"requests": requests}}}, {**_head("v1", "Pod", name), "spec": spec}]


def prometheus(image: str, target: str) -> list[Body]:
    """A Prometheus that scrapes one address."""
    scrape = {"job_name": "engine", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}
    container = {
        "name": "prometheus",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["prometheus", "--config.file=/config/prometheus.yml", "--storage.tsdb.path=/data"],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": 9090}, "periodSeconds": 1},
        "securityContext": {**RESTRICTED, "runAsUser": 65532},
        "volumeMounts": [{"name": "config", "mountPath": "/config"}, {"name": "data", "mountPath": "/data"}],
    }
    volumes = [{"name": "config", "configMap": {"name": "prometheus"}}, {"name": "data", "emptyDir": {}}]
    configuration = json.dumps({"scrape_configs": [scrape]})
    return [
        {**_head("v1", "ConfigMap", "prometheus"), "data": {"prometheus.yml": configuration}},
        {**_head("v1", "Pod", "prometheus"), "spec": {"containers": [container], "volumes": volumes}},
    ]


def _head(version: str, kind: str, name: str = "engine") -> Body:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
