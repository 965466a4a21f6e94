"""What has to be placed, and within which limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cynosure.model.gpu import Gpu, Slot
from cynosure.model.service import Apart, ServiceKey, Spread


@dataclass(frozen=True, slots=True)
class Demand:
    """``count`` partitions in all, those that stand already included. Earlier demands come first when room is short."""

    service: ServiceKey
    product: str
    partition: str
    count: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Most physical GPUs, by service and for all of ours together; None is no limit. How services are spread.

    Spreading is asked of what is new: what stands stays, however it stands.
    """

    of_service: Mapping[ServiceKey, int] = field(default_factory=lambda: MappingProxyType({}))
    of_fleet: int | None = None
    spreads: Mapping[ServiceKey, tuple[Spread, ...]] = field(default_factory=lambda: MappingProxyType({}))
    apart: tuple[Apart, ...] = ()


@dataclass(frozen=True, slots=True)
class Inventory:
    """``ours`` and ``foreign`` are the partitions that stand; the foreign ones are never moved."""

    gpus: tuple[Gpu, ...]
    ours: tuple[Slot, ...] = ()
    foreign: tuple[Slot, ...] = ()
