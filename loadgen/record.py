"""What is measured of each request while it is under way."""

from math import isnan, nan
from time import monotonic

import numpy as np

from loadgen.outcomes import Outcomes, Status
from loadgen.schedule import Kind, Schedule
from loadgen.stream import CompletionStream
from loadgen.targets import Target
from loadgen.token_gaps import TokenGaps


class Record:
    """One entry for each request of a schedule, in lists, which are quicker to write one by one than arrays."""

    def __init__(self, schedule: Schedule) -> None:
        requests = len(schedule)
        self._schedule = schedule
        self.due: list[float] = schedule.send_at_seconds.tolist()
        self.lag, self.first, self.latency = [nan] * requests, [nan] * requests, [nan] * requests
        self.tokens, self.status = [0] * requests, [int(Status.UNSENT)] * requests
        self.attempts = [0] * requests
        self.gaps = TokenGaps()

    def outcomes(self, targets: dict[Kind, Target]) -> Outcomes:
        return Outcomes(
            np.array(self.due),
            np.array(self.lag),
            np.array(self.first),
            np.array(self.latency),
            np.array(self.tokens, dtype=np.int64),
            self._schedule.kind,
            np.array(self.status, dtype=np.int64),
            self._schedule.duration_seconds,
            "builtin",
            {kind.name.lower(): target.url for kind, target in targets.items()},
            dict(self._schedule.provenance),
            self.gaps,
            np.array(self.attempts, dtype=np.int64),
            self._schedule.classes,
            self._schedule.request_class,
        )


class Measuring:
    """Measures one answer from the time at which its request was due."""

    __slots__ = ("_before", "_due_at", "_empty_is_whole", "_http_status", "_number", "_record", "_stream")

    def __init__(self, record: Record, number: int, due_at: float, *, streamed: bool) -> None:
        self._record, self._number, self._due_at = record, number, due_at
        self._stream = CompletionStream() if streamed else None
        self._http_status = 0
        self._empty_is_whole = False
        self._before = 0.0

    def take_head(self, status: int, length: int | None) -> None:
        self._http_status = status
        self._empty_is_whole = length == 0

    def take_body(self, data: bytes) -> None:
        stream, record, number = self._stream, self._record, self._number
        if stream is None or not 200 <= self._http_status < 300:
            return
        arrived = monotonic() - self._due_at
        stream.feed(data)
        come = stream.tokens - record.tokens[number]
        if isnan(record.first[number]) and (come or stream.streamed is False):
            record.first[number] = arrived
        elif come > 0:
            record.gaps.add((arrived - self._before) / come, come)
        if come or not stream.streamed:
            record.latency[number] = self._before = arrived
            record.tokens[number] = stream.tokens

    @property
    def began(self) -> bool:
        """Whether the first token is there."""
        return not isnan(self._record.first[self._number])

    def status(self, *, whole: bool) -> int:
        """Judge the answer when it has ended, whole or not."""
        if self._http_status and not 200 <= self._http_status < 300:
            return self._http_status
        finished = self._stream is not None and self._stream.finished  # by its own mark, whatever the connection did
        if not whole and not finished:
            return Status.BROKEN_STREAM if self.began else Status.CONNECTION
        if self._stream is None or self._stream.streamed is None:
            self._record.latency[self._number] = monotonic() - self._due_at
        if self._stream is None or self._stream.succeeded(empty_is_whole=self._empty_is_whole):
            return Status.SUCCEEDED
        return Status.BROKEN_STREAM
