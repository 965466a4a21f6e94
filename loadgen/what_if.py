"""Transforms that make another story of a trace: other gaps, other days, another hour, a crowd."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import Floats, RateSeries, RequestTrace
from loadgen.transforms import DAY_SECONDS, AnyTrace, positive

GapMode = Literal["keep", "bridge", "zero", "close"]
_NEEDS_RATES = "{}: holds requests, and {} works on rates; give a series of rates"


@dataclass(frozen=True, slots=True)
class Splice:
    """Parts of the trace, one after the other: pairs of offsets in seconds from its start."""

    parts: Sequence[tuple[float, float]]

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        start = trace.from_seconds
        return _in_a_row([trace.cut(start + since, start + until) for since, until in self.parts])


@dataclass(frozen=True, slots=True)
class Append:
    """Another trace of the same form after this one."""

    other: RateSeries | RequestTrace

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        return _in_a_row([trace, _alike(trace, self.other)])


@dataclass(frozen=True, slots=True)
class Superpose:
    """Another trace of the same form on top of this one, from its start."""

    other: RateSeries | RequestTrace

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        other = _alike(trace, self.other)
        return trace.added(other.moved(trace.from_seconds - other.from_seconds))


@dataclass(frozen=True, slots=True)
class Shift:
    """Move the load by so many seconds to later (below 0: to earlier); what leaves the end comes in at the start.

    A region in another time zone is the same days, shifted.
    """

    seconds: float

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        turn = trace.until_seconds - self.seconds % (trace.until_seconds - trace.from_seconds)
        if not trace.from_seconds < turn < trace.until_seconds:
            return trace
        halves = [trace.cut(turn, trace.until_seconds), trace.cut(trace.from_seconds, turn)]
        return _in_a_row(halves, trace.from_seconds)


@dataclass(frozen=True, slots=True)
class FlashCrowd:
    """``times`` as much load for ``lasting_seconds`` from ``at_seconds`` after the start."""

    at_seconds: float
    lasting_seconds: float
    times: float

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        since = trace.from_seconds + self.at_seconds
        crowd = trace.cut(since, min(since + positive("flash crowd", self.lasting_seconds), trace.until_seconds))
        if not self.times > 1:
            raise BadLoadInput(f"flash crowd: {self.times:g} times the load is no crowd; give more than 1")
        return trace.added(crowd.scaled(self.times - 1, random))


@dataclass(frozen=True, slots=True)
class BootstrapDays:
    """``days`` whole days drawn with replacement: what other weeks of the same days could have been.

    A block bootstrap (Kuensch 1989, The Annals of Statistics 17) whose block is a day, so that its hours stay together.
    """

    days: int

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        whole = int((trace.until_seconds - trace.from_seconds + 1e-6) // DAY_SECONDS)
        if whole < 1 or self.days < 1:
            raise BadLoadInput(f"bootstrap: {self.days} days from {whole} whole ones of {trace.source}; 1 is the least")
        starts = trace.from_seconds + DAY_SECONDS * random.integers(0, whole, self.days)
        return _in_a_row([trace.cut(start, start + DAY_SECONDS) for start in starts.tolist()], trace.from_seconds)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What to make of missing time: keep it, bridge it by a straight line, take it for zero, or close it up.

    A request trace has none: where nothing is recorded, nothing was asked.
    """

    mode: GapMode

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        if isinstance(trace, RequestTrace) or self.mode == "keep" or trace.gap_seconds <= 0:
            return trace
        return _closed(trace) if self.mode == "close" else _filled(trace, bridge=self.mode == "bridge")


@dataclass(frozen=True, slots=True)
class Average:
    """Means over steps of so many seconds, each over its known time only; a step with none stays missing."""

    seconds: float

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        if isinstance(trace, RequestTrace):
            raise BadLoadInput(_NEEDS_RATES.format(trace.source, "average"))
        return _averaged(trace, positive("average", self.seconds))


@dataclass(frozen=True, slots=True)
class Normalise:
    """Rates from 0 (the least) to 1 (the most), as the min-max normalisation of workload studies does."""

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        if isinstance(trace, RequestTrace):
            raise BadLoadInput(_NEEDS_RATES.format(trace.source, "normalise"))
        if not (span := float(np.ptp(trace.rps))):
            raise BadLoadInput(
                f"{trace.source}: a flat series cannot be normalised; all its values are {trace.rps[0]:g}"
            )
        return replace(trace, rps=(trace.rps - trace.rps.min()) / span)


def _in_a_row(parts: Sequence[AnyTrace], from_seconds: float | None = None) -> AnyTrace:
    joined, *rest = parts
    joined = joined.moved((joined.from_seconds if from_seconds is None else from_seconds) - joined.from_seconds)
    for part in rest:
        joined = joined.added(part.moved(joined.until_seconds - part.from_seconds))  # type: ignore[arg-type]
    return joined


def _alike(trace: AnyTrace, other: RateSeries | RequestTrace) -> AnyTrace:
    if type(other) is not type(trace):
        raise BadLoadInput(f"{other.source} and {trace.source}: requests and rates do not add up; give two of one form")
    return other


def _averaged(series: RateSeries, seconds: float) -> RateSeries:
    count = max(1, int(np.ceil((series.until_seconds - series.from_seconds) / seconds - 1e-9)))
    edges = np.minimum(series.from_seconds + seconds * np.arange(count + 1), series.until_seconds)
    known = np.diff(series.known_seconds_until(edges))
    some = known > 0
    means = np.diff(series.counted_until(edges))[some] / known[some]
    return replace(series, starts=edges[:-1][some], ends=edges[1:][some], rps=means)


def _holes(series: RateSeries) -> tuple[Floats, Floats, Floats, Floats]:
    """Return where each gap begins and ends, and the rates on its two sides; at an end of the series, the inner one."""
    begins = np.concatenate([[series.from_seconds], series.ends])
    ends = np.concatenate([series.starts, [series.until_seconds]])
    before, after = np.concatenate([series.rps[:1], series.rps]), np.concatenate([series.rps, series.rps[-1:]])
    hole = ends - begins > 0
    return begins[hole], ends[hole], before[hole], after[hole]


def _filled(series: RateSeries, *, bridge: bool) -> RateSeries:
    step = float(np.median(series.ends - series.starts))
    starts, ends, rps = [series.starts], [series.ends], [series.rps]
    for begin, end, before, after in zip(*(column.tolist() for column in _holes(series)), strict=True):
        edges = np.linspace(begin, end, max(1, round((end - begin) / step)) + 1)
        middles = (edges[:-1] + edges[1:]) / 2
        starts, ends = [*starts, edges[:-1]], [*ends, edges[1:]]
        rps = [*rps, np.interp(middles, [begin, end], [before, after]) if bridge else np.zeros(len(middles))]
    order = np.argsort(np.concatenate(starts), kind="stable")
    filled = [np.concatenate(column)[order] for column in (starts, ends, rps)]
    return replace(series, starts=filled[0], ends=filled[1], rps=filled[2])


def _closed(series: RateSeries) -> RateSeries:
    lengths = series.ends - series.starts
    ends = series.from_seconds + np.cumsum(lengths)
    return replace(series, starts=ends - lengths, ends=ends, until_seconds=float(ends[-1]))
