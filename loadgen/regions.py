"""Users of several regions, who have the same day at different hours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import RateSeries, RequestTrace
from loadgen.transforms import DAY_SECONDS, AnyTrace
from loadgen.what_if import Shift

_HOUR_SECONDS = 3600.0
_EARLIEST, _LATEST = -12.0, 14.0


@dataclass(frozen=True, slots=True)
class Region:
    """``weight`` over the sum of all is its share of the load; its clocks are ``utc_offset_hours`` ahead of UTC."""

    weight: float
    utc_offset_hours: float

    def __post_init__(self) -> None:
        if not (0 < self.weight < np.inf and _EARLIEST <= self.utc_offset_hours <= _LATEST):
            raise BadLoadInput(
                f"regions: weight {self.weight:g} at UTC{self.utc_offset_hours:+g} cannot be; a weight above 0 and "
                f"{_EARLIEST:g} to {_LATEST:g} hours work, as in 50:1+30:-5+20:8"
            )


@dataclass(frozen=True, slots=True)
class Regions:
    """Divide the load among regions that all have the daily shape of the trace, by their own clocks, and add them up.

    The trace is taken for local time: the more a region is ahead of UTC, the earlier its load comes, and what leaves
    the start comes in at the end. Each request goes to one region, so that none is lost. Before time is compressed.
    """

    regions: Sequence[Region]

    def apply(self, trace: AnyTrace, random: np.random.Generator) -> AnyTrace:
        span = trace.until_seconds - trace.from_seconds
        if span < DAY_SECONDS * (1 - 1e-9):
            raise BadLoadInput(
                f"regions: {trace.source} lasts {span:g} s here, and a day is the least that has hours to be apart; "
                f"give more of it, and compress it afterwards"
            )
        if isinstance(trace, RequestTrace):
            return _divided(trace, self.regions, random)
        return _added(trace, self.regions, random)


def _shares(regions: Sequence[Region]) -> list[float]:
    total = sum(region.weight for region in regions)
    return [region.weight / total for region in regions]


def _divided(trace: RequestTrace, regions: Sequence[Region], random: np.random.Generator) -> RequestTrace:
    where = random.choice(len(regions), len(trace.at_seconds), p=_shares(regions))
    ahead = _HOUR_SECONDS * np.array([region.utc_offset_hours for region in regions])[where]
    span = trace.until_seconds - trace.from_seconds
    at = trace.from_seconds + np.mod(trace.at_seconds - trace.from_seconds - ahead, span)
    return replace(trace, at_seconds=at).chosen(np.argsort(at, kind="stable"))


def _added(trace: RateSeries, regions: Sequence[Region], random: np.random.Generator) -> RateSeries:
    first, *rest = (
        Shift(-_HOUR_SECONDS * region.utc_offset_hours).apply(trace, random).scaled(share, random)
        for region, share in zip(regions, _shares(regions), strict=True)
    )
    for each in rest:
        first = first.added(each)
    return first
