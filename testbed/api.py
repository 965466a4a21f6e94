"""A few plain requests to the testbed's API server; the operator's own client is cynosure.kube."""

import json
import ssl
from collections.abc import Mapping, Sequence
from http.client import HTTPException, HTTPSConnection
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from testbed.cluster import Cluster
from testbed.errors import TestbedFailed
from testbed.users import read_token

Object = dict[str, Any]
_APPLY = "application/apply-patch+yaml"


class ApiError(TestbedFailed):
    """The API server answered with ``status``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the API server answered {status}: {message}")
        self.status = status


class Api:
    """One connection as one user. Not for use by several threads."""

    def __init__(self, cluster: Cluster, user: str = "admin", *, timeout_seconds: float = 10) -> None:
        trust = ssl.create_default_context(cafile=str(cluster.certificate_authority))
        where = urlsplit(cluster.server)
        self._connection = HTTPSConnection(where.hostname or "", where.port, timeout=timeout_seconds, context=trust)
        self._headers = {"Authorization": f"Bearer {read_token(cluster, user)}", "Accept": "application/json"}

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._connection.close()

    def get(self, path: str) -> Object:
        return self._request("GET", path)

    def create(self, path: str, body: Mapping[str, Any]) -> Object:
        return self._request("POST", path, body, "application/json")

    def apply(self, path: str, body: Mapping[str, Any]) -> Object:
        """Server-side apply as the field manager ``testbed``, taking over what somebody else had changed."""
        return self._request("PATCH", f"{path}?fieldManager=testbed&force=true", body, _APPLY)

    def merge(self, path: str, body: Mapping[str, Any]) -> Object:
        return self._request("PATCH", path, body, "application/merge-patch+json")

    def patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> Object:
        return self._request("PATCH", path, operations, "application/json-patch+json")

    def delete(self, path: str) -> None:
        self._request("DELETE", path)

    def _request(self, method: str, path: str, body: object = None, content_type: str = "") -> Object:
        headers = self._headers | ({"Content-Type": content_type} if content_type else {})
        try:
            self._connection.request(method, path, _encoded(body), headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            self._connection.close()
            raise
        if response.status >= 400:
            raise ApiError(response.status, content.decode(errors="replace")[:500])
        return _parse(content)


def _encoded(body: object) -> bytes | None:
    """UTF-8, not escapes: the server reads applied objects as YAML, which has no surrogate pairs."""
    return None if body is None else json.dumps(body, ensure_ascii=False).encode()


def _parse(content: bytes) -> Object:
    """Health endpoints answer in plain text, which becomes an empty object."""
    try:
        parsed = json.loads(content)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def answers(cluster: Cluster, path: str = "/readyz") -> bool:
    """Whether the API server can be reached and the path is served."""
    try:
        with Api(cluster, timeout_seconds=3) as api:
            api.get(path)
    except (OSError, HTTPException, ApiError):
        return False
    return True
