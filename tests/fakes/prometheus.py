"""A Prometheus over HTTP that knows the operator's queries and fails on demand."""

import asyncio
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from aiohttp import web


class Fault(StrEnum):
    NONE = "none"
    DOWN = "down"
    """The connection is refused."""
    ERROR = "5xx"
    NAN = "NaN"
    STALE = "stale"
    MISSING = "missing"
    HANGING = "hanging"


@dataclass(slots=True)
class Traffic:
    """What the engines of one service report."""

    rps: float = 1.0
    input_tokens: float = 500.0
    output_tokens: float = 100.0
    running: float = 2.0
    waiting: float = 0.0
    latency_milliseconds: float = 100.0
    pods: float = 1.0


_FRAGMENTS = (
    ("timestamp(", "at"),
    ("count by", "pods"),
    ("histogram_quantile", "latency_milliseconds"),
    ("prompt_tokens", "input_tokens"),
    ("generation_tokens", "output_tokens"),
    ("requests_total", "rps"),
    ("num_requests_running", "running"),
    ("num_requests_waiting", "waiting"),
)


@dataclass(slots=True)
class FakePrometheus:
    """``history`` holds (Unix seconds, requests per second) of every service alike."""

    traffic: dict[tuple[str, str], Traffic] = field(default_factory=dict)
    history: list[tuple[float, float]] = field(default_factory=list)
    fault: Fault = Fault.NONE
    url: str = ""
    queries: list[str] = field(default_factory=list)
    authorization: str = ""
    """Of the last range query."""
    _runner: web.AppRunner | None = None
    _port: int = 0

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/api/v1/query", self._query)
        application.router.add_get("/api/v1/query_range", self._range)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _query(self, request: web.Request) -> web.Response:
        query = request.query["query"]
        self.queries.append(query)
        await self._misbehave(request)
        if self.fault is Fault.MISSING:
            return _answer([])
        name = next((name for fragment, name in _FRAGMENTS if fragment in query), None)
        if name is None:
            return _answer([])
        values = {key: self._value(name, traffic) for key, traffic in self.traffic.items()}
        return _answer(
            [
                {"metric": {"namespace": namespace, "service": service}, "value": [time.time(), str(value)]}
                for (namespace, service), value in values.items()
            ]
        )

    def _value(self, name: str, traffic: Traffic) -> float:
        if name == "at":
            return time.time() - (3600 if self.fault is Fault.STALE else 0)
        if self.fault is Fault.NAN and name != "pods":
            return float("nan")
        return float(getattr(traffic, name))

    async def _range(self, request: web.Request) -> web.Response:
        self.queries.append(request.query["query"])
        self.authorization = request.headers.get("Authorization", "")
        await self._misbehave(request)
        begin, end = float(request.query["start"]), float(request.query["end"])
        values = [[at, str(rps)] for at, rps in self.history if begin <= at <= end]
        return _answer([{"metric": {}, "values": values}] if values else [])

    async def _misbehave(self, request: web.Request) -> None:
        match self.fault:
            case Fault.DOWN:
                if request.transport:
                    request.transport.abort()
                await asyncio.sleep(0.1)
            case Fault.ERROR:
                raise web.HTTPServiceUnavailable(text="overloaded")
            case Fault.HANGING:
                await asyncio.sleep(60)


def _answer(result: list[dict[str, object]]) -> web.Response:
    return web.json_response({"status": "success", "data": {"result": result}})
