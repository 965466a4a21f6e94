"""A tiny real server on loopback that streams completions, classifies, and misbehaves when the path says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import unused_port

TOKEN = b'data: {"choices":[{"index":0,"text":" a"}]}\n\n'
DONE = b"data: [DONE]\n\n"


def usage(tokens: int) -> bytes:
    return b'data: {"choices":[],"usage":{"completion_tokens":%d}}\n\n' % tokens


@dataclass(slots=True)
class TinyServer:
    """``prefill_seconds`` before the first token, ``token_seconds`` before each later one.

    On the route ``busy``, each prompt gets 429 ``refusals`` times, with ``retry_after``, before it is answered.
    """

    prefill_seconds: float = 0.0
    token_seconds: float = 0.0
    refusals: int = 0
    retry_after: str = "0"
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    arrivals: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    arrived_seconds: list[float] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await self._note(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(self.prefill_seconds)
        for number in range(body["max_tokens"]):
            await asyncio.sleep(self.token_seconds if number else 0)
            await response.write(TOKEN)
        await response.write(usage(body["max_tokens"]) + DONE)
        return response

    async def infer(self, request: web.Request) -> web.Response:
        await self._note(request)
        await asyncio.sleep(self.prefill_seconds)
        return web.json_response({"outputs": []})

    async def fault(self, request: web.Request) -> web.StreamResponse:
        """Misbehave as the path says: an HTTP status, or a way to break a stream."""
        await self._note(request)
        kind = request.match_info["fault"]
        if kind.isdigit():
            return web.Response(status=int(kind), headers={"Location": "http://198.51.100.1/"})
        if kind == "busy":
            first_token = self.bodies[-1]["prompt"][0]
            seen = sum(body["prompt"][0] == first_token for body in self.bodies)
            return web.Response(status=429 if seen <= self.refusals else 200, headers={"Retry-After": self.retry_after})
        if kind == "document":
            return web.json_response({"choices": [{"text": " a"}], "usage": {"completion_tokens": 1}})
        response = web.StreamResponse()
        await response.prepare(request)
        if kind == "cut":
            await response.write(TOKEN)
        elif kind == "error":
            await response.write(TOKEN + b'data: {"error": {"message": "out of memory"}}\n\n' + DONE)
        elif kind == "hang":
            await asyncio.sleep(30)
        return response

    async def _note(self, request: web.Request) -> dict[str, Any]:
        self.arrived_seconds.append(asyncio.get_running_loop().time())
        if request.transport:
            self.connections.add(request.transport.get_extra_info("peername")[:2])
        self.bodies.append(await request.json())
        self.arrivals.put_nowait(None)
        return self.bodies[-1]


@asynccontextmanager
async def serving(server: TinyServer) -> AsyncIterator[TinyServer]:
    app = web.Application()
    app.router.add_post("/v1/completions", server.complete)
    app.router.add_post("/v2/models/{name}/infer", server.infer)
    app.router.add_post("/{fault}/completions", server.fault)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = unused_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
