"""The service level objective, shared by InferenceService and TrafficReplay."""

from typing import Annotated

from pydantic import Field

from cynosure.api.metadata import keyed
from cynosure.api.part import Part, rule
from cynosure.api.scalars import Percent, Percentile
from cynosure.model.service import Metric


class SloTarget(Part):
    """``percentile`` per cent of the requests take at most ``milliseconds``."""

    metric: Metric
    """ttft: time to first token; tpot: time per output token; e2e: the whole request."""
    percentile: Percentile
    """Share of the requests, in per cent, that must meet the target."""
    milliseconds: Annotated[int, Field(ge=1, le=86_400_000)]
    """The longest time that meets it."""


class BatchJob(Part):
    """Work with a deadline instead of a latency."""

    images: Annotated[int, Field(ge=1, le=10**12)]
    """How many images are to be classified."""
    deadline_seconds: Annotated[int, Field(ge=1, le=31_622_400)]
    """From the creation of the object."""


class Slo(Part):
    """Latency targets for a service that answers, or a deadline for a job; never both."""

    targets: Annotated[tuple[SloTarget, ...], Field(max_length=9, json_schema_extra=keyed("metric", "percentile"))] = ()
    """All of them must be met."""
    error_rate_percent: Percent | None = None
    """Most requests that may fail, in per cent."""
    batch: BatchJob | None = None
    """A job with a deadline, instead of targets."""

    @rule(
        "(size(self.targets) > 0) != has(self.batch)",
        "slo: got both or neither of targets and batch; limit: exactly one;"
        " use targets: [{{metric: ttft, percentile: 95, milliseconds: 400}}], or batch",
    )
    def targets_or_batch(self) -> bool:
        return bool(self.targets) != (self.batch is not None)
