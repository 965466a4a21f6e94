"""What the services need, and which GPUs there are to give it."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from math import ceil, inf
from types import MappingProxyType

from cynosure.model.mig import Spot, geometry_of


@dataclass(frozen=True, slots=True)
class Need:
    """``amount`` of something, reached by partitions that are ``worth`` some of it each.

    A rate with the throughput of each profile, or a number of partitions of one profile, worth 1 each.
    """

    service: str
    product: str
    amount: float
    worth: Mapping[str, float]

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(sorted(self.worth))

    @property
    def is_choice(self) -> bool:
        return len(self.worth) > 1

    @property
    def cheapest(self) -> str:
        """The profile that gives most for its compute slices."""
        if not self.is_choice:
            return next(iter(self.worth))
        share = geometry_of(self.product).gpu_share
        return max(self.choices, key=lambda name: (self.worth[name] / share(name), -share(name)))

    def most(self, profile: str) -> int:
        """Return how many of one profile are enough by themselves."""
        return ceil(self.amount / self.worth[profile] * (1 - _ROUNDING))

    def lacking(self, counts: Mapping[str, int]) -> int:
        """Return how many of the cheapest profile are lacking beside ``counts``."""
        given = sum(self.worth.get(name, 0.0) * count for name, count in counts.items())
        return max(0, ceil((self.amount * (1 - _ROUNDING) - given) / self.worth[self.cheapest]))

    def is_met(self, counts: Mapping[str, int]) -> bool:
        return self.lacking(counts) == 0


_ROUNDING = 1e-9
"""Of the solver, relative."""


@dataclass(frozen=True, slots=True, order=True)
class Holding:
    """A partition of a service at its place on one GPU."""

    start: int
    profile: str
    service: str

    @property
    def spot(self) -> Spot:
        return self.profile, self.start


@dataclass(frozen=True, slots=True)
class Stock:
    """GPUs that may be used, by number, with the partitions that stand on them.

    ``unlimited`` is a product of which there are as many more as are wanted; they get the numbers that are free.
    """

    products: Mapping[int, str]
    standing: Mapping[int, tuple[Holding, ...]] = field(default_factory=lambda: MappingProxyType({}))
    unlimited: str | None = None

    def product_of(self, gpu: int) -> str | None:
        return self.products.get(gpu, self.unlimited)

    def size(self, product: str) -> float:
        return inf if product == self.unlimited else sum(found == product for found in self.products.values())

    def only(self, services: Container[str]) -> "Stock":
        """Return the same GPUs with what stands of some services."""
        standing = {gpu: tuple(h for h in found if h.service in services) for gpu, found in self.standing.items()}
        return replace(self, standing=standing)

    def kept(self, wanted: Counter[tuple[str, str]]) -> dict[int, tuple[Holding, ...]]:
        """Take what stands from ``wanted``; of a surplus those go whose GPU holds the least besides."""
        standing = Counter((held.service, held.profile) for found in self.standing.values() for held in found)
        if standing <= wanted:
            wanted -= standing
            return {gpu: found for gpu, found in self.standing.items() if found}
        placed: dict[int, list[Holding]] = {}
        for gpu in sorted(self.standing, key=lambda gpu: (-len(self.standing[gpu]), gpu)):
            for held in self.standing[gpu]:
                if wanted[held.service, held.profile] > 0:
                    wanted[held.service, held.profile] -= 1
                    placed.setdefault(gpu, []).append(held)
        return {gpu: tuple(found) for gpu, found in sorted(placed.items())}

    def empty(self, product: str, used: Container[int]) -> Iterator[int]:
        """Yield the numbers of the GPUs of a product that are not ``used``, ascending."""
        numbers = count() if product == self.unlimited else sorted(self.products)
        return (gpu for gpu in numbers if gpu not in used and self.product_of(gpu) == product)
