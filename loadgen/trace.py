"""The two forms of a trace: single requests, and rates with gaps. Times are seconds (Unix time for calendar stamps)."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from loadgen.errors import BadLoadInput

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PEAK_WINDOW_SECONDS = 60.0
REQUESTS = "requests/s"
"""The unit of most series; what counts in another is a shape to scale, and no number of requests."""

MOST_REQUESTS = 50_000_000
"""More than this are not made by scaling: it is twice what the largest published week holds."""

_GAP = 1.5
"""A step of more than this many median steps is a gap: the last value holds for one median step only."""

_STRATUM = 64
_COPY_SHIFT_SECONDS = 1.0


class Trace(Protocol):
    """What the transforms ask of either form; each method returns a new trace of the same form."""

    @property
    def from_seconds(self) -> float: ...
    @property
    def until_seconds(self) -> float: ...
    def cut(self, from_seconds: float, until_seconds: float) -> Self: ...
    def moved(self, seconds: float) -> Self: ...
    def added(self, other: Self) -> Self: ...
    def compressed(self, factor: float) -> Self: ...
    def scaled(self, factor: float, random: np.random.Generator) -> Self: ...
    def peak_rps(self, window_seconds: float) -> float: ...


@dataclass(frozen=True, slots=True)
class RateSeries:
    """Requests per second, constant within each segment [start, end).

    Segments are sorted and do not overlap; time that none of them covers is missing, which is not the same as a rate
    of zero: nothing is offered there, and nothing there counts as known. ``unit`` is another one than requests where
    the file holds another load; ``cv`` is the coefficient of variation of the intervals between requests, where the
    file tells it; ``notes`` say what the reader had to assume.
    """

    starts: Floats
    ends: Floats
    rps: Floats
    from_seconds: float
    until_seconds: float
    source: str
    unit: str = REQUESTS
    cv: float | None = None
    notes: tuple[str, ...] = ()

    def at(self, seconds: Floats | float) -> Floats:
        """Return the rate at the given times, NaN where it is missing; the shape is that of ``seconds``."""
        times = np.asarray(seconds, dtype=np.float64)
        index = np.searchsorted(self.starts, times, side="right") - 1
        known = (index >= 0) & (times < self.ends[index])
        return np.where(known, self.rps[index], np.nan)

    def counted_until(self, seconds: Floats) -> Floats:
        """Return the expected number of requests from the start of the series to each of the given times."""
        edges = np.column_stack([self.starts, self.ends]).ravel()
        counts = self.rps * (self.ends - self.starts)
        totals = np.cumsum(counts)
        return np.interp(seconds, edges, np.column_stack([totals - counts, totals]).ravel())

    def known_seconds_until(self, seconds: Floats) -> Floats:
        return replace(self, rps=np.ones_like(self.rps)).counted_until(seconds)

    @property
    def gap_seconds(self) -> float:
        return float(self.until_seconds - self.from_seconds - np.sum(self.ends - self.starts))

    def cut(self, from_seconds: float, until_seconds: float) -> Self:
        starts, ends = np.maximum(self.starts, from_seconds), np.minimum(self.ends, until_seconds)
        inside = starts < ends
        if not inside.any():
            raise BadLoadInput(_outside(self, from_seconds, until_seconds))
        return replace(
            self,
            starts=starts[inside],
            ends=ends[inside],
            rps=self.rps[inside],
            from_seconds=from_seconds,
            until_seconds=until_seconds,
        )

    def moved(self, seconds: float) -> Self:
        return replace(
            self,
            starts=self.starts + seconds,
            ends=self.ends + seconds,
            from_seconds=self.from_seconds + seconds,
            until_seconds=self.until_seconds + seconds,
        )

    def added(self, other: Self) -> Self:
        """Return the sum: missing where either is missing within its span; beyond one's span, the other alone."""
        spans = [self.from_seconds, self.until_seconds, other.from_seconds, other.until_seconds]
        edges = np.unique(np.concatenate([self.starts, self.ends, other.starts, other.ends, spans]))
        middles = (edges[:-1] + edges[1:]) / 2
        inside = [(t.from_seconds <= middles) & (middles < t.until_seconds) for t in (self, other)]
        rps = np.where(inside[0], self.at(middles), 0.0) + np.where(inside[1], other.at(middles), 0.0)
        known = ~np.isnan(rps) & (inside[0] | inside[1])
        starts, ends = edges[:-1][known], edges[1:][known]
        return replace(
            self, starts=starts, ends=ends, rps=rps[known], from_seconds=min(spans), until_seconds=max(spans)
        )

    def compressed(self, factor: float) -> Self:
        """Play the same requests in 1/factor of the time, so at factor times the rate."""
        return replace(
            self,
            starts=self.starts / factor,
            ends=self.ends / factor,
            rps=self.rps * factor,
            from_seconds=self.from_seconds / factor,
            until_seconds=self.until_seconds / factor,
        )

    def scaled(self, factor: float, random: np.random.Generator) -> Self:
        del random  # a rate is scaled exactly
        return replace(self, rps=self.rps * factor)

    def peak_rps(self, window_seconds: float) -> float:
        """Return the largest mean over consecutive windows from the start, each over its known time only."""
        edges = _windows(self, window_seconds)
        known = np.diff(self.known_seconds_until(edges))
        means = np.diff(self.counted_until(edges))[known > 0] / known[known > 0]
        return float(means.max(initial=0.0))


@dataclass(frozen=True, slots=True)
class RequestTrace:
    """Single requests in order of time; the three arrays have the same length.

    ``has_tokens`` is false where the file knows no token lengths: the two arrays then hold zeros that mean nothing.
    ``notes`` say what the reader had to assume.
    """

    at_seconds: Floats
    input_tokens: Integers
    output_tokens: Integers
    from_seconds: float
    until_seconds: float
    source: str
    has_tokens: bool = True
    notes: tuple[str, ...] = ()

    def chosen(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        return replace(
            self,
            at_seconds=self.at_seconds[index],
            input_tokens=self.input_tokens[index],
            output_tokens=self.output_tokens[index],
        )

    def cut(self, from_seconds: float, until_seconds: float) -> Self:
        inside = (self.at_seconds >= from_seconds) & (self.at_seconds < until_seconds)
        if not inside.any():
            raise BadLoadInput(_outside(self, from_seconds, until_seconds))
        return replace(self.chosen(inside), from_seconds=from_seconds, until_seconds=until_seconds)

    def moved(self, seconds: float) -> Self:
        return replace(
            self,
            at_seconds=self.at_seconds + seconds,
            from_seconds=self.from_seconds + seconds,
            until_seconds=self.until_seconds + seconds,
        )

    def added(self, other: Self) -> Self:
        """Return the requests of both."""
        return replace(
            self._superposed([self, other]),
            from_seconds=min(self.from_seconds, other.from_seconds),
            until_seconds=max(self.until_seconds, other.until_seconds),
            has_tokens=self.has_tokens and other.has_tokens,
        )

    def compressed(self, factor: float) -> Self:
        """Play the same requests in 1/factor of the time, so at factor times the rate."""
        return replace(
            self,
            at_seconds=self.at_seconds / factor,
            from_seconds=self.from_seconds / factor,
            until_seconds=self.until_seconds / factor,
        )

    def scaled(self, factor: float, random: np.random.Generator) -> Self:
        """Superpose whole copies, each shifted by up to a second, and one thinned copy for the rest.

        A shift keeps the intervals within a copy, and so its bursts, but no two requests at the same instant.
        """
        if len(self.at_seconds) * factor > MOST_REQUESTS:
            raise BadLoadInput(
                f"{self.source}: {factor:.3g} times its {len(self.at_seconds)} requests are more than {MOST_REQUESTS}; "
                f"scale it less, or cut it first"
            )
        whole = int(factor)
        copies = [self] if whole else []
        copies += [self._shifted(random) for _ in range(whole - 1)]
        if (share := factor - whole) > 0:
            rest = self._thinned(share, random)
            copies.append(rest._shifted(random) if whole else rest)
        return self._superposed(copies)

    def _shifted(self, random: np.random.Generator) -> Self:
        span = self.until_seconds - self.from_seconds
        shift = random.uniform(-1, 1) * min(_COPY_SHIFT_SECONDS, span / 100)
        at = self.from_seconds + np.mod(self.at_seconds - self.from_seconds + shift, span)
        return replace(self, at_seconds=at)

    def _thinned(self, share: float, random: np.random.Generator) -> Self:
        """Choose at random within strata of consecutive requests, so that a minute's share is nearly exact too."""
        size = len(self.at_seconds)
        strata = -(-size // _STRATUM)
        keys = random.random(strata * _STRATUM)
        keys[size:] = 2.0  # never chosen: beyond the end
        bounds = np.minimum(np.arange(strata + 1) * _STRATUM, size) * share + random.random()
        quotas = np.diff(np.floor(bounds))
        ranks = keys.reshape(strata, _STRATUM).argsort(axis=1).argsort(axis=1)
        return self.chosen((ranks < quotas[:, None]).ravel()[:size])

    def _superposed(self, copies: list[Self]) -> Self:
        at = np.concatenate([copy.at_seconds for copy in copies])
        order = np.argsort(at, kind="stable")
        return replace(
            self,
            at_seconds=at[order],
            input_tokens=np.concatenate([copy.input_tokens for copy in copies])[order],
            output_tokens=np.concatenate([copy.output_tokens for copy in copies])[order],
        )

    def peak_rps(self, window_seconds: float) -> float:
        """Return the largest mean over consecutive windows from the start."""
        edges = _windows(self, window_seconds)
        return float((np.histogram(self.at_seconds, edges)[0] / np.diff(edges)).max())

    def rates(self, bin_seconds: float) -> RateSeries:
        """Return the mean rates in bins; a request trace has no gaps, so an empty bin is a rate of zero."""
        edges = _windows(self, bin_seconds)
        counts = np.histogram(self.at_seconds, edges)[0]
        return RateSeries(
            edges[:-1], edges[1:], counts / np.diff(edges), self.from_seconds, self.until_seconds, self.source
        )


def rate_series(
    at_seconds: Floats,
    rps: Floats,
    source: str,
    *,
    unit: str = REQUESTS,
    cv: float | None = None,
    notes: tuple[str, ...] = (),
) -> RateSeries:
    """Make segments of samples: each holds until the next, or for one median step where the next is missing.

    NaN is a missing sample.
    """
    steps = np.diff(at_seconds)
    step = float(np.median(steps))
    lengths = np.append(np.where(steps > _GAP * step, step, steps), step)
    known = ~np.isnan(rps)
    if not known.any():
        raise BadLoadInput(f"{source}: every value is missing; at least one rate is needed")
    ends = at_seconds + lengths
    span = float(at_seconds[0]), float(ends[-1])
    return RateSeries(at_seconds[known], ends[known], rps[known], *span, source, unit, cv, notes)


def _windows(trace: Trace, window_seconds: float) -> Floats:
    """Return the edges of whole windows from the start; one shorter window if not even one fits.

    What is left at the end joins the last window, since a mean over a sliver says nothing.
    """
    span = trace.until_seconds - trace.from_seconds
    whole = max(1, int(span / window_seconds + 1e-9))
    edges = trace.from_seconds + window_seconds * np.arange(whole + 1, dtype=np.float64)
    edges[-1] = trace.until_seconds
    return edges


def _outside(trace: RateSeries | RequestTrace, from_seconds: float, until_seconds: float) -> str:
    return (
        f"{trace.source}: nothing between {from_seconds:g} s and {until_seconds:g} s; "
        f"it covers {trace.from_seconds:g} s to {trace.until_seconds:g} s"
    )
