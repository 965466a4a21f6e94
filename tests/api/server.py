"""A few requests to a real API server as one user, with the answer as it is: refusals are what is tested here."""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from cynosure.api import crds
from cynosure.api.metadata import API_VERSION

Body = dict[str, Any]

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
_OTHERS = {
    "CustomResourceDefinition": "apiextensions.k8s.io/v1/customresourcedefinitions",
    "ClusterRole": "rbac.authorization.k8s.io/v1/clusterroles",
    "RoleBinding": "rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "MutatingAdmissionPolicy": "admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
    "ValidatingAdmissionPolicy": "admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Body

    @property
    def causes(self) -> list[Body]:
        """What the server finds wrong, a field at a time."""
        return list((self.body.get("details") or {}).get("causes", []))

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


class Server:
    """``kubeconfig`` says where it is and who asks."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
        where = urlsplit(cluster["server"])
        self._connection = HTTPSConnection(where.hostname or "", where.port, timeout=10, context=trust)
        self._headers = {"Authorization": f"Bearer {user['token']}"}

    def close(self) -> None:
        self._connection.close()

    def request(
        self, method: str, path: str, body: object = None, *, kind: str = "application/json", accept: str = "*/*"
    ) -> Answer:
        headers = {**self._headers, "Content-Type": kind, "Accept": accept}
        # A patch of type apply is read as YAML, which does not know the surrogate pairs that JSON escapes with.
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        self._connection.request(method, path, content, headers)
        response = self._connection.getresponse()
        return Answer(response.status, json.loads(response.read()))

    def get(self, body: Body, subresource: str = "") -> Answer:
        return self.request("GET", path_of(body) + subresource)

    def create(self, body: Body, *, dry_run: bool = False) -> Answer:
        collection = path_of(body).rpartition("/")[0]
        return self.request("POST", f"{collection}{'?dryRun=All' if dry_run else ''}", body)

    def replace(self, body: Body, subresource: str = "") -> Answer:
        return self.request("PUT", path_of(body) + subresource, body)

    def merge(self, body: Body, change: Mapping[str, Any], subresource: str = "") -> Answer:
        return self.request("PATCH", path_of(body) + subresource, change, kind=MERGE)

    def apply(
        self, body: Body, manager: str, subresource: str = "", *, force: bool = True, dry_run: bool = False
    ) -> Answer:
        query = f"?fieldManager={manager}&force={str(force).lower()}{'&dryRun=All' if dry_run else ''}"
        return self.request("PATCH", path_of(body) + subresource + query, body, kind=APPLY)

    def replace_scale(self, body: Body, scale: Body, replicas: int) -> Answer:
        return self.request("PUT", path_of(body) + "/scale", {**scale, "spec": {"replicas": replicas}})

    def delete(self, body: Body) -> Answer:
        return self.request("DELETE", path_of(body))


def path_of(body: Body) -> str:
    name, namespace = body["metadata"]["name"], body["metadata"].get("namespace", "default")
    if body["apiVersion"] == API_VERSION:
        naming = next(kind.naming for kind in crds.KINDS if kind.__name__ == body["kind"])
        scope = f"/namespaces/{namespace}" if naming.namespaced else ""
        return f"/apis/{API_VERSION}{scope}/{naming.plural}/{name}"
    return f"/apis/{_OTHERS[body['kind']].format(namespace=namespace)}/{name}"


def eventually(holds: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Policies and CRDs take effect a moment after they are written."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
