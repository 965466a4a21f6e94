"""When which request is sent: what every engine plays, and what travels to a Job."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Self

import numpy as np

from loadgen.columns import MOST_ROWS, decode, encode
from loadgen.errors import BadLoadInput
from loadgen.trace import Floats, Integers

LONGEST_SECONDS = 86_400.0
_TICKS_PER_SECOND = 10_000
"""Send times are whole tenths of a millisecond: finer than any client sends, and two bytes a request shorter."""


class Kind(IntEnum):
    """What a request asks for."""

    COMPLETION = 0
    CLASSIFICATION = 1


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Requests in order of their send time, counted from the common start; the four arrays have the same length.

    ``provenance`` says where they come from (trace, transforms, arrivals, seed) and travels along to the report.
    """

    send_at_seconds: Floats
    input_tokens: Integers
    output_tokens: Integers
    kind: Integers
    duration_seconds: float
    provenance: Mapping[str, Any] = field(default_factory=dict)

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
        every = slice(index, None, count)
        return replace(
            self,
            send_at_seconds=self.send_at_seconds[every],
            input_tokens=self.input_tokens[every],
            output_tokens=self.output_tokens[every],
            kind=self.kind[every],
        )

    def to_bytes(self) -> bytes:
        columns = {
            "send_at_ticks": np.rint(self.send_at_seconds * _TICKS_PER_SECOND).astype(np.int64),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "kind": self.kind,
        }
        return encode(columns, {"duration_seconds": self.duration_seconds, "provenance": self.provenance})

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Self:
        columns, meta = decode(data, source)
        try:
            at, kind = columns["send_at_ticks"] / _TICKS_PER_SECOND, columns["kind"]
            lengths = columns["input_tokens"], columns["output_tokens"]
            duration, provenance = float(meta["duration_seconds"]), dict(meta["provenance"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadLoadInput(f"{source}: no schedule ({error} is missing or of another kind)") from None
        if not len(at) or at[0] < 0 or np.any(np.diff(at) < 0) or not np.isin(kind, list(Kind)).all():
            raise BadLoadInput(
                f"{source}: no schedule (empty, not in order of time, or of unknown kinds); make it again"
            )
        return cls.of(at, *lengths, kind, duration, provenance)
