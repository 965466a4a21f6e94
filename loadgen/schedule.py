"""When which request is sent: what every engine plays, and what travels to a Job."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from typing import Any, Self

import numpy as np

from loadgen.columns import MOST_ROWS, decode, encode
from loadgen.errors import BadLoadInput
from loadgen.mix import RequestClass, check_classes, classes_from_json
from loadgen.retries import Retries
from loadgen.trace import Flags, Floats, Integers

LONGEST_SECONDS = 86_400.0
_TICKS_PER_SECOND = 10_000
"""Send times are whole tenths of a millisecond: finer than any client sends, and two bytes a request shorter."""
_PATIENCE_TICKS_PER_SECOND = 100
_WITHOUT_END = -1


_COLUMNS = ("send_at_seconds", "input_tokens", "output_tokens", "kind", "patience_seconds", "number", "request_class")


class Kind(IntEnum):
    """What a request asks for."""

    COMPLETION = 0
    CLASSIFICATION = 1


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Requests in order of their send time, counted from the common start; all arrays have the same length.

    ``provenance`` says where they come from (trace, transforms, arrivals, seed) and travels along to the report.
    patience_seconds: how long its user waits for the first token, from when it was sent; infinite by default.
    number: of the request in the whole schedule, also in a shard of it. retries: of those that fail; None: none.
    request_class: the index of each one's class in ``classes``; all 0 where there are none.
    """

    send_at_seconds: Floats
    input_tokens: Integers
    output_tokens: Integers
    kind: Integers
    duration_seconds: float
    provenance: Mapping[str, Any] = field(default_factory=dict)
    patience_seconds: Floats = field(default_factory=lambda: np.zeros(0))
    number: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    retries: Retries | None = None
    classes: tuple[RequestClass, ...] = ()
    request_class: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        """Fill in what is not given, and round patience to ticks, so that it too is the same after travels."""
        requests = len(self.send_at_seconds)
        waits = self.patience_seconds if len(self.patience_seconds) else np.full(requests, np.inf)
        waits = np.maximum(np.rint(waits * _PATIENCE_TICKS_PER_SECOND), 1) / _PATIENCE_TICKS_PER_SECOND
        object.__setattr__(self, "patience_seconds", waits)
        if not len(self.number):
            object.__setattr__(self, "number", np.arange(requests))
        if not len(self.request_class):
            object.__setattr__(self, "request_class", np.zeros(requests, np.int64))

    @classmethod
    def of(
        cls,
        send_at_seconds: Floats,
        input_tokens: Integers,
        output_tokens: Integers,
        kind: Integers,
        duration_seconds: float,
        provenance: Mapping[str, Any] | None = None,
    ) -> Self:
        """Round the send times to ticks, so that a schedule is the same after its travels.

        BadLoadInput when it is empty, or beyond the bounds on count and time.
        """
        requests = len(send_at_seconds)
        if not requests:
            raise BadLoadInput("the schedule holds no request; choose a longer part of the trace or a higher peak")
        if requests > MOST_ROWS:
            share = MOST_ROWS / requests
            raise BadLoadInput(
                f"{requests} requests, at most {MOST_ROWS} are sent; about {share:.0%} of the time or of the peak fits"
            )
        if not 0 < duration_seconds <= LONGEST_SECONDS:
            raise BadLoadInput(
                f"duration: {duration_seconds:g} s is outside 0 to {LONGEST_SECONDS:g} s; cut the trace by "
                f"--duration-seconds, or compress it by --speedup {duration_seconds / LONGEST_SECONDS:.3g} or more"
            )
        at = np.rint(np.asarray(send_at_seconds) * _TICKS_PER_SECOND) / _TICKS_PER_SECOND
        return cls(at, input_tokens, output_tokens, kind, duration_seconds, provenance or {})

    def __len__(self) -> int:
        return len(self.send_at_seconds)

    def shard(self, index: int, count: int) -> Self:
        """Every ``count``-th request from ``index``: the shards together are the whole, each once."""
        if not 0 <= index < count:
            raise BadLoadInput(f"shard {index}/{count}: the index counts from 0 to {count - 1}")
        return self.part(slice(index, None, count))

    def part(self, which: slice | Flags) -> Self:
        """Return some of the requests."""
        return replace(self, **{name: getattr(self, name)[which] for name in _COLUMNS})

    def to_bytes(self) -> bytes:
        columns = {
            "send_at_ticks": np.rint(self.send_at_seconds * _TICKS_PER_SECOND).astype(np.int64),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "kind": self.kind,
        }
        if np.isfinite(self.patience_seconds).any():
            columns["patience_ticks"] = _patience_ticks(self.patience_seconds)
        meta: dict[str, Any] = {"duration_seconds": self.duration_seconds, "provenance": self.provenance}
        if self.retries:
            meta["retries"] = asdict(self.retries)
        if self.classes:
            columns["request_class"] = self.request_class
            meta["classes"] = [each.to_json() for each in self.classes]
        return encode(columns, meta)

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Self:
        columns, meta = decode(data, source)
        try:
            at, kind = columns["send_at_ticks"] / _TICKS_PER_SECOND, columns["kind"]
            lengths = columns["input_tokens"], columns["output_tokens"]
            duration, provenance = float(meta["duration_seconds"]), dict(meta["provenance"])
            behaviour = _behaviour(columns, meta)
        except (KeyError, TypeError, ValueError) as error:
            raise BadLoadInput(f"{source}: no schedule ({error} is missing or of another kind)") from None
        if not len(at) or at[0] < 0 or np.any(np.diff(at) < 0) or not np.isin(kind, list(Kind)).all():
            raise BadLoadInput(
                f"{source}: no schedule (empty, not in order of time, or of unknown kinds); make it again"
            )
        return replace(cls.of(at, *lengths, kind, duration, provenance), **behaviour)


def _behaviour(columns: Mapping[str, Integers], meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of users; in a schedule of earlier versions nothing is."""
    found: dict[str, Any] = {}
    if (ticks := columns.get("patience_ticks")) is not None:
        found["patience_seconds"] = np.where(ticks == _WITHOUT_END, np.inf, ticks / _PATIENCE_TICKS_PER_SECOND)
    if "retries" in meta:
        found["retries"] = Retries(**meta["retries"])
    if "classes" in meta:
        found["classes"], found["request_class"] = classes_from_json(meta["classes"]), columns["request_class"]
        check_classes(found["classes"], found["request_class"])
    return found


def _patience_ticks(seconds: Floats) -> Integers:
    ends = np.isfinite(seconds)
    return np.where(ends, np.rint(np.where(ends, seconds, 0.0) * _PATIENCE_TICKS_PER_SECOND), _WITHOUT_END).astype(
        np.int64
    )
