"""The image classifier over HTTP on loopback."""

import asyncio
from typing import Any

import pytest

from tests.serving.builders import image_spec
from tests.serving.conftest import Serve

INFER = "/v2/models/chat/infer"


@pytest.mark.parametrize(
    ("body", "images"),
    [
        pytest.param({}, 1, id="an empty body is one image"),
        pytest.param({"inputs": [{"name": "x", "shape": [3, 3, 224, 224], "datatype": "FP32"}]}, 3, id="three"),
    ],
)
async def test_a_class_for_each_image(serve: Serve, body: Any, images: int) -> None:
    client = await serve(image_spec())

    status, answer = await client.post(INFER, {"id": "7", **body})

    assert status == 200
    assert (answer["model_name"], answer["id"]) == ("chat", "7")
    assert answer["outputs"][0]["shape"] == [images]
    assert len(answer["outputs"][0]["data"]) == images


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        pytest.param(INFER, {"inputs": [{"shape": [9, 3]}]}, 400, "at most 8 fit", id="more than a batch"),
        pytest.param(INFER, {"inputs": [{"shape": [0]}]}, 400, "greater than 0", id="no image"),
        pytest.param(INFER, {"inputs": 5}, 400, "inputs", id="a wrong type"),
        pytest.param("/v2/models/other/infer", {}, 404, "'chat' is", id="another model"),
    ],
)
async def test_bad_requests(serve: Serve, path: str, body: Any, status: int, says: str) -> None:
    client = await serve(image_spec())

    answered, document = await client.post(path, body)

    assert answered == status
    assert says in document["error"]


async def test_requests_that_come_together_share_batches(serve: Serve) -> None:
    client = await serve(image_spec(base_ms=50))
    loop = asyncio.get_running_loop()
    began = loop.time()

    answers = await asyncio.gather(*(client.post(INFER, {}) for _ in range(16)))

    assert all(status == 200 for status, _ in answers)
    assert loop.time() - began < 0.5, "two or three batches of at most 100 ms, not 16 of 50 ms"
    assert await client.metric('vllm:request_success_total{finished_reason="stop",model_name="chat"}') == 16
    assert await client.metric('vllm:e2e_request_latency_seconds_count{model_name="chat"}') == 16
    assert await client.metric('vllm:kv_cache_usage_perc{model_name="chat"}') is None, "a classifier has none"
