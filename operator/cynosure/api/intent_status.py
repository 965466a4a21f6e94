"""How far a ScalingIntent has come."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from cynosure.api.directive import Directive
from cynosure.api.metadata import ATOMIC, StatusBase, keyed
from cynosure.api.part import Part
from cynosure.api.scalars import (
    Digest,
    Fraction,
    Label,
    Line,
    NonNegative,
    ObjectName,
    Partition,
    Percentile,
    Replicas,
    Text,
    Time,
    Word,
)


class Phase(StrEnum):
    """A summary of the conditions, computed whenever they are written."""

    PENDING = "Pending"
    QUESTION = "Question"
    REFUSED = "Refused"
    PLANNED = "Planned"
    DENIED = "Denied"
    APPROVED = "Approved"
    APPLIED = "Applied"
    VERIFIED = "Verified"
    FAILED = "Failed"
    UNDONE = "Undone"
    EXPIRED = "Expired"
    SUPERSEDED = "Superseded"


class Source(StrEnum):
    STATED = "stated"
    INFERRED = "inferred"
    DEFAULT = "default"


class Span(Part):
    """Code points of the text, from ``start`` to before ``end``."""

    start: Annotated[int, Field(ge=0, le=2048)]
    """First code point."""
    end: Annotated[int, Field(ge=0, le=2048)]
    """The one after the last."""


class Provenance(Part):
    """Where a field of a directive comes from."""

    field: Word
    """Its name."""
    source: Source
    """Whether the text states it, it follows from it, or it is a default."""
    span: Span | None = None
    """The words that state it."""


class GroundedDirective(Directive):
    """A directive against the real catalog: names resolved, relative amounts made absolute."""

    provenance: Annotated[tuple[Provenance, ...], Field(max_length=40, json_schema_extra=keyed("field"))] = ()
    """Where each field comes from."""


class Refusal(Part):
    """Why nothing can be done, and what could."""

    reason: Word
    """A documented constant."""
    message: Text
    """The same for people."""
    nearest: Line | None = None
    """The nearest thing that works."""


class Change(Part):
    """One field of one object."""

    kind: Word
    """Of the object."""
    name: Line
    """Of the object."""
    namespace: Line = ""
    """Of the object."""
    path: Line
    """Of the field, such as spec.scale.max."""
    before: Line | None = None
    """As JSON; absent means that the field was not set."""
    after: Line | None = None
    """As JSON; absent means that the field goes."""


class ServiceAction(StrEnum):
    CREATE = "Create"
    DELETE = "Delete"


class ServiceChange(Part):
    """A whole InferenceService that comes or goes."""

    action: ServiceAction
    """Which of the two."""
    namespace: Label
    """Of the service."""
    name: Label
    """Its name."""
    uid: Line | None = None
    """Of the very object that goes; another one of its name is not deleted, and while it stands none is made anew."""
    grace_seconds: Annotated[int, Field(ge=0, le=604_800)] | None = None
    """Delete: how long it stays untouched after the plan was applied, and an undo keeps it; absent means not at all."""
    manifest: Annotated[
        dict[str, Any], Field(json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    ]
    """The object, without its status."""


ServiceChanges = Annotated[tuple[ServiceChange, ...], Field(max_length=16, json_schema_extra=ATOMIC)]


class ServiceEstimate(Part):
    """What a service uses and gives, by the dry run."""

    namespace: Label
    """Of the service."""
    service: Label
    """Its name."""
    replicas: Replicas
    """How many."""
    partition: Partition | None = None
    """The profile of every replica."""
    gpu_share: NonNegative | None = None
    """GPUs in use."""
    watts: NonNegative | None = None
    """Expected power."""
    cost_per_hour: NonNegative | None = None
    """Expected price."""
    attainment: Fraction | None = None
    """Expected share of the requests within the SLO."""


Estimates = Annotated[
    tuple[ServiceEstimate, ...], Field(max_length=64, json_schema_extra=keyed("namespace", "service"))
]


Slice = Annotated[int, Field(ge=0, le=15)]


class PlannedMove(Part):
    """A replica at another place serves before the one at the old place goes."""

    namespace: Label
    """Of the service."""
    service: Label
    """Whose replica."""
    partition: Partition
    """The profile of both places."""
    gpu: Line
    """UUID of the GPU that is left."""
    start: Slice
    """First memory slice there."""
    to_gpu: Line
    """UUID of the GPU that is taken."""
    to_start: Slice
    """First memory slice there."""


class IntentPlan(Part):
    """The dry run. An approval names its digest, so that nobody approves what they have not seen."""

    digest: Digest
    """Of the diff and of the spec it was made from."""
    made_at: Time
    """When."""
    diff: Annotated[tuple[Change, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """What would be written."""
    services: ServiceChanges = ()
    """InferenceServices that would be made or deleted."""
    moves: Annotated[tuple[PlannedMove, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """Replicas that would be moved, one after the other in this order."""
    frees: Annotated[tuple[Line, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """UUIDs of the GPUs that would be empty then."""
    before: Estimates = ()
    """What is."""
    after: Estimates = ()
    """What would be."""
    message: Text = ""
    """The same for people."""


class IntentConflict(Part):
    """Another intent, or object, that wants the opposite."""

    name: ObjectName
    """Of the other one."""
    kind: Word = "ScalingIntent"
    """Of the other one."""
    message: Text
    """What both want, and which holds."""


class Measurement(Part):
    """A metric against what the intent wanted of it."""

    service: Label
    """Whose."""
    metric: Word
    """Which."""
    percentile: Percentile | None = None
    """Of a latency."""
    limit: NonNegative
    """What was wanted."""
    value: NonNegative | None = None
    """What was measured; absent while there is no data, which is not a pass."""
    unit: Word
    """Of both."""
    met: bool
    """Whether it holds."""


class Verification(Part):
    """Whether what was applied has the effect that was wanted, by live metrics."""

    since: Time
    """When measuring began."""
    until: Time | None = None
    """When the verdict was given."""
    met: bool | None = None
    """The verdict; absent while measuring."""
    measurements: Annotated[tuple[Measurement, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """What it rests on."""
    message: Text = ""
    """The same for people."""


class Undo(Part):
    """How to take it back."""

    changes: Annotated[tuple[Change, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """What restores the state before."""
    services: ServiceChanges = ()
    """InferenceServices that come back, or go."""
    undone_by: ObjectName | None = None
    """The intent that took it back."""
    undone_at: Time | None = None
    """When."""


class ScalingIntentStatus(StatusBase):
    """How far it has come; written by the operator."""

    phase: Phase = Phase.PENDING
    """A summary of the conditions."""
    engine: Line | None = None
    """Who understood the text: grammar, or model:NAME."""
    directives: Annotated[tuple[GroundedDirective, ...], Field(max_length=16, json_schema_extra=ATOMIC)] = ()
    """What was understood."""
    refusal: Refusal | None = None
    """Why nothing can be done."""
    question: Text | None = None
    """What must be answered in ``spec.answers`` first."""
    plan: IntentPlan | None = None
    """The dry run."""
    conflicts: Annotated[tuple[IntentConflict, ...], Field(max_length=16, json_schema_extra=ATOMIC)] = ()
    """Who wants the opposite."""
    verification: Verification | None = None
    """Whether it has the effect that was wanted."""
    undo: Undo | None = None
    """How to take it back."""
    approved_by: Line | None = None
    """Who approved the plan; absent for an automatic one."""
    applied_at: Time | None = None
    """When it was applied."""
