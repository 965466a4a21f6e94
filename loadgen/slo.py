"""What a replay is judged by: a limit on a latency percentile, for one or more latencies."""

import re
from dataclasses import dataclass
from typing import Literal, Self, get_args

from loadgen.errors import BadLoadInput

Metric = Literal["ttft", "tpot", "e2e"]
_TARGET = re.compile(r"(?P<metric>[a-z0-9]+)_p(?P<percentile>\d{1,2}(?:\.\d+)?)_ms\s*=\s*(?P<limit>\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class SloTarget:
    """At least ``percentile`` % of all offered requests stay within ``limit_milliseconds``."""

    metric: Metric
    percentile: float
    limit_milliseconds: float

    def __str__(self) -> str:
        return f"{self.metric}_p{self.percentile:.10g}_ms={self.limit_milliseconds:.10g}"


@dataclass(frozen=True, slots=True)
class Slo:
    """Targets that a request must all meet to count as attained; with none, a request must only succeed."""

    targets: tuple[SloTarget, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``ttft_p95_ms=400,tpot_p95_ms=40,e2e_p99_ms=8000``; BadLoadInput names the part that is not so."""
        return cls(tuple(_target(part.strip()) for part in text.split(",") if part.strip()))

    def __str__(self) -> str:
        return ",".join(map(str, self.targets))


def _target(text: str) -> SloTarget:
    found = _TARGET.fullmatch(text)
    metrics = get_args(Metric)
    if not found or found["metric"] not in metrics:
        raise BadLoadInput(
            f"slo: {text!r} is no target; write METRIC_pNN_ms=LIMIT such as ttft_p95_ms=400, METRIC one of "
            f"{', '.join(metrics)}"
        )
    percentile, limit = float(found["percentile"]), float(found["limit"])
    if percentile <= 0 or limit <= 0:
        raise BadLoadInput(f"slo: {text!r} has a percentile or a limit of 0; both must be above it")
    return SloTarget(found["metric"], percentile, limit)  # type: ignore[arg-type]
