"""GPUs, and the partitions that stand on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cynosure.model.service import ServiceKey, Topology


@dataclass(frozen=True, slots=True, order=True)
class Gpu:
    """A physical GPU. ``usable`` is False when its node is cordoned or not ready: keep, but add nothing.

    ``zone`` is empty where the node is in none.
    """

    uuid: str
    node: str
    index: int
    product: str
    usable: bool = True
    zone: str = ""

    def domain(self, topology: Topology) -> str:
        return self.node if topology is Topology.NODE else self.zone


@dataclass(frozen=True, slots=True)
class GpuClass:
    """A GPU product as the catalogue lists it. ``prices``: of a whole GPU per hour, by currency."""

    product: str
    prices: Mapping[str, float]
    confidential: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A partition at its place: ``start`` is the first memory slice. ``service`` None: somebody else's."""

    gpu: str
    start: int
    partition: str
    service: ServiceKey | None = None


class Backend(StrEnum):
    """How pods ask for partitions in this cluster."""

    DRA = "DRA"
    DEVICE_PLUGIN = "DevicePlugin"
