"""The real small model behind the real client: what it answers is grounded, whatever it is."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_engine import Catalog, ModelSettings, draft
from llm_engine.weights import cached

pytestmark = [pytest.mark.model, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def model(repository: Path) -> Iterator[ModelSettings]:
    weights = cached()
    if weights is None:
        pytest.skip("the weights of the local model are not in the cache: run 'make weights'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llm_engine.local", "--model", str(weights), "--port", str(port)]
    environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
    with subprocess.Popen(
        command, cwd=repository, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            address = next(line.strip() for line in server.stdout if line.startswith("http"))
            yield ModelSettings(address, "qwen2.5-coder-1.5b", timeout_seconds=60)
        finally:
            server.terminate()
            server.wait(10)


async def test_an_italian_sentence_is_drafted_and_grounded(model: ModelSettings, catalog: Catalog) -> None:
    found = await draft("mantieni il p95 di chat sotto i 300 ms", catalog, "auto", model)
    assert found.model_available is True, found.model_reason
    assert found.engine == "model:qwen2.5-coder-1.5b"
    meant = {"verb": "bound", "service": "chat", "metric": "e2e", "value": 300, "unit": "ms", "percentile": 95}
    assert found.outcome == "question" or [directive.as_json() for directive in found.directives] == [meant]


async def test_the_model_never_adds_a_number(model: ModelSettings, catalog: Catalog) -> None:
    found = await draft("chat ha bisogno di min 2 replicas", catalog, "auto", model)
    assert found.model_available is True, found.model_reason
    assert found.outcome == "question" or [d.as_json() for d in found.directives] == [
        {"verb": "scale", "service": "chat", "min": 2}
    ]
