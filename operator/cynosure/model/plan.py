"""What was decided, and why: the same value feeds status, events, logs, metrics and the console."""

from dataclasses import dataclass
from enum import StrEnum

from cynosure.model.condition import Condition
from cynosure.model.gpu import Slot
from cynosure.model.repacking import Defragmentation, Move, Moving
from cynosure.model.service import ServiceKey


class Action(StrEnum):
    UP = "ScaleUp"
    DOWN = "ScaleDown"
    HOLD = "Hold"
    MIGRATE = "ChangePartition"


@dataclass(frozen=True, slots=True)
class Option:
    """A way to serve the demand: ``replicas`` of ``partition`` at ``batch``, and what it would cost and give."""

    partition: str
    gpu_product: str
    replicas: int
    batch: int
    capacity_rps: float
    gpu_share: float
    """GPUs in use, as compute slices over the slices of a whole GPU."""
    watts: float = 0.0
    attainment: float | None = None
    cost_per_hour: float | None = None
    """In the currency of the AutomationPolicy; None where no price is known."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` is a constant of ``cynosure.plan.reasons``, ``message`` the sentence for people.

    ``inputs`` are the numbers that it rests on, in order, already rounded for reading. ``dry`` decisions are
    of Advisory or stopped services: they are shown and change nothing.
    """

    service: ServiceKey
    action: Action
    option: Option
    reason: str
    message: str
    made_at_seconds: float
    inputs: tuple[tuple[str, float], ...] = ()
    runner_up: Option | None = None
    dry: bool = False
    own_replicas: int | None = None
    """What stays once a move is over for which one more is or was wanted; None without such a move."""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Partitions that found no GPU. ``message`` says what is missing and what would fit."""

    service: ServiceKey
    partition: str
    count: int
    message: str


@dataclass(frozen=True, slots=True)
class Placement:
    """All partitions of ours at their places. ``optimal`` was proven; ``moves`` are evictions it asks for."""

    slots: tuple[Slot, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    gpus_used: int = 0
    lower_bound: int = 0
    optimal: bool = True
    solver: str = ""
    moves: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    made_at_seconds: float
    decisions: tuple[Decision, ...] = ()
    placement: Placement = Placement()
    conditions: tuple[tuple[ServiceKey, tuple[Condition, ...]], ...] = ()
    """The conditions of each service that follow from deciding (metrics, forecast, placement, SLO)."""
    move: Move | None = None
    """Whose target is to be taken now."""
    moving: Moving | None = None
    """How far the moves of the bounds have come; None without any."""
    defragmentation: Defragmentation | None = None
    """What could be moved, where the bounds ask for it."""
