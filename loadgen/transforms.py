"""What is done to a trace before it is played: small steps, applied in order and listed in the report."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import PEAK_WINDOW_SECONDS, RateSeries, RequestTrace

DAY_SECONDS = 86_400.0
AnyTrace = TypeVar("AnyTrace", RateSeries, RequestTrace)


class Transform(Protocol):
    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace: ...


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day (UTC) of the trace; the day of its first row is number 0."""

    number: int

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        midnight = (trace.from_seconds // DAY_SECONDS + self.number) * DAY_SECONDS
        if self.number < 0 or not midnight < trace.until_seconds:
            days = int(np.ceil((trace.until_seconds - trace.from_seconds) / DAY_SECONDS))
            raise BadLoadInput(f"day {self.number}: {trace.source} has about {days} days; number 0 is the first")
        return trace.cut(midnight, midnight + DAY_SECONDS)


@dataclass(frozen=True, slots=True)
class Slice:
    """From one offset to another, in seconds from the start of the trace as it is at this step."""

    from_seconds: float
    until_seconds: float

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        start = trace.from_seconds
        return trace.cut(start + self.from_seconds, min(start + self.until_seconds, trace.until_seconds))


@dataclass(frozen=True, slots=True)
class Compress:
    """Play ``factor`` times as fast: the same requests in less time."""

    factor: float

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        return trace.compressed(positive("speedup", self.factor))


@dataclass(frozen=True, slots=True)
class Scale:
    """Offer ``factor`` times as many requests, by superposition and thinning; 0.5 keeps half of them."""

    factor: float

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        return trace.scaled(positive("scale", self.factor), random)


@dataclass(frozen=True, slots=True)
class ScaleToPeak:
    """Scale so that the largest mean over ``window_seconds`` becomes ``rps``.

    Windows are consecutive from the start of the trace as it is at this step: after `Compress` they are seconds of
    replayed time. A trace shorter than the window is one window.
    """

    rps: float
    window_seconds: float = PEAK_WINDOW_SECONDS

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        peak = trace.peak_rps(self.window_seconds)
        if peak <= 0:
            raise BadLoadInput(f"{trace.source}: its peak is 0 requests/s, which no factor scales to {self.rps:g}")
        return trace.scaled(positive("peak rps", self.rps) / peak, random)


def apply_all(trace: AnyTrace, transforms: Iterable[Transform], random: np.random.Generator) -> AnyTrace:
    for transform in transforms:
        trace = transform.apply(trace, random)
    return trace


def described(transforms: Iterable[Transform]) -> list[dict[str, object]]:
    """Say each step as JSON-ready values; a trace that takes part is named by its source."""
    return [{"transform": type(step).__name__, **_arguments(step)} for step in transforms]


def _arguments(step: Transform) -> dict[str, object]:
    values = {field.name: getattr(step, field.name) for field in fields(step)}  # type: ignore[arg-type]
    return {name: _told(value) for name, value in values.items()}


def _told(value: Any) -> object:
    if isinstance(value, tuple):
        return [_told(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type | RateSeries | RequestTrace):
        return asdict(value)
    return getattr(value, "source", value)


def positive(what: str, value: float) -> float:
    if not (value > 0 and np.isfinite(value)):
        raise BadLoadInput(f"{what}: {value:g} is not above 0")
    return value
