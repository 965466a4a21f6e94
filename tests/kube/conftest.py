"""The two API servers of the contract: the fake of this process, and the testbed's real one."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials
from cynosure.kube.port import Resource

from tests.fakes.api_server import FakeApiServer
from tests.fakes.credentials import QUICK, client

NAMESPACES = Resource("", "v1", "namespaces", namespaced=False)


@pytest.fixture
async def fake() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer() as server:
        yield server


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.api_server)])
async def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HttpKubeApi]:
    if request.param == "fake":
        async with FakeApiServer() as server, client(server.url) as fake_client:
            yield fake_client
        return
    real: Any = request.getfixturevalue("api_server")
    monkeypatch.setenv("KUBECONFIG", str(real.kubeconfig("admin")))
    async with HttpKubeApi(load_credentials(), QUICK) as real_client:
        yield real_client


@pytest.fixture
async def namespace(api: HttpKubeApi) -> AsyncIterator[str]:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    await api.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await api.delete(NAMESPACES, name)


@pytest.fixture
def real_only(request: pytest.FixtureRequest) -> None:
    """The fake validates nothing."""
    if "fake" in request.node.callspec.id:
        pytest.skip("needs the validation of a real API server")
