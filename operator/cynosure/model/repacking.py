"""Partitions that are to stand elsewhere, so that whole GPUs become free."""

from dataclasses import dataclass

from cynosure.model.gpu import Slot
from cynosure.model.service import ServiceKey


@dataclass(frozen=True, slots=True)
class Move:
    """A replica of one service at ``target`` serves before one at ``origin`` goes."""

    origin: Slot
    target: Slot

    @property
    def service(self) -> ServiceKey:
        assert self.origin.service is not None  # noqa: S101  (only partitions of ours are moved)
        return self.origin.service


@dataclass(frozen=True, slots=True)
class Repacking:
    """``moves`` in the order in which each has room when its turn comes; ``frees`` are the GPUs that are empty then."""

    moves: tuple[Move, ...] = ()
    frees: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.moves)


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be moved: partitions of one namespace, of one service, on one node, on GPUs of one product.

    ``proposed`` was proposed before, and is proposed again as long as it can be carried out as it is.
    """

    namespace: str
    service: str | None = None
    node: str | None = None
    product: str | None = None
    proposed: Repacking = Repacking()


@dataclass(frozen=True, slots=True)
class Room:
    """How many more of ``partition`` could start, the GPUs that are empty included."""

    partition: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Of ``partitions`` that are likely to be wanted next, how many find room before and after."""

    partitions: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Saving:
    """What the freed GPUs cost an hour, as far as they have a price in ``currency``; None where none has."""

    per_hour: float | None
    currency: str
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Defragmentation:
    """A proposal. ``obstacle`` says why there is none, with figures; ``notes`` are for the person who approves."""

    repacking: Repacking = Repacking()
    gpus_before: int = 0
    gpus_after: int = 0
    rooms: tuple[Room, ...] = ()
    surge_seconds: tuple[tuple[ServiceKey, float], ...] = ()
    """For each service that is moved, how long one more replica of it is expected to take until it serves."""
    acceptance: Acceptance | None = None
    """None where no more partitions are expected to be wanted."""
    saving: Saving | None = None
    obstacle: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moving:
    """How far a repacking has come: ``over`` moves, the ``current`` one, and what that waits for.

    ``held`` are GPUs that were to be free by now and are not.
    """

    over: int
    current: Move | None = None
    waits_for: str = ""
    held: tuple[str, ...] = ()
