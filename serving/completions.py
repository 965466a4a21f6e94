"""The text generator's HTTP routes: OpenAI's completions and chat completions, streamed or whole."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from aiohttp import web

from serving.batching import ContinuousBatch, Generation
from serving.engine import Engine
from serving.gate import Gate
from serving.metrics import DecoderMetrics
from serving.openai import Exchange, parse_chat, parse_completion
from serving.refusal import Refusal
from serving.timing import DecoderTiming


class Completions:
    def __init__(self, model: str, timing: DecoderTiming, gate: Gate) -> None:
        machine = ContinuousBatch(timing)
        self.engine = Engine(machine)
        self.metrics = DecoderMetrics(model, machine)
        self._model = model
        self._kv_cache_tokens = timing.kv_cache_tokens
        self._gate = gate

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/completions", self._complete), web.post("/v1/chat/completions", self._chat)]

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, parse_completion)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, parse_chat)

    async def _answer(self, request: web.Request, parse: Callable[[bytes, str], Exchange]) -> web.StreamResponse:
        with self._gate.enter():
            exchange = parse(await request.read(), self._model)
            refuse_what_never_fits(exchange.generation, self._kv_cache_tokens)
            self.metrics.requests.inc()
            self._gate.raise_injected_error()
            async with aclosing(self._tokens(exchange.generation)) as tokens:
                if exchange.stream:
                    return await _stream(request, exchange, tokens)
                async for _ in tokens:
                    pass
                return web.json_response(exchange.document())

    async def _tokens(self, generation: Generation) -> AsyncGenerator[bool, None]:
        """Whether it is the last one, for each token as it comes; keeps the metrics."""
        arrived = previous = time.monotonic()
        finished = False
        latency = self.metrics.ttft_seconds
        try:
            with self.engine.serve(generation) as progress:
                while not finished:
                    finished = (await progress.get()).finished
                    now = time.monotonic()
                    latency.observe(now - previous)
                    if latency is self.metrics.ttft_seconds:
                        self.metrics.prompt_tokens.inc(generation.prompt_tokens)
                        latency = self.metrics.itl_seconds
                    previous = now
                    self.metrics.generation_tokens.inc()
                    yield finished
        finally:
            self.metrics.finished["length" if finished else "abort"].inc()
            if finished:
                self.metrics.e2e_seconds.observe(time.monotonic() - arrived)


async def _stream(request: web.Request, exchange: Exchange, tokens: AsyncIterator[bool]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    between = exchange.chunk(first=False, last=False)  # the same for all tokens but the first and the last
    first = True
    async for last in tokens:
        chunk = exchange.chunk(first=first, last=last) if first or last else between
        if first:
            await response.prepare(request)
            first = False
        await response.write(chunk + exchange.trailer() if last else chunk)
    await response.write_eof()
    return response


def refuse_what_never_fits(generation: Generation, kv_cache_tokens: int) -> None:
    """Refusal 400 for a request that would wait for ever, with the limit and the nearest thing that would fit."""
    if generation.kv_cache_tokens <= kv_cache_tokens:
        return
    prompt, output = generation.prompt_tokens, generation.output_tokens
    fits = kv_cache_tokens - prompt
    field, nearest = ("max_tokens", fits) if fits >= 1 else ("prompt", kv_cache_tokens - 1)
    message = (
        f"{field}: {prompt} prompt and {output} output tokens exceed the KV cache of {kv_cache_tokens} tokens; "
        f"at most {nearest} {'output' if field == 'max_tokens' else 'prompt'} tokens fit"
    )
    raise Refusal(400, message, field=field, code="context_length_exceeded")
