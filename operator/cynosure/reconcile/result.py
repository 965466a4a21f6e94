"""What a pass saw and decided, as the life of intents, telemetry and the console read it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cynosure.model.bounds import Bounds
from cynosure.model.forecast import Forecast
from cynosure.model.plan import Plan
from cynosure.model.service import ServiceKey
from cynosure.model.snapshot import Snapshot
from cynosure.observe.world import Picture

Planner = Callable[[Snapshot, Mapping[ServiceKey, Forecast], Bounds], Plan]


@dataclass(frozen=True, slots=True)
class PassResult:
    """One planning pass, whole: the inputs of ``plan_cluster`` and what it answered.

    ``invalid`` are the InferenceServices that cannot be used, each with the reason; they are not in the snapshot.
    """

    snapshot: Snapshot
    forecasts: Mapping[ServiceKey, Forecast]
    bounds: Bounds
    plan: Plan
    invalid: Mapping[ServiceKey, str] = field(default_factory=lambda: MappingProxyType({}))
    picture: Picture | None = None
    """What the snapshot was taken from."""
