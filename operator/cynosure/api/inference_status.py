"""What the operator says about an InferenceService."""

from typing import Annotated

from pydantic import Field

from cynosure.api.directive import Directive
from cynosure.api.metadata import ATOMIC, StatusBase, keyed
from cynosure.api.part import Part
from cynosure.api.scalars import (
    Count,
    Currency,
    Fraction,
    Line,
    NonNegative,
    Partition,
    Replicas,
    Seconds,
    Text,
    Time,
    Word,
)
from cynosure.model.plan import Action


class Slot(Part):
    """A partition at its place."""

    gpu: Line
    """UUID of the GPU."""
    start: Annotated[int, Field(ge=0, le=63)]
    """First memory slice."""
    partition: Partition
    """The profile."""
    node: Line = ""
    """Where the GPU is."""
    product: Word = ""
    """What the GPU is."""
    pod: Line = ""
    """Who runs on it; empty while planned."""


class ForecastQuantile(Part):
    """The most load that is expected within the lead time, with a probability."""

    level: Fraction
    """Probability that the load stays at or below."""
    rps: NonNegative
    """Requests per second."""


class ForecastStatus(Part):
    """What is expected, and how far that can be trusted."""

    method: Word
    """The method that won the back-test."""
    made_at: Time
    """When the forecast was made."""
    horizon_seconds: Seconds
    """How far it looks ahead."""
    history_seconds: Count
    """How much past there was to learn from."""
    wanted_history_seconds: Count = 0
    """How much the seasonal method needs."""
    backtest_wape: NonNegative | None = None
    """Weighted absolute percentage error on the held-out end of the history, as a fraction."""
    backtest_coverage: NonNegative | None = None
    """Share of that end at or below its quantile 0.9, as a fraction."""
    quantiles: Annotated[tuple[ForecastQuantile, ...], Field(max_length=16, json_schema_extra=keyed("level"))] = ()
    """The peak within the lead time, by probability."""


class OptionStatus(Part):
    """A way to serve the load, and what it gives."""

    partition: Partition
    """The profile of every replica."""
    gpu_product: Word = ""
    """The GPU that it is on."""
    replicas: Replicas
    """How many."""
    batch: Count = 0
    """Requests, or images, worked on together."""
    capacity_rps: NonNegative | None = None
    """Requests per second that it serves within the SLO."""
    gpu_share: NonNegative | None = None
    """GPUs in use, as compute slices over the slices of a whole one."""
    watts: NonNegative | None = None
    """Expected power."""
    cost_per_hour: NonNegative | None = None
    """Expected price."""
    attainment: Fraction | None = None
    """Expected share of the requests within the SLO."""


class DecisionInput(Part):
    """A number that a decision rests on."""

    name: Word
    """With its unit, such as forecast_rps."""
    value: Word
    """Rounded for reading."""


class DecisionStatus(Part):
    """What was decided, and why."""

    action: Action
    """What changes."""
    option: OptionStatus
    """What was chosen."""
    runner_up: OptionStatus | None = None
    """The next best."""
    reason: Word
    """A documented constant."""
    message: Text = ""
    """The same for people."""
    made_at: Time
    """When it was decided."""
    inputs: Annotated[tuple[DecisionInput, ...], Field(max_length=24, json_schema_extra=ATOMIC)] = ()
    """What it rests on."""
    dry: bool = False
    """Shown only; nothing was changed (Advisory, Paused, or stopped)."""
    own_replicas: Replicas | None = None
    """While a replica moves: how many stay when it is over. Absent without a move."""


class Spend(Part):
    """What the service has used since ``since``."""

    since: Time
    """When counting began."""
    gpu_hours: NonNegative
    """Compute slices over the slices of a whole GPU, times hours."""
    cost: NonNegative | None = None
    """In ``currency``; absent where no price is known."""
    currency: Currency | None = None
    """Of ``cost`` and ``costPerHour``."""
    cost_per_hour: NonNegative | None = None
    """Of what runs now."""
    energy_kilowatt_hours: NonNegative | None = None
    """Absent where the power is not known."""


class Clue(Part):
    """What shows a cause."""

    source: Line
    """A series, or the field of an object."""
    value: Line
    """What it is."""
    limit: Line = ""
    """What it should have been."""


class FindingStatus(Part):
    """Something that is wrong, why, and what would mend it."""

    cause: Word
    """A constant of docs/reference/causes.md."""
    symptom: Word
    """What is out of bounds."""
    message: Text
    """The same for people."""
    since: Time
    """When it was found first."""
    confidence: Fraction
    """How much of the window shows it."""
    evidence: Annotated[tuple[Clue, ...], Field(max_length=4, json_schema_extra=ATOMIC)] = ()
    """The series and the fields that show it."""
    directive: Directive | None = None
    """What would mend it; the operator drafts a ScalingIntent with it."""
    subject: Line = ""
    """Where a directive would not: the object to change,"""
    field: Line = ""
    """its field,"""
    before: Line = ""
    """what it is now,"""
    after: Line = ""
    """and what it should be."""


class InferenceServiceStatus(StatusBase):
    """What is; written by the operator."""

    replicas: Replicas = 0
    """Pods that exist."""
    ready_replicas: Replicas = 0
    """Pods that serve."""
    selector: Annotated[str, Field(max_length=1024)] = ""
    """Label selector of the pods, for /scale."""
    layout: Annotated[tuple[Slot, ...], Field(max_length=1000, json_schema_extra=keyed("gpu", "start"))] = ()
    """Where the replicas stand."""
    forecast: ForecastStatus | None = None
    """What is expected."""
    decision: DecisionStatus | None = None
    """The last decision."""
    history: Annotated[tuple[DecisionStatus, ...], Field(max_length=20, json_schema_extra=ATOMIC)] = ()
    """Decisions that changed something, newest first."""
    spend: Spend | None = None
    """What it has used."""
    findings: Annotated[tuple[FindingStatus, ...], Field(max_length=8, json_schema_extra=keyed("cause"))] = ()
    """What is wrong with it, the worst first."""
