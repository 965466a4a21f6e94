"""What the metrics say, or why they say nothing. Absence is never zero."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cynosure.model.service import Target

Floats = NDArray[np.float64]


class AbsenceReason(StrEnum):
    """Also the reasons of the condition MetricsAvailable=False."""

    MISSING = "MetricsMissing"
    STALE = "MetricsStale"
    NAN = "MetricsNaN"
    ERROR = "PrometheusError"


@dataclass(frozen=True, slots=True)
class Reading:
    """A finite value, when it was measured (Unix seconds), and the query or object that it came from."""

    value: float
    at_seconds: float
    origin: str


@dataclass(frozen=True, slots=True)
class Absent:
    reason: AbsenceReason
    message: str


Signal = Reading | Absent


@dataclass(frozen=True, slots=True)
class Attained:
    """Of the requests that finished over the budget window, how many were ``within`` the target."""

    target: Target
    requests: float
    within: float


@dataclass(frozen=True, slots=True)
class Load:
    """The present load of one service, over the last rate window."""

    arrival_rps: Signal
    input_tokens: Signal
    """Mean input tokens per request."""
    output_tokens: Signal
    """Mean output tokens per request."""
    running: Signal
    """Requests in execution, all replicas."""
    waiting: Signal
    """Requests in the engines' queues, all replicas."""
    latency: tuple[tuple[Target, Signal], ...] = ()
    """For each target its measured percentile, in milliseconds."""
    surge_rps: Signal = Absent(AbsenceReason.MISSING, "not asked for")
    """Arrivals over a shorter window, which sees a jump sooner; absent where scrapes are farther apart."""
    attained: tuple[Attained, ...] = ()
    """Of the targets whose past is known; the window is long, normally a day."""

    @property
    def absent(self) -> Absent | None:
        """The first reason why sizing cannot trust this load; None when every sizing signal is there."""
        needed = (self.arrival_rps, self.input_tokens, self.output_tokens, self.running, self.waiting)
        return next((signal for signal in needed if isinstance(signal, Absent)), None)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """An irregular, gappy history: ``times`` in Unix seconds, rising; ``values`` finite; gaps are just gaps."""

    times: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.times)

    @property
    def median_step_seconds(self) -> float:
        """The usual distance of two different times; the series must have at least two."""
        return float(np.median(np.diff(np.unique(self.times))))
