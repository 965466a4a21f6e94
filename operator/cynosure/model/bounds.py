"""What accepted intents and the automation policy allow a planning pass to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cynosure.model.calendar import Schedule
from cynosure.model.repacking import Repacking, Scope
from cynosure.model.service import Service, ServiceKey, Target

_NO_SERVICES: Mapping[ServiceKey, "ServiceBounds"] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ServiceBounds:
    """Limits of one service on top of its own spec; the stricter one counts. ``sources`` name the intents."""

    min_replicas: int | None = None
    max_replicas: int | None = None
    pinned_replicas: int | None = None
    targets: tuple[Target, ...] = ()
    max_gpus: int | None = None
    max_watts: float | None = None
    max_cost_per_hour: float | None = None
    schedules: tuple[Schedule, ...] = ()
    weights: tuple[float, float] | None = None
    """Of cost and energy, instead of those of the service."""
    partitions: tuple[str, ...] = ()
    """Instead of those that the service allows, in a dry run of what would write them; so are the products."""
    gpu_products: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    raised_max: int | None = None
    """In a dry run: what an intent would raise ``spec.scale.max`` to, where that is lower."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """``stop`` is the emergency stop: nothing changes. ``max_gpus`` is a sum over all services."""

    services: Mapping[ServiceKey, ServiceBounds] = field(default_factory=lambda: _NO_SERVICES)
    max_gpus: int | None = None
    max_watts: float | None = None
    max_cost_per_hour: float | None = None
    currency: str = "EUR"
    """Of all limits on cost that intents and the policy set."""
    stop: bool = False
    repacking: Repacking = field(default_factory=Repacking)
    """Moves that were approved, to be carried out one after the other."""
    defragment: Scope | None = None
    """Asks the plan for a proposal of moves; none is carried out."""
    sources: tuple[str, ...] = ()
    newcomers: tuple[Service, ...] = ()
    """In a dry run: services as if they were there already; so ``leavers`` as if they were not."""
    leavers: frozenset[ServiceKey] = frozenset()

    def of(self, key: ServiceKey) -> ServiceBounds:
        return self.services.get(key) or ServiceBounds()
