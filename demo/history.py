"""The days before the demo, as the metrics that a cluster would have recorded (OpenMetrics text).

``promtool tsdb create-blocks-from openmetrics`` turns the text into blocks that Prometheus serves as its own.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Rate = Callable[[float], float]
"""Requests per second at a Unix time; NaN where the trace has a gap."""


@dataclass(frozen=True, slots=True)
class PastLoad:
    """What one service saw: its request rate, and the mean tokens of a request (0 for images)."""

    namespace: str
    service: str
    model: str
    rate_rps: Rate
    input_tokens: float
    output_tokens: float


def open_metrics(
    loads: Iterable[PastLoad], from_seconds: float, until_seconds: float, step_seconds: float, seed: int
) -> str:
    """Counters of all loads from one Unix time to another, in the order that promtool wants: by family.

    Arrivals in each step are Poisson with the rate of the trace, as the replayed day's are. A step in a gap
    of the trace has no sample.
    """
    times = np.arange(from_seconds, until_seconds, step_seconds)
    counted = [(load, _arrivals(load, times, step_seconds, seed + n)) for n, load in enumerate(loads)]
    lines: list[str] = []
    for family, weight in _FAMILIES:
        lines.append(f"# TYPE {family} counter")
        for load, requests in counted:
            lines.extend(_samples(family, load, times, requests * weight(load)))
    return "\n".join([*lines, "# EOF", ""])


_FAMILIES: tuple[tuple[str, Callable[[PastLoad], float]], ...] = (
    ("cynosure:requests", lambda load: 1.0),
    ("vllm:request_success", lambda load: 1.0),
    ("vllm:prompt_tokens", lambda load: load.input_tokens),
    ("vllm:generation_tokens", lambda load: load.output_tokens),
)


def _arrivals(load: PastLoad, times: np.ndarray, step_seconds: float, seed: int) -> np.ndarray:
    """Return the cumulated requests at each time, NaN in a gap."""
    rates = np.array([load.rate_rps(float(at)) for at in times])
    known = np.isfinite(rates)
    drawn = np.random.default_rng(seed).poisson(np.where(known, rates, 0.0) * step_seconds)
    return np.where(known, np.cumsum(drawn), np.nan)


def _samples(family: str, load: PastLoad, times: np.ndarray, totals: np.ndarray) -> Iterator[str]:
    labels = (
        f'namespace="{load.namespace}",pod="{load.service}-history",service="{load.service}",model_name="{load.model}"'
    )
    for at, total in zip(times, totals, strict=True):
        if np.isfinite(total):
            yield f"{family}_total{{{labels}}} {total:.0f} {at:.3f}"
