"""What is: one immutable picture of the cluster and its load, taken before a planning pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from cynosure.model.gpu import Gpu, GpuClass, Slot
from cynosure.model.plan import Decision
from cynosure.model.profile import Profile
from cynosure.model.service import Service
from cynosure.model.signals import Load


class ReplicaPhase(StrEnum):
    PENDING = "Pending"
    """Created, not yet on a node, or its image and model are loading: capacity that is on its way."""
    READY = "Ready"
    DRAINING = "Draining"


@dataclass(frozen=True, slots=True)
class Replica:
    """A pod of a service. ``slot`` is where its partition stands, None before it is allocated."""

    pod: str
    partition: str
    phase: ReplicaPhase
    created_at_seconds: float
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """The Deployment of one (service, partition). ``foreign_owner`` names who else set its replicas."""

    partition: str
    replicas: int
    foreign_owner: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One service with everything known about it."""

    service: Service
    load: Load
    workloads: tuple[Workload, ...] = ()
    replicas: tuple[Replica, ...] = ()
    last: Decision | None = None
    lead_time_seconds: float = 60.0
    """Measured from decision to a ready replica; before the first measurement the profile's load time."""
    capacity_gained_at_seconds: float | None = None
    """When a decision last raised the replicas, for stabilisation."""

    @property
    def ready(self) -> int:
        return sum(replica.phase is ReplicaPhase.READY for replica in self.replicas)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``foreign`` are partitions of pods that are not ours; they are never moved."""

    now_seconds: float
    observations: tuple[Observation, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    foreign: tuple[Slot, ...] = ()
    profiles: Mapping[str, Profile] = field(default_factory=lambda: MappingProxyType({}))
    classes: Mapping[str, GpuClass] = field(default_factory=lambda: MappingProxyType({}))
    """By GPU product."""
