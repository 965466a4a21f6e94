"""What the operator sees at one instant, as a vector of fixed length for those who train policies."""

from collections.abc import Iterator
from math import isfinite, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cynosure.model.forecast import Forecast
from cynosure.model.service import Target
from cynosure.twin.port import Seen, Setting, Window, mean

Vector = NDArray[np.float32]

ABSENT: Final = -1.0
"""What was not measured, or cannot be known yet: never zero."""
HIGHEST: Final = 1e6
"""Larger values are cut to it."""
SURGE_SECONDS: Final = 30.0
_DAY_SECONDS: Final = 86_400.0
_LEVELS: Final = (0.5, 0.9)


def names(setting: Setting) -> tuple[str, ...]:
    """Of the entries, in order, with their units; see ``Window`` for what is measured how."""
    return (
        "ready_replicas",
        "starting_replicas",
        "wanted_replicas",
        "partition",  # its index in the setting's partitions
        "arrival_rps",  # mean of the last minute
        "surge_rps",  # mean of the last half minute
        "input_tokens",  # mean of a request
        "output_tokens",
        "running_requests",  # all replicas, mean of the last minute
        "waiting_requests",
        "kv_usage",  # mean of the replicas, 0 to 1
        "busy",
        *(f"{t.metric}_p{t.percentile:g}_over_target" for t in setting.targets),  # measured percentile / target
        *(f"forecast_p{100 * level:g}_rps" for level in _LEVELS),  # largest until a replica wanted now is ready
        *(f"forecast_p{100 * level:g}_horizon_rps" for level in _LEVELS),  # largest of the whole horizon
        "day_sine",  # of the time of day, UTC, moved to 0 to 1 as the cosine is
        "day_cosine",
    )


def vector(seen: Seen, setting: Setting, forecast: Forecast | None, start_seconds: float) -> Vector:
    """Return the entries of ``names``, ``ABSENT`` where there is none; ``start_seconds`` is when time 0 was."""
    now = start_seconds + seen.now_seconds
    surge = seen.look(SURGE_SECONDS)
    angle = 2 * pi * (now % _DAY_SECONDS) / _DAY_SECONDS
    values = [
        float(seen.ready),
        float(seen.starting),
        float(seen.replicas),
        float(setting.partitions.index(seen.partition)),
        *_measured(seen.window, surge, setting.targets),
        *_forecast(forecast, now, setting.lead_time_seconds),
        (1 + np.sin(angle)) / 2,
        (1 + np.cos(angle)) / 2,
    ]
    return np.array([min(value, HIGHEST) if isfinite(value) else ABSENT for value in values], np.float32)


def _measured(window: Window | None, surge: Window | None, targets: tuple[Target, ...]) -> Iterator[float]:
    if window is None:
        yield from [ABSENT] * (8 + len(targets))
        return
    yield window.arrival_rps
    yield surge.arrival_rps if surge else ABSENT
    yield window.input_tokens
    yield window.output_tokens
    yield float(window.running.sum())
    yield float(window.waiting.sum())
    yield mean(window.kv_usage)
    yield mean(window.busy)
    yield from (window.latency_milliseconds[target] / target.milliseconds for target in targets)


def _forecast(forecast: Forecast | None, now: float, lead_time_seconds: float) -> Iterator[float]:
    if forecast is None:
        yield from [ABSENT] * (2 * len(_LEVELS))
        return
    horizon = forecast.step_seconds * len(forecast.values)
    for until in (now + lead_time_seconds, forecast.made_at_seconds + horizon):
        yield from (forecast.peak_rps(level, now, until) for level in _LEVELS)
