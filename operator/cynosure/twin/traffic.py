"""Requests in chunks, so that memory does not grow with the trace; the same ones for every policy."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.engine import Arrivals
from cynosure.twin.tally import Integers
from loadgen.arrivals import arrival_seconds
from loadgen.tokens import TokenLengths, TraceTokens
from loadgen.trace import RateSeries, RequestTrace

_CHUNK: Final = 1 << 18
"""Requests, about."""
_ARRIVALS, _HISTORY = range(2)
"""Streams of random numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """A trace whose times count from ``trace.from_seconds``. ``tokens`` None: the trace's own lengths, or images."""

    trace: RequestTrace | RateSeries
    tokens: TokenLengths | None
    seed: int

    @property
    def seconds(self) -> float:
        return self.trace.until_seconds - self.trace.from_seconds

    @property
    def peak_rps(self) -> float:
        """Largest mean over a minute."""
        return self.trace.peak_rps(60.0)

    @property
    def first_rps(self) -> float:
        """Mean over the first minute, or all of it if it is shorter."""
        minute = min(60.0, self.seconds)
        if isinstance(self.trace, RequestTrace):
            return float(np.searchsorted(self.trace.at_seconds, self.trace.from_seconds + minute)) / minute
        return float(self.trace.counted_until(np.array([self.trace.from_seconds + minute]))[0]) / minute

    @property
    def lengths(self) -> TokenLengths | None:
        """What lengths are drawn from; None for images."""
        if self.tokens is None and isinstance(self.trace, RequestTrace):
            return TraceTokens(self.trace)
        return self.tokens

    def cut(self, from_seconds: float, until_seconds: float) -> "Traffic":
        """Return a part of it, by times from its start."""
        begin = self.trace.from_seconds
        return replace(self, trace=self.trace.cut(begin + from_seconds, begin + until_seconds))

    def chunks(self) -> Iterator[Arrivals]:
        """Each chunk draws from a stream of its own, so that it depends on the seed alone."""
        for n, part in enumerate(self._parts()):
            random = np.random.default_rng([self.seed, _ARRIVALS, n])
            at = part.at_seconds if isinstance(part, RequestTrace) else _drawn(part, random)
            inputs, outputs = self._lengths(part, len(at), random)
            yield Arrivals(at - self.trace.from_seconds, inputs, outputs, random.random(len(at)))

    def rates(self, step_seconds: float) -> Floats:
        """Return the requests/s of each whole step counted back from the end, NaN where more than half is missing."""
        steps = int(self.seconds / step_seconds + 1e-9)
        edges = self.trace.until_seconds - step_seconds * np.arange(steps, -1, -1.0)
        if isinstance(self.trace, RequestTrace):
            return np.histogram(self.trace.at_seconds, edges)[0] / step_seconds
        random = np.random.default_rng([self.seed, _HISTORY])
        counts = random.poisson(np.maximum(np.diff(self.trace.counted_until(edges)), 0.0))
        known = np.diff(self.trace.known_seconds_until(edges))
        return np.where(known >= step_seconds / 2, counts / np.maximum(known, 1e-9), np.nan)

    def mean_tokens(self) -> tuple[float, float]:
        """Mean input and output tokens of a request; 1 and 1 for images."""
        if self.tokens is None and isinstance(self.trace, RequestTrace):
            inputs, outputs = self.trace.input_tokens, self.trace.output_tokens
        else:
            inputs, outputs = self._lengths(self.trace, _CHUNK, np.random.default_rng([self.seed, _HISTORY]))
        return float(np.maximum(inputs, 1).mean()), float(np.maximum(outputs, 1).mean())

    def _parts(self) -> Iterator[RequestTrace | RateSeries]:
        trace = self.trace
        if isinstance(trace, RequestTrace):
            for first in range(0, len(trace.at_seconds), _CHUNK):
                yield trace.chosen(np.arange(first, min(first + _CHUNK, len(trace.at_seconds))))
            return
        known = np.column_stack([trace.starts, trace.ends]).ravel()
        counted = trace.counted_until(known)
        edges = [trace.from_seconds, *np.interp(np.arange(_CHUNK, counted[-1], _CHUNK), counted, known)]
        edges.append(trace.until_seconds)
        for begin, end in pairwise(edges):
            inside = (trace.starts < end) & (trace.ends > begin)
            if np.any(trace.rps[inside] > 0):
                yield trace.cut(begin, end)

    def _lengths(
        self, part: RequestTrace | RateSeries, count: int, random: np.random.Generator
    ) -> tuple[Integers, Integers]:
        if self.tokens is not None:
            inputs, outputs = self.tokens.draw(count, random)
        elif isinstance(part, RequestTrace):
            inputs, outputs = part.input_tokens, part.output_tokens
        else:
            inputs = outputs = np.ones(count, np.int64)
        return np.maximum(inputs, 1), np.maximum(outputs, 1)


def _drawn(part: RateSeries, random: np.random.Generator) -> Floats:
    return arrival_seconds(part, "poisson", 1.0, random)
