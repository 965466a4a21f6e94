"""Token lengths of requests: drawn from a real trace, or from published quantiles."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from loadgen.trace import Integers, RequestTrace


class TokenLengths(Protocol):
    @property
    def source(self) -> str: ...
    def draw(self, count: int, random: np.random.Generator) -> tuple[Integers, Integers]:
        """Return ``count`` input and ``count`` output lengths."""
        ...


@dataclass(frozen=True, slots=True)
class TraceTokens:
    """Pairs as they occur together in a request trace, drawn with replacement."""

    trace: RequestTrace

    @property
    def source(self) -> str:
        return self.trace.source

    def draw(self, count: int, random: np.random.Generator) -> tuple[Integers, Integers]:
        index = random.integers(0, len(self.trace.at_seconds), count)
        return self.trace.input_tokens[index], self.trace.output_tokens[index]


@dataclass(frozen=True, slots=True)
class QuantileTokens:
    """Lengths between the given quantiles, by linear interpolation; input and output independent."""

    shares: tuple[float, ...]
    input_tokens: tuple[int, ...]
    output_tokens: tuple[int, ...]
    source: str

    def draw(self, count: int, random: np.random.Generator) -> tuple[Integers, Integers]:
        return self._lengths(self.input_tokens, count, random), self._lengths(self.output_tokens, count, random)

    def _lengths(self, quantiles: tuple[int, ...], count: int, random: np.random.Generator) -> Integers:
        return np.rint(np.interp(random.random(count), self.shares, quantiles)).astype(np.int64)
