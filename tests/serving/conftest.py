"""Engines that serve on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from serving.emulated import listen
from serving.http import EngineServer
from serving.profile import Profile
from tests.serving.builders import GPU, MODEL, PARTITION


@dataclass(frozen=True, slots=True)
class Client:
    """HTTP to one running engine."""

    session: aiohttp.ClientSession
    server: EngineServer

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        async with self.session.post(path, json=body) as response:
            return response.status, await response.json()

    async def put(self, path: str, body: Any) -> tuple[int, Any]:
        async with self.session.put(path, json=body) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(path) as response:
            return response.status, await response.text()

    async def metric(self, series: str) -> float | None:
        """The value of one series, written as in the text format; None where it is absent."""
        _, text = await self.get("/metrics")
        values = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(series + " ")]
        return float(values[0]) if values else None


Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start an engine of the given profile spec on a free loopback port."""
    async with AsyncExitStack() as stack:

        async def start(spec: dict[str, Any], *, allow_faults: bool = False) -> Client:
            profile = Profile.model_validate(spec)
            server = EngineServer(profile, GPU, PARTITION, MODEL, allow_faults=allow_faults)
            runner = await listen(server, "127.0.0.1", 0)
            stack.push_async_callback(runner.cleanup)
            host, port = runner.addresses[0]
            session = await stack.enter_async_context(aiohttp.ClientSession(f"http://{host}:{port}"))
            return Client(session, server)

        yield start
