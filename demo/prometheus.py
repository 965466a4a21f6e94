"""A Prometheus for the demo's cluster, with the days before the demo already in it."""

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo import discovery
from demo.kubectl import MADE_BY, Body, Kubectl
from demo.record import Line

CONFIG_MAP_LIMIT_BYTES = 1_000_000
_NAME = "prometheus"
_TARGETS = "/prometheus/targets.json"
_LABELS = {"app.kubernetes.io/name": _NAME}
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def manifests(namespace: str, image: str, python_image: str, history: str, *, scrape_seconds: float) -> list[Body]:
    """Everything of Prometheus; ``history`` is OpenMetrics text that becomes blocks before it starts.

    :raises ValueError: the compressed history does not fit into a ConfigMap.
    """
    packed = gzip.compress(history.encode(), mtime=0)
    if len(packed) * 4 // 3 > CONFIG_MAP_LIMIT_BYTES:
        raise ValueError(f"history: {len(packed)} bytes compressed do not fit into a ConfigMap; use fewer days")
    return [
        *_access(namespace),
        {
            **_head("v1", "ConfigMap", namespace),
            "data": {
                "prometheus.yml": yaml.safe_dump(_configuration(scrape_seconds)),
                "discovery.py": Path(discovery.__file__).read_text(encoding="utf-8"),
            },
            "binaryData": {"history.gz": base64.b64encode(packed).decode()},
        },
        {**_head("v1", "Service", namespace), "spec": {"selector": _LABELS, "ports": [{"port": 9090}]}},
        {**_head("apps/v1", "Deployment", namespace), "spec": _deployment(image, python_image, scrape_seconds)},
    ]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Queries through the API server's proxy, so nothing has to be exposed."""

    kubectl: Kubectl
    namespace: str

    def range(self, query: str, start: float, end: float, step_seconds: float) -> list[tuple[Mapping[str, str], Line]]:
        """Each series with its labels; samples that are not numbers are left out."""
        path = f"/api/v1/namespaces/{self.namespace}/services/{_NAME}:9090/proxy/api/v1/query_range"
        asked = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step_seconds:g}"}
        found = self.kubectl.raw(path, asked)["data"]["result"]
        return [(series["metric"], _line(series["values"])) for series in found]


def _line(values: list[tuple[float, str]]) -> Line:
    known = [(at, float(text)) for at, text in values if text not in ("NaN", "+Inf", "-Inf")]
    return Line([at for at, _ in known], [value for _, value in known])


def _head(version: str, kind: str, namespace: str) -> Body:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": _NAME, "namespace": namespace, "labels": _LABELS}}


def _access(namespace: str) -> list[Body]:
    role = {"name": "cynosure-demo-prometheus", "labels": MADE_BY}
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    group = "rbac.authorization.k8s.io"
    return [
        _head("v1", "ServiceAccount", namespace),
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": role, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": role,
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": namespace}],
        },
    ]


def _configuration(scrape_seconds: float) -> Body:
    interval = f"{round(scrape_seconds * 1000)}ms"
    found = [{"files": [_TARGETS], "refresh_interval": interval}]
    # The operator names the service that a metric is about; its own pod must not take the place of that.
    job = {"job_name": "pods", "honor_labels": True, "file_sd_configs": found}
    return {"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": [job]}


def _deployment(image: str, python_image: str, scrape_seconds: float) -> Body:
    blocks = (
        "gzip -dc /etc/prometheus/history.gz > /prometheus/history.txt && "
        "promtool tsdb create-blocks-from openmetrics /prometheus/history.txt /prometheus/data && "
        "rm /prometheus/history.txt"
    )
    mounts = [{"name": "data", "mountPath": "/prometheus"}, {"name": "config", "mountPath": "/etc/prometheus"}]
    shared = {"image": image, "imagePullPolicy": "IfNotPresent", "securityContext": _RESTRICTED, "volumeMounts": mounts}
    flags = ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus/data"]
    server = {
        **shared,
        "name": _NAME,
        "command": ["prometheus"],
        "args": [*flags, "--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=30d"],
        "ports": [{"containerPort": 9090}],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": 9090}, "periodSeconds": 1},
    }
    finder = {
        **shared,
        "name": "discovery",
        "image": python_image,
        "command": ["python", "/etc/prometheus/discovery.py", _TARGETS, f"{scrape_seconds:g}"],
    }
    pod = {
        "serviceAccountName": _NAME,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "fsGroup": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [
            # promtool writes to the temporary folder first, and the root is read-only
            {
                **shared,
                "name": "history",
                "command": ["sh", "-ec", blocks],
                "env": [{"name": "TMPDIR", "value": "/prometheus"}],
            }
        ],
        "containers": [server, finder],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": _NAME}}],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        "strategy": {"type": "Recreate"},
        "template": {"metadata": {"labels": _LABELS}, "spec": pod},
    }
