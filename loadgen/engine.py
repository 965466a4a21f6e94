"""The built-in engine: an open loop that sends each request at its time, whatever became of those before it."""

import asyncio
import ssl
from bisect import bisect_left
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np

from loadgen.connections import Connection, Route
from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes, Status, may_succeed_later
from loadgen.record import Measuring, Record
from loadgen.retries import RetryBudget
from loadgen.schedule import Kind, Schedule
from loadgen.targets import Target

_MISSED_SECONDS = 1.0
"""What was due longer ago than this when the run begins stays unsent, instead of bursting out all at once."""

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
    offered: int

    def __str__(self) -> str:
        return (
            f"sent {self.sent} of {self.offered}, succeeded {self.succeeded}, failed {self.failed}, "
            f"in flight {self.in_flight}"
        )


class OpenLoop:
    """Plays one schedule once. Nothing is redirected or dropped unseen, or retried but as the schedule says.

    The clock is the system's own: that of an event loop may stand still while the loop is busy, and would hide a lag.
    """

    def __init__(self, schedule: Schedule, targets: Mapping[Kind, Target], options: EngineOptions) -> None:
        missing = {Kind(int(kind)) for kind in np.unique(schedule.kind)} - targets.keys()
        if missing:
            raise BadLoadInput(
                f"target: none takes the {missing.pop().name.lower()}s of the schedule; add one that does"
            )
        self._schedule, self._targets, self._options = schedule, dict(targets), options
        self._record = Record(schedule)
        self._patience: list[float] = schedule.patience_seconds.tolist()
        self._number: list[int] = schedule.number.tolist()
        self._retries = schedule.retries
        self._budget = RetryBudget(schedule.retries) if schedule.retries else None
        self._sent = self._succeeded = self._ended = 0
        self._in_flight: set[_Exchange] = set()
        self._sender: asyncio.Task[None] | None = None
        self._fault: BaseException | None = None

    @property
    def progress(self) -> Progress:
        failed = self._ended - self._succeeded
        return Progress(self._sent, self._succeeded, failed, len(self._in_flight), len(self._schedule))

    def stop(self) -> None:
        """End early: what is in flight counts as unfinished, what is left as unsent, and `run` returns."""
        if self._sender:
            self._sender.cancel()
        for exchange in list(self._in_flight):
            exchange.give_up(Status.UNFINISHED)

    async def run(self, start_at: float) -> Outcomes:
        """Play the schedule from ``start_at`` (`time.monotonic`) until the last answer or time-out."""
        self._start_at = start_at
        self._slots = asyncio.Semaphore(self._options.max_connections)
        self._all_ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        kept = loop.get_exception_handler()
        loop.set_exception_handler(lambda _, context: self._stop_for(context.get("exception")))
        routes = {int(k): Route(target, keep_alive=self._options.keep_alive) for k, target in self._targets.items()}
        self._sender = asyncio.create_task(self._send_all(routes))
        self._sender.add_done_callback(self.notice)
        try:
            await asyncio.wait([self._sender])
            while self._in_flight:
                self._all_ended.clear()
                await self._all_ended.wait()
        finally:
            self.stop()
            await asyncio.gather(self._sender, return_exceptions=True)
            for route in routes.values():
                route.close()
            await asyncio.sleep(0)  # aborted transports tell their protocols
            loop.set_exception_handler(kept)
        if self._fault:
            raise self._fault
        return self._record.outcomes(self._targets)

    def notice(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._stop_for(task.exception())

    def _stop_for(self, fault: BaseException | None) -> None:
        """Stop at once for an error of our own, which no count of failed requests should hide."""
        if fault and not self._fault:
            self._fault = fault
            self.stop()

    async def _send_all(self, routes: Mapping[int, Route]) -> None:
        schedule, due_seconds = self._schedule, self._record.due
        columns = (schedule.kind.tolist(), schedule.input_tokens.tolist(), schedule.output_tokens.tolist())
        missed = bisect_left(due_seconds, monotonic() - self._start_at - _MISSED_SECONDS)
        for number, (kind, inputs, outputs) in enumerate(zip(*columns, strict=True)):
            if number < missed:
                continue
            if number % _YIELD_EVERY == 0:  # behind time, answers must still be read
                await asyncio.sleep(0)
            due_at = self._start_at + due_seconds[number]
            request = routes[kind].request(self._number[number], inputs, outputs)
            while (delay := due_at - monotonic()) > 0:  # noqa: ASYNC110 (a timer may be early by half a millisecond)
                await asyncio.sleep(delay)
            await self._slots.acquire()
            self._send(number, routes[kind], request, due_at)

    def _send(self, number: int, route: Route, request: bytes, due_at: float) -> None:
        record = self._record
        record.lag[number] = monotonic() - due_at
        record.status[number] = Status.UNFINISHED
        self._sent += 1
        if self._budget:
            self._budget.earn()
        exchange = _Exchange(self, number, route, due_at)
        self._in_flight.add(exchange)
        exchange.start(request, self._options.timeout_seconds, self._patience[number])

    def measuring(self, exchange: "_Exchange") -> Measuring:
        """Begin an attempt."""
        self._record.attempts[exchange.number] += 1
        streamed = exchange.route.target.kind is Kind.COMPLETION
        return Measuring(self._record, exchange.number, exchange.due_at, streamed=streamed)

    def wait_before_retry(self, exchange: "_Exchange", status: int, retry_after_seconds: float) -> float | None:
        """Return seconds, or None when the request has failed for good."""
        attempts = self._record.attempts[exchange.number]
        if self._retries is None or self._budget is None or attempts > self._retries.most:
            return None
        if not may_succeed_later(status):
            return None
        wait = retry_after_seconds + self._retries.wait_seconds(self._number[exchange.number], attempts)
        return wait if exchange.time_left() > wait and self._budget.spend() else None

    def leave_slot(self) -> None:
        """Let another request take the connection of one that waits for its next attempt."""
        self._slots.release()

    async def take_slot(self, exchange: "_Exchange") -> bytes:
        """Return the request once it may be sent again: written anew, as long prompts are not kept meanwhile."""
        await self._slots.acquire()
        number, schedule = exchange.number, self._schedule
        lengths = int(schedule.input_tokens[number]), int(schedule.output_tokens[number])
        return exchange.route.request(self._number[number], *lengths)

    def end(self, exchange: "_Exchange", status: int) -> None:
        """Take the end of an exchange; each ends once."""
        self._record.status[exchange.number] = status
        self._in_flight.discard(exchange)
        self._ended += 1
        self._succeeded += status == Status.SUCCEEDED
        if not self._in_flight:
            self._all_ended.set()


class _Exchange:
    """One request on its way, from the choice of a connection to the end of the last answer or the time-out."""

    __slots__ = (
        "_connection",
        "_deadline",
        "_has_slot",
        "_loop",
        "_measuring",
        "_task",
        "_timer",
        "due_at",
        "number",
        "route",
        "take_body",
        "take_head",
    )

    def __init__(self, loop: OpenLoop, number: int, route: Route, due_at: float) -> None:
        self._loop, self.number, self.route, self.due_at = loop, number, route, due_at
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_slot = True

    def start(self, request: bytes, timeout_seconds: float, patience_seconds: float) -> None:
        """Send it for the first time; time-out and patience count from here, whatever number of attempts follows."""
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + timeout_seconds
        if patience_seconds < timeout_seconds:
            self._timer = loop.call_later(patience_seconds, self._lose_patience, loop)
        else:
            self._timer = loop.call_at(self._deadline, self.give_up, Status.TIMEOUT)
        self._attempt(request)

    def time_left(self) -> float:
        """Seconds until the time-out."""
        return self._deadline - asyncio.get_running_loop().time()

    def _attempt(self, request: bytes) -> None:
        self._measuring = measuring = self._loop.measuring(self)
        self.take_head, self.take_body = measuring.take_head, measuring.take_body
        if connection := self.route.idle():
            self._sent_on(connection, request)
        else:
            self._do(self._connect(request))

    def _do(self, step: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(step)
        self._task.add_done_callback(self._loop.notice)

    async def _connect(self, request: bytes) -> None:
        try:
            connection = await self.route.connect()
        except ssl.SSLCertVerificationError:
            self._end(Status.CERTIFICATE)
        except OSError:
            self._end_or_retry(Status.CONNECTION)
        else:
            self._task = None
            self._sent_on(connection, request)

    def _sent_on(self, connection: Connection, request: bytes) -> None:
        self._connection = connection
        connection.send(request, self)

    def _lose_patience(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._measuring.began:
            self._timer = loop.call_at(self._deadline, self.give_up, Status.TIMEOUT)
        else:
            self.give_up(Status.ABANDONED)

    def end(self, *, whole: bool, retry_after_seconds: float) -> None:
        self._connection = None
        self._end_or_retry(self._measuring.status(whole=whole), retry_after_seconds)

    def give_up(self, status: Status) -> None:
        if self._task:
            self._task.cancel()
        if self._connection:
            self._connection.drop()
        self._end(status)

    def _end_or_retry(self, status: int, retry_after_seconds: float = 0.0) -> None:
        wait = self._loop.wait_before_retry(self, status, retry_after_seconds)
        if wait is None:
            self._end(status)
        else:
            self._has_slot = False
            self._loop.leave_slot()
            self._do(self._again(wait))

    async def _again(self, wait_seconds: float) -> None:
        await asyncio.sleep(wait_seconds)
        request = await self._loop.take_slot(self)
        self._has_slot = True
        self._task = None
        self._attempt(request)

    def _end(self, status: int) -> None:
        self._timer.cancel()
        self._connection = None
        if self._has_slot:
            self._loop.leave_slot()
        self._loop.end(self, status)
