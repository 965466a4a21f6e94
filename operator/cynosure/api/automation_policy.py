"""AutomationPolicy: what may happen without a person, and the emergency stop."""

from typing import Annotated, ClassVar

from pydantic import Field

from cynosure.api.directive import Day, Verb
from cynosure.api.metadata import AGE, ATOMIC, SET, Column, Naming, Resource, StatusBase, reason_of
from cynosure.api.part import Part, rule
from cynosure.api.scalars import Currency, Label, Positive, TimeOfDay, TimeZone

_SINGLETON = "default"


class AllowedHours(Part):
    """A window of the week. ``to`` at or before ``from`` means that it ends on the next day."""

    days: Annotated[tuple[Day, ...], Field(max_length=7, json_schema_extra=SET)] = ()
    """On which days it begins; none named means every day."""
    from_: Annotated[TimeOfDay, Field(validation_alias="from", serialization_alias="from")]
    """When it begins."""
    to: TimeOfDay
    """When it ends."""
    time_zone: TimeZone = "UTC"
    """Zone of the times."""


class AutomationPolicySpec(Part):
    """The limits of what intents and the loop may do."""

    automatic_verbs: Annotated[tuple[Verb, ...], Field(max_length=12, json_schema_extra=SET)] = ()
    """What an intent with ``approval: Automatic`` may do without a person."""
    max_replica_change: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Most replicas of one service that an automatic intent may add or remove."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Most replicas of one service that any intent may ask for."""
    max_moves: Annotated[int, Field(ge=1, le=64)] | None = None
    """Most replicas that an automatic defragmentation may move."""
    max_cost_per_hour: Positive | None = None
    """Most cost of all services together, in ``currency``."""
    currency: Currency = "EUR"
    """Of ``maxCostPerHour``."""
    max_watts: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """Most power of all services together."""
    protected_namespaces: Annotated[tuple[Label, ...], Field(max_length=64, json_schema_extra=SET)] = ("kube-system",)
    """Where no intent may change anything."""
    allowed_hours: Annotated[tuple[AllowedHours, ...], Field(max_length=16, json_schema_extra=ATOMIC)] = ()
    """When automatic intents may be applied; none named means always."""
    delete_grace_seconds: Annotated[int, Field(ge=0, le=604_800)] = 300
    """How long a service that an intent deletes stays untouched, so that an undo keeps it."""
    self_approval: bool = False
    """Whether the requester's own IntentApproval counts."""
    stop: bool = False
    """The emergency stop: nothing is changed by anyone but people; decisions are still shown."""


class AutomationPolicyStatus(StatusBase):
    """Whether it is in force; written by the operator."""


class AutomationPolicy(Resource):
    """What may happen without a person. There is one, named ``default``."""

    naming: ClassVar[Naming] = Naming(
        plural="automationpolicies",
        short="cpolicy",
        namespaced=False,
        columns=(
            Column("Stop", ".spec.stop"),
            Column("Reason", reason_of("Ready")),
            Column("Verbs", ".spec.automaticVerbs"),
            AGE,
            Column("Self-Approval", ".spec.selfApproval", wide=True),
            Column("Protected", ".spec.protectedNamespaces", wide=True),
        ),
    )
    kind: str = "AutomationPolicy"
    spec: AutomationPolicySpec = AutomationPolicySpec()
    """The limits."""
    status: AutomationPolicyStatus = AutomationPolicyStatus()
    """Whether it is in force; written by the operator."""

    @rule(
        f"self.metadata.name == '{_SINGLETON}'",
        "metadata.name: got {self.metadata.name}; limit: there is one AutomationPolicy; use the name default",
        field="metadata.name",
    )
    def is_the_only_one(self) -> bool:
        return self.metadata.name == _SINGLETON
