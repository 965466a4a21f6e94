"""What all resources have: metadata, conditions, and how the API server shows and scales them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from cynosure.api.part import Part
from cynosure.api.scalars import LongCount, Time
from cynosure.model.condition import Status

GROUP = "cynosure.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column; ``wide`` ones show with ``kubectl get -o wide`` only."""

    name: str
    path: str
    type: Literal["string", "integer", "date"] = "string"
    wide: bool = False


AGE = Column("Age", ".metadata.creationTimestamp", "date")


def status_of(condition: str) -> str:
    """The path of a condition's status, for a printer column."""
    return f'.status.conditions[?(@.type=="{condition}")].status'


def reason_of(condition: str) -> str:
    return f'.status.conditions[?(@.type=="{condition}")].reason'


def message_of(condition: str) -> str:
    return f'.status.conditions[?(@.type=="{condition}")].message'


@dataclass(frozen=True, slots=True)
class Naming:
    """How a kind is called and shown. ``scalable`` adds the /scale sub-resource."""

    plural: str
    short: str
    columns: tuple[Column, ...]
    namespaced: bool = True
    scalable: bool = False
    max_name_length: int = 253


class Metadata(Part):
    """The part of ObjectMeta that Cynosure reads."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class ResourceCondition(Part):
    """One aspect of the state, as metav1.Condition."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=63, pattern="^[A-Z][A-Za-z0-9]*$")]
    """What it is about; see docs/reference/conditions.md."""
    status: Status
    """True is good, False is bad, Unknown is in progress."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=63, pattern="^[A-Z][A-Za-z0-9]*$")]
    """A documented constant."""
    message: Annotated[str, StringConstraints(max_length=4096)] = ""
    """For people."""
    last_transition_time: Time
    """When the status changed last."""
    observed_generation: LongCount = 0
    """The generation of the object that this was said about."""


def keyed(*names: str) -> dict[str, Any]:
    """Schema of a list whose items are told apart by ``names``, so that several managers may apply items."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(names)}


SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}
ATOMIC: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}

Conditions = Annotated[tuple[ResourceCondition, ...], Field(max_length=24, json_schema_extra=keyed("type"))]


class StatusBase(Part):
    """What every status has. Only the operator writes it."""

    observed_generation: LongCount = 0
    """The generation of the spec that this status is about."""
    conditions: Conditions = ()
    """The state by aspect; see docs/reference/conditions.md."""


class Resource(Part):
    """A custom resource; the subclass adds ``spec`` and ``status``."""

    naming: ClassVar[Naming]

    api_version: Literal["cynosure.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: str = ""
    metadata: Metadata

    def body(self) -> dict[str, Any]:
        """For creating or applying it: without status, and of the metadata only what is set."""
        metadata = self.metadata.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        whole = {**super().body(), "kind": type(self).__name__, "metadata": metadata}
        whole.pop("status", None)
        return whole
