"""The built-in engine: an open loop that sends each request at its time, whatever became of those before it."""

import asyncio
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan
from time import monotonic as _now

import aiohttp
import numpy as np
from yarl import URL

from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes, Status
from loadgen.schedule import Kind, Schedule
from loadgen.stream import CompletionStream
from loadgen.targets import Target
from loadgen.token_gaps import TokenGaps

_KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers close an idle connection, which would look like a fault."""

_MISSED_SECONDS = 1.0
"""What was due longer ago than this when the run begins stays unsent, instead of bursting out all at once."""

# The clock is the system's own: a loop's `time` may stand still for as long as it is busy, and would hide a lag.
_HEADERS = {"Content-Type": "application/json"}
_YIELD_EVERY = 32


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Bounds of a run.

    timeout_seconds: after it a request has failed; counted from when it was sent. max_connections: requests in
    flight at most; one more waits for its turn and is counted as late. keep_alive: reuse connections; off, each
    request opens its own, so that a Service (which chooses a pod for each connection) spreads them over new pods too.
    """

    timeout_seconds: float = 60.0
    max_connections: int = 1024
    keep_alive: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.timeout_seconds <= 3600:
            raise BadLoadInput(f"timeout: {self.timeout_seconds:g} s is outside 0 to 3600 s")
        if not 1 <= self.max_connections <= 65_536:
            raise BadLoadInput(f"max connections: {self.max_connections} is outside 1 to 65536")


@dataclass(frozen=True, slots=True)
class Progress:
    sent: int
    succeeded: int
    failed: int
    in_flight: int


class OpenLoop:
    """Plays one schedule once. Nothing is retried, redirected or dropped unseen."""

    def __init__(self, schedule: Schedule, targets: Mapping[Kind, Target], options: EngineOptions) -> None:
        missing = {Kind(int(kind)) for kind in np.unique(schedule.kind)} - targets.keys()
        if missing:
            raise BadLoadInput(
                f"target: none takes the {missing.pop().name.lower()}s of the schedule; add one that does"
            )
        self._schedule, self._targets, self._options = schedule, targets, options
        requests = len(schedule)
        self._due: list[float] = schedule.send_at_seconds.tolist()
        self._lag, self._first, self._latency = [nan] * requests, [nan] * requests, [nan] * requests
        self._tokens, self._status = [0] * requests, [int(Status.UNSENT)] * requests
        self._gaps = TokenGaps()
        self._sent = self._succeeded = self._ended = 0
        self._in_flight: set[asyncio.Task[None]] = set()
        self._sender: asyncio.Task[None] | None = None
        self._fault: BaseException | None = None

    @property
    def progress(self) -> Progress:
        return Progress(self._sent, self._succeeded, self._ended - self._succeeded, len(self._in_flight))

    def stop(self) -> None:
        """End early: what is in flight counts as unfinished, what is left as unsent, and `run` returns."""
        if self._sender:
            self._sender.cancel()
        for task in self._in_flight:
            task.cancel()

    async def run(self, start_at: float) -> Outcomes:
        """Play the schedule from ``start_at`` (`time.monotonic`) until the last answer or time-out."""
        self._slots = asyncio.Semaphore(self._options.max_connections)
        self._start_at = start_at
        async with self._session() as self._http:
            self._sender = asyncio.create_task(self._send_all())
            self._sender.add_done_callback(self._notice_fault)
            try:
                await asyncio.wait([self._sender])
                if self._in_flight:
                    await asyncio.wait(self._in_flight)
            finally:
                self.stop()
                await asyncio.gather(self._sender, *self._in_flight, return_exceptions=True)
        if self._fault:
            raise self._fault
        return self._outcomes()

    def _session(self) -> aiohttp.ClientSession:
        keep_alive = self._options.keep_alive
        connector = aiohttp.TCPConnector(
            limit=0,  # the slots are the limit, so that a wait for one shows up as send lag
            force_close=not keep_alive,
            keepalive_timeout=_KEEP_ALIVE_SECONDS if keep_alive else None,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
        )

    async def _send_all(self) -> None:
        kinds, inputs, outputs = (
            column.tolist()
            for column in (self._schedule.kind, self._schedule.input_tokens, self._schedule.output_tokens)
        )
        targets = {int(kind): (target, URL(target.url)) for kind, target in self._targets.items()}
        missed = bisect_left(self._due, _now() - self._start_at - _MISSED_SECONDS)
        for number, due in enumerate(self._due[missed:], missed):
            if number % _YIELD_EVERY == 0:  # behind time, answers must still be read
                await asyncio.sleep(0)
            while (delay := self._start_at + due - _now()) > 0:  # noqa: ASYNC110 (a timer may be early by half a ms)
                await asyncio.sleep(delay)
            await self._slots.acquire()
            target, url = targets[kinds[number]]
            body = target.body(number, inputs[number], outputs[number])
            task = asyncio.create_task(self._request(number, url, body, streamed=target.kind is Kind.COMPLETION))
            self._in_flight.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._slots.release()
        self._ended += 1
        self._notice_fault(task)

    def _notice_fault(self, task: asyncio.Task[None]) -> None:
        """Stop at once for an error of our own, which no count of failed requests should hide."""
        if not task.cancelled() and (fault := task.exception()):
            self._fault = fault
            self.stop()

    async def _request(self, number: int, url: URL, body: bytes, *, streamed: bool) -> None:
        sent = _now()
        self._lag[number] = sent - self._start_at - self._due[number]
        self._status[number] = Status.UNFINISHED
        self._sent += 1
        try:
            async with asyncio.timeout(self._options.timeout_seconds):
                self._status[number] = await self._exchange(number, url, body, streamed=streamed)
                self._succeeded += self._status[number] == Status.SUCCEEDED
        except TimeoutError:
            self._status[number] = Status.TIMEOUT
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
            answered = not isnan(self._first[number])
            self._status[number] = Status.BROKEN_STREAM if answered else Status.CONNECTION
        except (aiohttp.ClientError, OSError):
            self._status[number] = Status.CONNECTION

    async def _exchange(self, number: int, url: URL, body: bytes, *, streamed: bool) -> int:
        intended = self._start_at + self._due[number]
        async with self._http.post(url, data=body, headers=_HEADERS, allow_redirects=False) as response:
            if not 200 <= response.status < 300:
                return response.status
            if not streamed:
                async for _ in response.content.iter_any():
                    pass
                self._latency[number] = _now() - intended
                return Status.SUCCEEDED
            return await self._read_stream(number, intended, response)

    async def _read_stream(self, number: int, intended: float, response: aiohttp.ClientResponse) -> int:
        stream, before = CompletionStream(), 0.0
        async for chunk in response.content.iter_any():
            arrived = _now() - intended
            stream.feed(chunk)
            come = stream.tokens - self._tokens[number]
            if isnan(self._first[number]) and (come or stream.streamed is False):
                self._first[number] = arrived
            elif come > 0:
                self._gaps.add((arrived - before) / come, come)
            if come or not stream.streamed:
                self._latency[number] = before = arrived
                self._tokens[number] = stream.tokens
        if stream.streamed is None:
            self._latency[number] = _now() - intended
        whole = stream.succeeded(empty_is_whole=response.content_length == 0)
        return Status.SUCCEEDED if whole else Status.BROKEN_STREAM

    def _outcomes(self) -> Outcomes:
        return Outcomes(
            np.array(self._due),
            np.array(self._lag),
            np.array(self._first),
            np.array(self._latency),
            np.array(self._tokens, dtype=np.int64),
            self._schedule.kind,
            np.array(self._status, dtype=np.int64),
            self._schedule.duration_seconds,
            "builtin",
            {kind.name.lower(): target.url for kind, target in self._targets.items()},
            dict(self._schedule.provenance),
            self._gaps,
        )
