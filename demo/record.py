"""What happened during the replay, as plain values that the report is drawn from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """A partition in use: ``slices`` compute slices from memory slice ``start`` of ``gpu``."""

    gpu: str
    start: int
    profile: str
    service: str


def gpu_share(profile: str) -> float:
    """Compute slices over the seven of a whole GPU, read from the profile's name (3g.40gb has three)."""
    return int(profile.split("g.", 1)[0]) / 7


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the cluster. ``held``, ``replicas`` and ``ready`` by service.

    ``held`` are the GPUs that its pods hold, which any cluster tells; ``partitions`` are where on them, which only DRA
    tells: a device plugin keeps it to itself.
    """

    at_seconds: float
    partitions: tuple[Partition, ...]
    held: Mapping[str, float]
    replicas: Mapping[str, int]
    ready: Mapping[str, int]


@dataclass(frozen=True, slots=True, order=True)
class Decided:
    at_seconds: float
    service: str
    action: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """A time series: Unix seconds and values, gaps left out."""

    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """``forecast`` by quantile, at the time that it was made *for*; ``offered`` and ``served`` in requests/s."""

    name: str
    slo: str
    objective: float
    attainment: float
    sent: int
    failed: int
    offered: Line
    served: Line
    attained: Line
    forecast: Mapping[float, Line] = field(default_factory=dict)
    static_share: float = 0.0
    """GPUs that static provisioning for the peak would hold all day."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of the intent's life, for the time axis."""

    at_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    started_at_seconds: float
    ended_at_seconds: float
    compression: float
    trace: str
    services: tuple[ServiceRecord, ...]
    samples: tuple[Sample, ...]
    decisions: tuple[Decided, ...]
    moments: tuple[Moment, ...]
    intent: Mapping[str, object]
    gpus: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)

    def gpu_hours(self, *services: str) -> float:
        """GPU-hours of the replayed day (a second of the demo stands for ``compression`` seconds).

        Not a number where no two looks at the cluster succeeded: nothing was seen, which is not nothing held.
        """
        looks = self._within()
        if len(looks) < 2:
            return math.nan
        held = sum(
            (after.at_seconds - before.at_seconds)
            * sum(share for name, share in before.held.items() if not services or name in services)
            for before, after in pairwise(looks)
        )
        return held * self.compression / 3600

    def static_gpu_hours(self) -> float:
        duration = self.ended_at_seconds - self.started_at_seconds
        return sum(s.static_share for s in self.services) * duration * self.compression / 3600

    def cost(self) -> str:
        """GPU-hours against static provisioning, in words."""
        held, static = self.gpu_hours(), self.static_gpu_hours()
        share = f" ({held / static:.0%})" if static else ""
        return f"{held:.1f} GPU-hours against {static:.1f} of static provisioning for the peak{share}"

    def _within(self) -> list[Sample]:
        return [s for s in self.samples if self.started_at_seconds <= s.at_seconds <= self.ended_at_seconds]
