"""Where the demo plays: a cluster of the user's own, one of kind, or the native testbed; and who takes part there."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from cynosure.errors import BadInput
from cynosure.kube.labels import PLACEMENT_PREFIX

from demo.install import helm
from demo.kubectl import MADE_BY, Kubectl, namespace_body
from demo.scenario import Scenario
from demo.stage import REPOSITORY, Person, Stage, data_folder
from testbed import kind, lifecycle
from testbed.choice import choose_cluster
from testbed.cluster import DEFAULT_NAME, Cluster
from testbed.foreign import simulate_gpus, withdraw_gpus
from testbed.packages import helm_path
from testbed.paths import state_directory
from testbed.programs import kubectl_path
from testbed.progress import Progress

ASKER, APPROVER = "alice", "bob"
_PROMETHEUS = "docker.io/prom/prometheus:v2.53.5"
_TOKEN_DURATION = "4h"  # noqa: S105
_RBAC = "rbac.authorization.k8s.io"


def prepare(scenario: Scenario, progress: Progress, out: Path, environment: Mapping[str, str] = os.environ) -> Stage:
    """Bring the cluster up, or take the one that is named, and return it with its people.

    :raises BadInput: what is named cannot be used.
    """
    choice = choose_cluster(environment)
    progress(f"cluster: {choice.kind}, as {choice.reason}")
    out.mkdir(parents=True, exist_ok=True)
    if data_folder() is None:
        progress("no ../shared/data here: replaying the published hourly figures of the same week")
    if choice.context is None:
        return _native(scenario, progress, out)
    if choice.kind == "kind":
        environment = {**environment, "CYNOSURE_IMAGE": kind.kind_up(choice.engine, progress)}
    return _named(choice.context, scenario, progress, out, environment)


def leave(scenario: Scenario, progress: Progress, environment: Mapping[str, str] = os.environ) -> None:
    """Take everything away that the demo brought, and nothing else."""
    choice = choose_cluster(environment)
    if choice.context is None:
        if not lifecycle.down(DEFAULT_NAME, progress):
            progress("nothing was running")
    elif choice.kind == "kind":
        kind.kind_down()
    else:
        _clear(choice.context, scenario, progress)


def _native(scenario: Scenario, progress: Progress, out: Path) -> Stage:
    cluster = lifecycle.up(DEFAULT_NAME, progress)
    program = kubectl_path(progress)
    return Stage(
        scenario=scenario,
        say=progress,
        helm=helm_path(progress),
        images=cluster.images,
        admin=_certified("admin", cluster, program),
        asker=_certified(ASKER, cluster, program),
        approver=_certified(APPROVER, cluster, program),
        out=out,
        data=data_folder(),
    )


def _certified(name: str, cluster: Cluster, program: Path) -> Person:
    subject = {"kind": "User", "name": name, "apiGroup": _RBAC}
    return _person(name, cluster.kubeconfig(name), program, subject)


def _named(context: str, scenario: Scenario, progress: Progress, out: Path, environment: Mapping[str, str]) -> Stage:
    images = images_of(environment)
    program = kubectl_path(progress)
    nodes = simulate_gpus(program, context)
    progress(f"simulated GPUs on {', '.join(nodes)}, which carry the label")
    folder = _folder()
    admin = _person("admin", folder / "admin.kubeconfig", program, {})
    whole = Kubectl(program, ("--context", context)).run("config", "view", "--raw", "--minify", "--flatten")
    _keep(admin.kubeconfig, whole)
    for namespace in (scenario.namespace, scenario.system_namespace):
        _take(namespace, admin.kubectl, context)
    asker, approver = (_account(name, admin, scenario.namespace, folder) for name in (ASKER, APPROVER))
    return Stage(scenario, progress, helm_path(progress), images, admin, asker, approver, out, data_folder())


def images_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a cluster can pull. Without an image for stress-ng there is no background load.

    :raises BadInput: CYNOSURE_IMAGE is missing or has no tag.
    """
    image = environment.get("CYNOSURE_IMAGE", "")
    if not re.fullmatch(r"[^\s@]+:[\w][\w.-]*", image):
        raise BadInput(
            f"CYNOSURE_IMAGE={image!r}: name an image of this checkout that the cluster can pull, with its tag, such "
            "as registry.example/cynosure:dev after `docker build -t registry.example/cynosure:dev .` and a push"
        )
    images = {"cynosure": image, "prometheus": environment.get("CYNOSURE_PROMETHEUS_IMAGE", _PROMETHEUS)}
    stress = environment.get("CYNOSURE_STRESS_IMAGE")
    return {**images, "stress-ng": stress} if stress else images


def _take(namespace: str, kubectl: Kubectl, context: str) -> None:
    """Make a namespace of the demo; one that somebody else made would be lost with the demo."""
    found = kubectl.get("namespaces", selector=f"kubernetes.io/metadata.name={namespace}")["items"]
    if any(not MADE_BY.items() <= (body["metadata"].get("labels") or {}).items() for body in found):
        raise BadInput(f"CYNOSURE_CONTEXT={context}: there is a namespace {namespace!r} that the demo did not make")
    kubectl.apply(namespace_body(namespace))


def _account(name: str, admin: Person, namespace: str, folder: Path) -> Person:
    """A person of a cluster whose certificates we cannot sign: a ServiceAccount, with a token for some hours."""
    admin.kubectl.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
    )
    token = admin.kubectl.run("create", "token", name, "-n", namespace, "--duration", _TOKEN_DURATION).strip()
    person = _person(
        name,
        folder / f"{name}.kubeconfig",
        admin.kubectl.program,
        {"kind": "ServiceAccount", "name": name, "namespace": namespace},
    )
    _keep(person.kubeconfig, admin.kubectl.run("config", "view", "--raw"))
    user = person.kubectl.run("config", "view", "-o", "jsonpath={.contexts[0].context.user}")
    person.kubectl.run("config", "unset", f"users.{user}")
    person.kubectl.run("config", "set-credentials", user, "--token", token)
    return person


def _person(name: str, kubeconfig: Path, program: Path, subject: Mapping[str, str]) -> Person:
    return Person(name, Kubectl(program, ("--kubeconfig", str(kubeconfig))), kubeconfig, subject)


def _folder() -> Path:
    folder = state_directory("demo-people")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _keep(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)


def _clear(context: str, scenario: Scenario, progress: Progress) -> None:
    """What the chart made, what carries our label, and the GPUs; the node labels are their owner's."""
    folder = _folder()
    if not (folder / "admin.kubeconfig").exists():
        progress(f"nothing of the demo is known in {context}")
        return
    admin = _person("admin", folder / "admin.kubeconfig", kubectl_path(progress), {})
    progress(f"removing what the demo made in {context}")
    helm(
        helm_path(progress), admin.kubeconfig, scenario.system_namespace, "uninstall", "cynosure", "--ignore-not-found"
    )
    ours = ",".join(f"{key}={value}" for key, value in MADE_BY.items())
    admin.kubectl.run("delete", "clusterroles,clusterrolebindings,namespaces", "-l", ours, "--timeout=150s")
    admin.kubectl.run("delete", "-f", str(REPOSITORY / "crds"), "--ignore-not-found", "--timeout=60s")
    _unlabel(admin.kubectl)
    withdraw_gpus(admin.kubectl.program, context)
    shutil.rmtree(folder)


def _unlabel(kubectl: Kubectl) -> None:
    """The operator keeps its labels on nodes while it is there, and it went before its services did."""
    for node in kubectl.get("nodes")["items"]:
        ours = [f"{label}-" for label in node["metadata"]["labels"] if label.startswith(PLACEMENT_PREFIX)]
        if ours:
            kubectl.run("label", "node", node["metadata"]["name"], *ours)
