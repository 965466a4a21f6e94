"""What a user wants of a model that is served."""

from dataclasses import dataclass, field
from enum import StrEnum

from cynosure.model.calendar import Schedule


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Metric(StrEnum):
    TTFT = "ttft"
    TPOT = "tpot"
    E2E = "e2e"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One line of an SLO: ``percentile`` per cent of the requests take at most ``milliseconds``."""

    metric: Metric
    percentile: float
    milliseconds: float

    @property
    def objective(self) -> float:
        """The share of requests, 0..1, that must meet the target."""
        return self.percentile / 100

    def __str__(self) -> str:
        return f"p{self.percentile:g} {self.metric} <= {self.milliseconds:g} ms"


class Topology(StrEnum):
    """What divides GPUs into domains."""

    NODE = "node"
    ZONE = "zone"


@dataclass(frozen=True, slots=True, order=True)
class Spread:
    """No domain has more than ``max_skew`` replicas above the one that has fewest, as in topologySpreadConstraints.

    Domains are those with a usable GPU of the product.
    """

    topology: Topology
    max_skew: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Apart:
    """No domain has replicas of both; of a service and itself: no domain has two of its replicas."""

    topology: Topology
    one: ServiceKey
    other: ServiceKey


class Mode(StrEnum):
    AUTOMATIC = "Automatic"
    ADVISORY = "Advisory"
    PAUSED = "Paused"


@dataclass(frozen=True, slots=True)
class Budget:
    """Upper limits; None means none was stated."""

    gpus: int | None = None
    watts: float | None = None
    cost_per_hour: float | None = None
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class BatchJob:
    """Work with a deadline instead of latency targets; it is due ``deadline_seconds`` after it was asked for."""

    images: int
    deadline_seconds: float
    due_at_seconds: float


@dataclass(frozen=True, slots=True)
class Service:
    """An InferenceService as a planning pass sees it."""

    key: ServiceKey
    profile: str
    targets: tuple[Target, ...]
    min_replicas: int = 1
    max_replicas: int = 1
    pinned_replicas: int | None = None
    """``spec.scale.replicas`` when it is positive: a person's number, which the loop does not change."""
    partitions: tuple[str, ...] = ()
    """Allowed partition profiles; empty means all that the model profile has measured."""
    gpu_products: tuple[str, ...] = ()
    confidential: bool = False
    """Only GPUs whose class is confidential."""
    mode: Mode = Mode.AUTOMATIC
    budget: Budget = field(default_factory=Budget)
    cost_weight: float = 1.0
    energy_weight: float = 0.0
    schedules: tuple[Schedule, ...] = ()
    batch: BatchJob | None = None
    spread: tuple[Spread, ...] = ()
    apart: tuple[Apart, ...] = ()
