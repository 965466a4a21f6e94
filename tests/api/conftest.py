"""A real API server with the CRDs, the policies and the roles of the chart, and two people who may use them."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.api import crds

from tests.api.server import Body, Server, eventually

_USERS = ("admin", "alice", "bob")


def chart_files(repository: Path, folder: str) -> list[Body]:
    paths = sorted((repository / "charts" / "cynosure" / "files" / folder).glob("*.yaml"))
    return [body for path in paths for body in yaml.safe_load_all(path.read_text())]


@pytest.fixture(scope="session")
def people(api_server: Any, repository: Path) -> Iterator[dict[str, Server]]:
    """Connections by user; alice may ask and bob may approve in the namespaces of ``namespace``."""
    servers = {user: Server(api_server.kubeconfig(user)) for user in _USERS}
    admin = servers["admin"]
    for manifest in crds.manifests():
        answer = admin.apply(manifest, "test")
        assert answer.status in (200, 201), answer.message
    eventually(lambda: all(established(admin, crd) for crd in crds.manifests()), "the CRDs are served")
    for body in [*chart_files(repository, "rbac"), *chart_files(repository, "admission")]:
        answer = admin.apply(body, "test")
        assert answer.status in (200, 201), answer.message
    eventually(lambda: policies_hold(admin), "the admission policies hold")
    yield servers
    for server in servers.values():
        server.close()


def established(admin: Server, crd: Body) -> bool:
    conditions = admin.get(crd).body.get("status", {}).get("conditions", [])
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def policies_hold(admin: Server) -> bool:
    """A name that is left out is filled in, and a wrong one is refused, for both kinds."""
    digest = "sha256:" + 64 * "0"
    asked = {"kind": "ScalingIntent", "spec": {"text": "probe"}}
    decided = {"kind": "IntentApproval", "spec": {"intent": "probe", "planDigest": digest, "decision": "Denied"}}
    for body, name in ((asked, "requestedBy"), (decided, "approver")):
        whole: Body = {"apiVersion": "cynosure.dev/v1alpha1", "metadata": {"name": "probe"}, **body}
        filled = admin.create(whole, dry_run=True)
        forged = admin.create({**whole, "spec": {**whole["spec"], name: "somebody"}}, dry_run=True)
        if filled.body.get("spec", {}).get(name) != "admin" or forged.status != 403:
            return False
    return True


@pytest.fixture(scope="session")
def admin(people: dict[str, Server]) -> Server:
    return people["admin"]


@pytest.fixture
def alice(people: dict[str, Server]) -> Server:
    return people["alice"]


@pytest.fixture
def bob(people: dict[str, Server]) -> Server:
    return people["bob"]


@pytest.fixture
def namespace(admin: Server) -> Iterator[str]:
    """Its own namespace for a test, where alice asks and bob approves."""
    name = f"api-{uuid.uuid4().hex[:8]}"
    created = admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert created.status == 201, created.message
    for user, role in (("alice", "cynosure-asker"), ("bob", "cynosure-approver")):
        assert admin.create(binding(name, user, role)).status == 201
    yield name
    admin.request("DELETE", f"/api/v1/namespaces/{name}")


def binding(namespace: str, user: str, role: str) -> Body:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": role, "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
