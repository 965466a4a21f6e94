"""Loading, faults and draining, over HTTP on loopback."""

import asyncio
import time

import pytest

from tests.serving.builders import image_spec, text_spec
from tests.serving.conftest import Serve

SHORT = {"prompt_tokens": 10, "max_tokens": 2}


async def test_until_the_model_is_loaded_the_engine_is_alive_but_not_ready(serve: Serve) -> None:
    client = await serve(text_spec(load_seconds=0.3))

    assert (await client.get("/live"))[0] == 200
    assert await client.get("/health") == (503, '{"status": "loading"}')
    async with client.session.post("/v1/completions", json=SHORT) as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "1"
        assert (await response.json())["error"]["message"] == "the engine is loading"
    await asyncio.sleep(0.35)
    assert await client.get("/health") == (200, '{"status": "ready"}')
    assert (await client.post("/v1/completions", SHORT))[0] == 200


async def test_the_model_is_listed(serve: Serve) -> None:
    client = await serve(image_spec())

    _, models = await client.get("/v1/models")

    assert '"id": "chat"' in models


async def test_draining_finishes_what_is_in_flight_and_queued_and_takes_nothing_new(serve: Serve) -> None:
    client = await serve(text_spec(step_ms=20, kv=500))
    body = {"prompt_tokens": 400, "max_tokens": 5}  # one at a time fits the KV cache
    requests = [asyncio.create_task(client.post("/v1/completions", body)) for _ in range(3)]
    await asyncio.sleep(0.05)

    drain = asyncio.create_task(client.server.gate.drain(10))
    await asyncio.sleep(0)
    assert (await client.get("/health"))[0] == 503
    async with client.session.post("/v1/completions", json=SHORT) as refused:
        assert refused.status == 503
        assert "Retry-After" in refused.headers
        assert refused.headers["Connection"] == "close", "so that the client meets another pod"
    assert (await client.get("/live"))[0] == 200

    assert await drain == 0
    assert [status for status, _ in await asyncio.gather(*requests)] == [200, 200, 200]


async def test_draining_is_bounded(serve: Serve) -> None:
    client = await serve(text_spec(step_ms=100))
    endless = asyncio.create_task(client.post("/v1/completions", {"prompt_tokens": 1, "max_tokens": 1000}))
    await asyncio.sleep(0.05)

    assert await client.server.gate.drain(0.1) == 1
    endless.cancel()


async def test_faults_are_off_unless_allowed(serve: Serve) -> None:
    client = await serve(text_spec())

    status, _ = await client.get("/fault")

    assert status == 404


@pytest.mark.parametrize("body", [{"slowFactor": 0}, {"errorRate": 1.5}, {"hang": "perhaps"}, {"explode": True}])
async def test_a_bad_fault_changes_nothing(serve: Serve, body: dict[str, object]) -> None:
    client = await serve(text_spec(), allow_faults=True)

    status, document = await client.put("/fault", body)

    assert status == 400
    assert next(iter(body)) in document["error"]["message"]
    assert await client.get("/fault") == (200, '{"slowFactor": 1.0, "errorRate": 0.0, "hang": false}')


async def test_errors_at_the_asked_rate_until_cleared(serve: Serve) -> None:
    client = await serve(text_spec(step_ms=0.1, ttft_ms=0.1), allow_faults=True)

    await client.put("/fault", {"errorRate": 0.5})
    statuses = [(await client.post("/v1/completions", SHORT))[0] for _ in range(40)]
    await client.put("/fault", {})
    healthy = [(await client.post("/v1/completions", SHORT))[0] for _ in range(10)]

    assert set(statuses) == {200, 500}
    assert 8 <= statuses.count(500) <= 32
    assert healthy == [200] * 10


async def test_a_slow_engine_takes_as_many_times_longer(serve: Serve) -> None:
    client = await serve(text_spec(step_ms=10, ttft_ms=10), allow_faults=True)
    await client.put("/fault", {"slowFactor": 5})

    began = time.monotonic()
    await client.post("/v1/completions", {"prompt_tokens": 400, "max_tokens": 4})

    assert 0.19 < time.monotonic() - began < 1.0, "4 x 10 ms x 5"


async def test_a_hanging_engine_looks_healthy_and_goes_on_when_released(serve: Serve) -> None:
    client = await serve(text_spec(), allow_faults=True)
    await client.put("/fault", {"hang": True})
    request = asyncio.create_task(client.post("/v1/completions", SHORT))
    await asyncio.sleep(0.2)

    assert not request.done()
    assert (await client.get("/health"))[0] == 200
    await client.put("/fault", {"hang": False})
    status, _ = await asyncio.wait_for(request, 2)
    assert status == 200
