"""The text generator over HTTP on loopback."""

import asyncio
import json
from typing import Any

import pytest

from tests.serving.builders import text_spec
from tests.serving.conftest import Client, Serve


async def stream(client: Client, path: str, body: dict[str, Any]) -> list[Any]:
    async with client.session.post(path, json={**body, "stream": True}) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        events = (await response.text()).removesuffix("\n\n").split("\n\n")
    assert events[-1] == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events[:-1]]


async def test_a_completion_has_exactly_the_tokens_that_were_asked_for(serve: Serve) -> None:
    client = await serve(text_spec())

    status, answer = await client.post("/v1/completions", {"model": "chat", "prompt": [1, 2, 3], "max_tokens": 5})

    assert status == 200
    assert answer["object"] == "text_completion"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert len(answer["choices"][0]["text"].split()) == 5
    assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


@pytest.mark.parametrize(
    ("path", "body", "tokens"),
    [
        pytest.param("/v1/completions", {"prompt": "x" * 40}, 10, id="text"),
        pytest.param("/v1/completions", {"prompt": "x"}, 1, id="short text"),
        pytest.param("/v1/completions", {"prompt": list(range(70))}, 70, id="token ids"),
        pytest.param("/v1/completions", {"prompt_tokens": 123}, 123, id="stated"),
        pytest.param("/v1/completions", {"prompt": "x", "prompt_tokens": 123}, 123, id="stated wins"),
        pytest.param("/v1/chat/completions", {"messages": [{"role": "user", "content": "x" * 80}]}, 20, id="message"),
        pytest.param(
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 12}]}]},
            3,
            id="message in parts",
        ),
    ],
)
async def test_the_length_of_the_prompt(serve: Serve, path: str, body: dict[str, Any], tokens: int) -> None:
    client = await serve(text_spec())

    _, answer = await client.post(path, body)

    assert answer["usage"]["prompt_tokens"] == tokens
    assert answer["usage"]["completion_tokens"] == 16, "the default"


async def test_a_stream_has_a_chunk_for_each_token_then_usage_when_asked(serve: Serve) -> None:
    client = await serve(text_spec())

    plain = await stream(client, "/v1/completions", {"prompt_tokens": 10, "max_tokens": 4})
    *chunks, usage = await stream(
        client,
        "/v1/completions",
        {"prompt_tokens": 10, "max_tokens": 4, "stream_options": {"include_usage": True}},
    )

    assert [c["choices"][0]["finish_reason"] for c in plain] == [None, None, None, "length"]
    assert all(c["choices"][0]["text"] for c in plain)
    assert len(chunks) == 4
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 14
    assert len({c["id"] for c in [*chunks, usage]}) == 1


async def test_a_chat_stream_names_the_role_once(serve: Serve) -> None:
    client = await serve(text_spec())

    chunks = await stream(client, "/v1/chat/completions", {"prompt_tokens": 10, "max_completion_tokens": 3})

    assert [c["choices"][0]["delta"].get("role") for c in chunks] == ["assistant", None, None]
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


async def test_a_stream_of_one_token_is_first_and_last(serve: Serve) -> None:
    client = await serve(text_spec())

    (chunk,) = await stream(client, "/v1/chat/completions", {"prompt_tokens": 1, "max_tokens": 1})

    assert chunk["choices"][0]["delta"]["role"] == "assistant"
    assert chunk["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("path", "body", "status", "param", "says"),
    [
        pytest.param("/v1/completions", {}, 400, "prompt", "give a text", id="no prompt"),
        pytest.param("/v1/completions", {"prompt": ""}, 400, "prompt", "give a text", id="empty prompt"),
        pytest.param("/v1/completions", {"prompt": {"a": 1}}, 400, "prompt", "prompt", id="prompt of a wrong type"),
        pytest.param(
            "/v1/completions", {"prompt": "x", "max_tokens": 0}, 400, "max_tokens", "greater than 0", id="no output"
        ),
        pytest.param("/v1/completions", {"prompt": "x", "n": 2}, 400, "n", "less than or equal to 1", id="two answers"),
        pytest.param("/v1/completions", [1], 400, None, "valid dictionary", id="body of a wrong type"),
        pytest.param("/v1/chat/completions", {}, 400, "messages", "at least one", id="no message"),
        pytest.param("/v1/completions", {"prompt": "x", "model": "gpt"}, 404, "model", "'chat' is", id="another model"),
        pytest.param("/v2/models/chat/infer", {}, 404, None, "", id="the route of a classifier"),
        pytest.param(
            "/v1/completions",
            {"prompt_tokens": 3000, "max_tokens": 1001},
            400,
            "max_tokens",
            "KV cache of 4000 tokens; at most 1000 output tokens fit",
            id="output can never fit",
        ),
        pytest.param(
            "/v1/completions",
            {"prompt_tokens": 4000, "max_tokens": 1},
            400,
            "prompt",
            "at most 3999 prompt tokens fit",
            id="prompt can never fit",
        ),
    ],
)
async def test_bad_requests(serve: Serve, path: str, body: Any, status: int, param: str | None, says: str) -> None:
    client = await serve(text_spec())

    answered, document = await client.post(path, body)

    assert answered == status
    error = document["error"]
    if isinstance(error, dict):
        assert error["type"] == "invalid_request_error"
        assert error["param"] == param
        error = error["message"]
    assert says in error
    assert await client.metric('cynosure:requests_total{model_name="chat"}') == 0, "not accepted"


async def test_a_body_that_is_not_json(serve: Serve) -> None:
    client = await serve(text_spec())

    async with client.session.post("/v1/completions", data=b"{not json") as response:
        assert response.status == 400
        assert "not JSON" in (await response.json())["error"]["message"]


async def test_the_metrics_of_a_request(serve: Serve) -> None:
    client = await serve(text_spec())

    await client.post("/v1/completions", {"prompt_tokens": 50, "max_tokens": 8})

    chat = '{model_name="chat"}'
    values = {
        name: await client.metric(name + chat)
        for name in (
            "cynosure:requests_total",
            "vllm:prompt_tokens_total",
            "vllm:generation_tokens_total",
            "vllm:time_to_first_token_seconds_count",
            "vllm:inter_token_latency_seconds_count",
            "vllm:e2e_request_latency_seconds_count",
            "vllm:num_requests_running",
            "vllm:num_requests_waiting",
            "vllm:kv_cache_usage_perc",
        )
    }
    assert list(values.values()) == [1, 50, 8, 1, 7, 1, 0, 0, 0]
    assert await client.metric('vllm:request_success_total{finished_reason="length",model_name="chat"}') == 1
    assert await client.metric('vllm:request_success_total{finished_reason="abort",model_name="chat"}') == 0


@pytest.mark.slow
async def test_the_gauges_show_who_runs_and_who_waits(serve: Serve) -> None:
    client = await serve(text_spec(step_ms=40, kv=1000))
    body = {"prompt_tokens": 390, "max_tokens": 10}
    requests = [asyncio.create_task(client.post("/v1/completions", body)) for _ in range(3)]
    await asyncio.sleep(0.1)

    running = await client.metric('vllm:num_requests_running{model_name="chat"}')
    waiting = await client.metric('vllm:num_requests_waiting{model_name="chat"}')
    usage = await client.metric('vllm:kv_cache_usage_perc{model_name="chat"}')
    await asyncio.gather(*requests)

    assert (running, waiting) == (2, 1), "the KV cache has room for two"
    assert usage is not None
    assert 0.78 <= usage <= 0.8


async def test_a_client_that_goes_away_frees_its_place(serve: Serve) -> None:
    client = await serve(text_spec(step_ms=20))
    body = {"prompt_tokens": 10, "max_tokens": 3000, "stream": True}
    async with client.session.post("/v1/completions", json=body) as response:
        await response.content.readany()
    for _ in range(100):
        if await client.metric('vllm:num_requests_running{model_name="chat"}') == 0:
            break
        await asyncio.sleep(0.02)

    assert await client.metric('vllm:num_requests_running{model_name="chat"}') == 0
    assert await client.metric('vllm:request_success_total{finished_reason="abort",model_name="chat"}') == 1
    assert await client.metric('vllm:e2e_request_latency_seconds_count{model_name="chat"}') == 0
