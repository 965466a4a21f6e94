"""Puts the system, the people's roles and the two services into the cluster."""

import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from demo.kubectl import MADE_BY, Body, StepFailed, namespace_body
from demo.scenario import SERVED
from demo.stage import EXAMPLES, REPOSITORY, Person, Stage

_SYSTEM_READY_SECONDS = 120
_SERVICE_READY_SECONDS = 120


def install_operator(stage: Stage) -> None:
    """Install Cynosure by its chart and wait until it is ready. The CRDs come first, as an upgrade would do it."""
    kubectl, scenario = stage.admin.kubectl, stage.scenario
    kubectl.run("apply", "--server-side", "--force-conflicts", "-f", str(REPOSITORY / "crds"))
    kubectl.run("wait", "--for=condition=Established", "--timeout=60s", "-f", str(REPOSITORY / "crds"))
    repository, tag = stage.image.rsplit(":", 1)
    values = {
        "image.repository": repository,
        "image.tag": tag,
        "prometheus.url": f"http://prometheus.{scenario.system_namespace}.svc:9090",
        **{f"settings.{name}": f"{value:g}" for name, value in scenario.settings().items()},
    }
    flags = [part for name, value in values.items() for part in ("--set-string", f"{name}={value}")]
    chart = str(REPOSITORY / "charts" / "cynosure")
    _helm(stage, "upgrade", "--install", "cynosure", chart, "--skip-crds", "--create-namespace", *flags)
    _await_rollout(stage, "deployment/cynosure")


def bind_people(stage: Stage) -> None:
    """Let alice ask and bob approve, in the namespace of the services; neither may do the other's part."""
    namespace = stage.scenario.namespace
    roles = ((stage.asker, "cynosure-asker"), (stage.approver, "cynosure-approver"))
    bindings = [_binding(namespace, person, role) for person, role in roles]
    readers = [_cluster_binding(person, "cynosure-viewer") for person, _ in roles]
    stage.admin.kubectl.apply(namespace_body(namespace))
    stage.admin.kubectl.apply(*bindings, *readers)


def apply_services(stage: Stage) -> None:
    """``kubectl apply`` the profiles and the two services, as a user would."""
    for served in SERVED.values():
        stage.admin.kubectl.apply_file(EXAMPLES / "profiles" / f"{served.profile}.yaml")
    for served in SERVED.values():
        stage.admin.kubectl.apply_file(EXAMPLES / f"{served.service}.yaml")


def await_services(stage: Stage) -> None:
    """Wait until each service has a ready replica.

    :raises StepFailed: it takes too long; the message holds what the operator says about it.
    """

    def all_ready() -> bool:
        return all(s.get("status", {}).get("readyReplicas", 0) > 0 for s in _services(stage))

    _await(all_ready, _SERVICE_READY_SECONDS, lambda: "; ".join(_told(s) for s in _services(stage)))


def apply_and_await(stage: Stage, bodies: Iterable[Body], workload: str) -> None:
    """Apply objects of the system namespace and wait for one workload among them."""
    stage.admin.kubectl.apply(*bodies)
    _await_rollout(stage, workload)


def _services(stage: Stage) -> list[Body]:
    found: list[Body] = stage.admin.kubectl.get("inferenceservices.cynosure.dev", namespace=stage.scenario.namespace)[
        "items"
    ]
    return found


def _told(service: Body) -> str:
    conditions = service.get("status", {}).get("conditions", ())
    wrong = [f"{c['type']}={c['status']} {c['reason']}: {c['message']}" for c in conditions if c["status"] != "True"]
    return f"{service['metadata']['name']}: {' | '.join(wrong) or 'no condition yet'}"


def _await(holds: Callable[[], bool], timeout_seconds: float, why: Callable[[], str]) -> None:
    ends = time.monotonic() + timeout_seconds
    while not holds():
        if time.monotonic() > ends:
            raise StepFailed(f"not ready after {timeout_seconds:g} s; {why()}")
        time.sleep(1)


def _await_rollout(stage: Stage, workload: str) -> None:
    namespace = stage.scenario.system_namespace
    timeout = f"--timeout={_SYSTEM_READY_SECONDS}s"
    try:
        stage.admin.kubectl.run("--namespace", namespace, "rollout", "status", workload, timeout)
    except StepFailed as failure:
        logs = stage.admin.kubectl.run("--namespace", namespace, "logs", workload, "--tail=5", "--all-containers=true")
        raise StepFailed(f"{failure}\n{logs}") from None


def _helm(stage: Stage, *arguments: str) -> None:
    helm(stage.helm, stage.admin.kubeconfig, stage.scenario.system_namespace, *arguments)


def helm(program: Path, kubeconfig: Path, namespace: str, *arguments: str) -> None:
    options = ["--kubeconfig", str(kubeconfig), "--namespace", namespace]
    done = subprocess.run([str(program), *options, *arguments], capture_output=True, text=True, timeout=180)
    if done.returncode != 0:
        raise StepFailed(f"helm {arguments[0]}: {done.stderr.strip()}")


def _binding(namespace: str, person: Person, role: str) -> Body:
    return _bound("RoleBinding", {"name": f"{role}-{person.name}", "namespace": namespace}, person, role)


def _cluster_binding(person: Person, role: str) -> Body:
    return _bound("ClusterRoleBinding", {"name": f"{role}-{person.name}"}, person, role)


def _bound(kind: str, metadata: dict[str, str], person: Person, role: str) -> Body:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": {**metadata, "labels": MADE_BY},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [dict(person.subject)],
    }
