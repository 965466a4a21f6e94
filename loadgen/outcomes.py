"""What became of each request of a schedule: measured by an engine, and what travels back from a Job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Self

import numpy as np

from loadgen.columns import decode, encode
from loadgen.errors import BadLoadInput
from loadgen.mix import RequestClass, check_classes, classes_from_json
from loadgen.schedule import Kind
from loadgen.token_gaps import TokenGaps
from loadgen.trace import Flags, Floats, Integers

_TICKS_PER_SECOND = 100_000
_TIMES = ("due_seconds", "lag_seconds", "first_seconds", "latency_seconds")
_COUNTS = ("tokens", "kind", "status", "attempts", "request_class")
_LATER = ("attempts", "request_class")
"""What a pod of an earlier version does not tell."""

_TOO_MANY_REQUESTS = 429


class Status(IntEnum):
    """How a request ended; an HTTP status from 100 stands for itself."""

    SUCCEEDED = 0
    UNSENT = 1
    UNFINISHED = 2
    TIMEOUT = 3
    CONNECTION = 4
    BROKEN_STREAM = 5
    CERTIFICATE = 6
    ABANDONED = 7


def may_succeed_later(status: int) -> bool:
    """Whether nobody answered, or an answer says so: refused or reset before the first token, 429, or 5xx."""
    return status in (Status.CONNECTION, _TOO_MANY_REQUESTS) or 500 <= status < 600


def reason(status: int) -> str:
    return f"http_{status}" if status >= 100 else Status(status).name.lower()


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Arrays with one entry for each offered request; NaN is what did not happen.

    due_seconds: intended send time from the common start. lag_seconds: sent that much later.
    first_seconds: from the intended send time to the first token. latency_seconds: from there to the end.
    tokens: output tokens received; token_gaps: the times between them, of all requests together.
    kind: `Kind`. status: `Status`, or the HTTP status of a refusal.
    attempts: how often it was sent; once, where that is not told. request_class: its index in ``classes``, if any.
    """

    due_seconds: Floats
    lag_seconds: Floats
    first_seconds: Floats
    latency_seconds: Floats
    tokens: Integers
    kind: Integers
    status: Integers
    duration_seconds: float
    engine: str
    targets: Mapping[str, str]
    provenance: Mapping[str, Any]
    token_gaps: TokenGaps = field(default_factory=TokenGaps)
    attempts: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    classes: tuple[RequestClass, ...] = ()
    request_class: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if not len(self.attempts):
            object.__setattr__(self, "attempts", self.sent.astype(np.int64))
        if not len(self.request_class):
            object.__setattr__(self, "request_class", np.zeros(len(self.status), np.int64))

    @property
    def sent(self) -> Flags:
        return np.not_equal(self.status, Status.UNSENT)

    @property
    def succeeded(self) -> Flags:
        return np.equal(self.status, Status.SUCCEEDED)

    @property
    def is_timed(self) -> bool:
        """Whether it is known when requests left; where all were simulated it is not."""
        return bool(np.isfinite(self.lag_seconds).any() or not self.sent.any())

    @property
    def tpot_seconds(self) -> Floats:
        """Mean time between tokens after the first; NaN for an answer of one token or none."""
        gaps = np.where(self.tokens > 1, self.tokens - 1, 1)
        return np.where(self.tokens > 1, (self.latency_seconds - self.first_seconds) / gaps, np.nan)

    def of_kind(self, kind: Kind) -> Self:
        return self.part(np.equal(self.kind, kind))

    def part(self, which: Flags) -> Self:
        """Return some of the requests; the times between tokens stay those of all."""
        return replace(self, **{name: getattr(self, name)[which] for name in (*_TIMES, *_COUNTS)})

    def to_bytes(self) -> bytes:
        columns = {name: _ticks(getattr(self, name)) for name in _TIMES}
        columns |= {name: getattr(self, name) for name in _COUNTS}
        meta = {
            "duration_seconds": self.duration_seconds,
            "engine": self.engine,
            "targets": dict(self.targets),
            "provenance": dict(self.provenance),
            "token_gaps": self.token_gaps.to_json(),
            **({"classes": [each.to_json() for each in self.classes]} if self.classes else {}),
        }
        return encode(columns, meta)

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Self:
        columns, meta = decode(data, source)
        try:
            arrays: dict[str, Any] = {name: _seconds(columns[name]) for name in _TIMES}
            arrays |= {name: columns[name] for name in _COUNTS if name in columns or name not in _LATER}
            if "classes" in meta:
                meta["classes"] = classes_from_json(meta["classes"])
                check_classes(meta["classes"], columns["request_class"])
            gaps = TokenGaps.from_json(meta.pop("token_gaps", {}))
            return cls(**arrays, **meta, token_gaps=gaps)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadLoadInput(f"{source}: no outcomes of a replay ({error})") from None


def merge(shards: Sequence[Outcomes]) -> Outcomes:
    """Join the outcomes of all shards of one schedule, in order of their intended send times."""
    joined: dict[str, Any] = {name: np.concatenate([getattr(s, name) for s in shards]) for name in (*_TIMES, *_COUNTS)}
    order = np.argsort(joined["due_seconds"], kind="stable")
    ordered = {name: column[order] for name, column in joined.items()}
    return replace(shards[0], **ordered, token_gaps=TokenGaps.joined(shard.token_gaps for shard in shards))


def _ticks(seconds: Floats) -> Integers:
    known = ~np.isnan(seconds)
    return np.where(known, np.rint(np.where(known, seconds, 0.0) * _TICKS_PER_SECOND), -1).astype(np.int64)


def _seconds(ticks: Integers) -> Floats:
    return np.where(ticks >= 0, ticks / _TICKS_PER_SECOND, np.nan)
