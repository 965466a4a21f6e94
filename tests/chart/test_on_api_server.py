"""The API server accepts what the chart renders."""

import subprocess
from pathlib import Path

import pytest

from testbed.cluster import Cluster
from testbed.packages import helm_path
from testbed.programs import program
from testbed.progress import timed_progress

pytestmark = pytest.mark.api_server


def run(*command: object, stdin: str | None = None) -> str:
    done = subprocess.run([str(part) for part in command], input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_rendered_object_passes_a_server_side_dry_run(api_server: Cluster, repository: Path) -> None:
    kubectl = (program("kubectl"), f"--kubeconfig={api_server.kubeconfig()}")
    run(*kubectl, "apply", "--server-side", "--force-conflicts", "-f", repository / "crds")
    run(*kubectl, "wait", "--for=condition=Established", "--timeout=30s", "-f", repository / "crds")
    settings = ("--set", "networkPolicy.enabled=true", "--set", "replicas=2", "--set", "dashboards.enabled=true")
    rendered = run(
        helm_path(timed_progress()), "template", "test", repository / "charts/cynosure",
        "--namespace", "default", "--kube-version", "1.36.0", "--api-versions",
        "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy", *settings,
    )  # fmt: skip
    answer = run(*kubectl, "apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-", stdin=rendered)
    for kind in ("deployment.apps", "networkpolicy", "configmap", "clusterrole", "serviceaccount", "automationpolicy"):
        assert kind in answer
