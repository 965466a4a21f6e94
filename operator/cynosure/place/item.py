"""What the integer program of a pass tells apart among new partitions."""

from dataclasses import dataclass

from cynosure.model.service import ServiceKey


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """A kind of new partition. Services with a limit of their own are told apart, all others count together."""

    product: str
    partition: str
    service: ServiceKey | None = None
