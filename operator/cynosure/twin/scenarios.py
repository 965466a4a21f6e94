"""What goes wrong besides the load itself: metrics vanish, traffic stops, the load steps up."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from cynosure.twin.simulation import Experiment
from loadgen.trace import RateSeries, RequestTrace
from loadgen.transforms import apply_all
from loadgen.what_if import FlashCrowd

_VANISH_SECONDS: Final = 300.0
_STEP_FACTOR: Final = 5.0


def metrics_vanish(experiment: Experiment) -> Experiment:
    """No metrics for five minutes in the middle."""
    middle = experiment.traffic.seconds / 2
    return replace(experiment, absent=((middle, middle + _VANISH_SECONDS),))


def traffic_stops(experiment: Experiment) -> Experiment:
    """Nothing comes any more from the middle on."""
    return _with_trace(experiment, _stopped)


def step_up(experiment: Experiment) -> Experiment:
    """Five times the load from the middle on."""

    def stepped(trace: RateSeries | RequestTrace) -> RateSeries | RequestTrace:
        half = (trace.until_seconds - trace.from_seconds) / 2
        random = np.random.default_rng([experiment.traffic.seed, 3])
        return apply_all(trace, [FlashCrowd(half, half, _STEP_FACTOR)], random)  # type: ignore[type-var]

    return _with_trace(experiment, stepped)


SCENARIOS: Mapping[str, Callable[[Experiment], Experiment]] = MappingProxyType(
    {
        "plain": lambda experiment: experiment,
        "metrics-vanish": metrics_vanish,
        "traffic-stops": traffic_stops,
        "step-x5": step_up,
    }
)
"""By the name that ``--scenario`` takes."""


def _with_trace(
    experiment: Experiment, change: Callable[[RateSeries | RequestTrace], RateSeries | RequestTrace]
) -> Experiment:
    traffic = experiment.traffic
    return replace(experiment, traffic=replace(traffic, trace=change(traffic.trace)))


def _stopped(trace: RateSeries | RequestTrace) -> RateSeries | RequestTrace:
    middle = (trace.from_seconds + trace.until_seconds) / 2
    if isinstance(trace, RequestTrace):
        return trace.chosen(trace.at_seconds < middle)
    before, after = trace.cut(trace.from_seconds, middle), trace.cut(middle, trace.until_seconds)
    return before.added(after.scaled(0.0, np.random.default_rng(0)))
