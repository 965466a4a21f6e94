"""GPUClass: a GPU product as a catalogue lists it: its partitions, price and power."""

from typing import Annotated, ClassVar

from pydantic import Field

from cynosure.api.metadata import AGE, SET, Column, Naming, Resource, StatusBase, keyed, reason_of, status_of
from cynosure.api.part import Part, rule
from cynosure.api.scalars import Count, Currency, GpuProduct, NonNegative, Partition, Zone


class Price(Part):
    """What one whole GPU costs; a partition costs its share of the compute slices."""

    region: Zone = "default"
    """Where; ``default`` holds for every region that is not listed."""
    currency: Currency = "EUR"
    """Of ``perHour``."""
    per_hour: NonNegative
    """For one GPU."""


class GpuClassSpec(Part):
    """A GPU product."""

    product: GpuProduct
    """As the nodes report it."""
    memory_gib: Annotated[int, Field(ge=1, le=4096, validation_alias="memoryGiB", serialization_alias="memoryGiB")]
    """Of a whole GPU."""
    partitions: Annotated[tuple[Partition, ...], Field(min_length=1, max_length=32, json_schema_extra=SET)]
    """Profiles that may be made of it; ``gpu`` is a whole one."""
    prices: Annotated[tuple[Price, ...], Field(max_length=64, json_schema_extra=keyed("region", "currency"))] = ()
    """By region and currency; without one, cost plays no part in decisions."""
    idle_watts: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Power of an idle GPU."""
    peak_watts: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Power of a GPU at full load."""
    confidential: bool = False
    """Memory and bus are encrypted."""

    @rule(
        "!has(self.peakWatts) || self.idleWatts <= self.peakWatts",
        "idleWatts: got {self.idle_watts}; limit: peakWatts, {self.peak_watts}; use the power of an idle GPU",
        field="idleWatts",
    )
    def idle_up_to_peak(self) -> bool:
        return self.peak_watts is None or self.idle_watts <= self.peak_watts


class GpuClassStatus(StatusBase):
    """How many there are; written by the operator."""

    gpus: Count = 0
    """GPUs of this product in the cluster."""
    usable: Count = 0
    """Those on nodes that are ready and not cordoned."""


class GPUClass(Resource):
    """A GPU product: its partitions, price by region, and power."""

    naming: ClassVar[Naming] = Naming(
        plural="gpuclasses",
        short="cgpu",
        namespaced=False,
        columns=(
            Column("Product", ".spec.product"),
            Column("Ready", status_of("Ready")),
            Column("Reason", reason_of("Ready")),
            Column("GPUs", ".status.gpus", "integer"),
            Column("Usable", ".status.usable", "integer"),
            AGE,
            Column("Peak-Watts", ".spec.peakWatts", "integer", wide=True),
            Column("Confidential", ".spec.confidential", wide=True),
        ),
    )
    kind: str = "GPUClass"
    spec: GpuClassSpec
    """The product."""
    status: GpuClassStatus = GpuClassStatus()
    """How many there are; written by the operator."""
