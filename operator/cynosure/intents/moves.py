"""Moves of partitions in a plan that a person approves: as the status keeps them, and as sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator

from cynosure.api import ScalingIntent
from cynosure.api.conditions import Type
from cynosure.api.intent_status import Change, IntentPlan, PlannedMove
from cynosure.intents.effects import Defragment, Effect
from cynosure.model.condition import Status
from cynosure.model.gpu import Slot
from cynosure.model.repacking import Defragmentation, Move, Repacking, Scope
from cynosure.model.service import ServiceKey

_SHOWN = 8
"""Moves in the message of a plan; all of them are in its list."""


def scope_of(effects: Iterable[Effect], plan: IntentPlan | None) -> Scope | None:
    """What is asked for, with what is proposed already; None for an intent that moves nothing."""
    asked = next((effect for effect in effects if isinstance(effect, Defragment)), None)
    if asked is None:
        return None
    return Scope(asked.namespace, asked.service, asked.node, asked.product, repacking_of(plan))


def repacking_of(plan: IntentPlan | None) -> Repacking:
    return Repacking(tuple(map(_move, plan.moves)), plan.frees) if plan else Repacking()


def is_finished(intent: ScalingIntent) -> bool:
    """Whether all its moves were seen to be made: then nothing of them holds any more."""
    return any(c.type == Type.VERIFIED and c.status is Status.TRUE for c in intent.status.conditions)


def planned(repacking: Repacking) -> tuple[PlannedMove, ...]:
    return tuple(
        PlannedMove(
            namespace=move.service.namespace,
            service=move.service.name,
            partition=move.origin.partition,
            gpu=move.origin.gpu,
            start=move.origin.start,
            to_gpu=move.target.gpu,
            to_start=move.target.start,
        )
        for move in repacking.moves
    )


def _move(stored: PlannedMove) -> Move:
    key = ServiceKey(stored.namespace, stored.service)
    origin = Slot(stored.gpu, stored.start, stored.partition, key)
    return Move(origin, Slot(stored.to_gpu, stored.to_start, stored.partition, key))


def services_of(repacking: Repacking) -> tuple[ServiceKey, ...]:
    return tuple(sorted({move.service for move in repacking.moves}))


def change_of(move: Move) -> Change:
    """As a line of a diff. Its path starts with ``placement``: no object holds it, the scheduler is steered."""
    return Change(
        kind="InferenceService",
        namespace=move.service.namespace,
        name=move.service.name,
        path=f"placement.{move.origin.partition}",
        before=f'"{place(move.origin)}"',
        after=f'"{place(move.target)}"',
    )


def place(slot: Slot) -> str:
    return f"{slot.gpu}, slice {slot.start}"


def sentences(found: Defragmentation) -> Iterator[str]:
    moves, frees = found.repacking.moves, found.repacking.frees
    gain = found.gpus_before - found.gpus_after
    by = f"by {len(moves)} moves, one after the other"
    yield f"Frees {gain} of {found.gpus_before} GPUs {by}: {', '.join(frees)}." if frees else f"Makes room {by}."
    for move in moves[:_SHOWN]:
        yield f"{move.service}: {move.origin.partition} from {place(move.origin)} to {place(move.target)}."
    if len(moves) > _SHOWN:
        yield f"{len(moves) - _SHOWN} more moves are in status.plan.moves."
    for room in found.rooms:
        yield f"Room for {room.partition}: {room.before} more now, {room.after} then."
    yield from _gain(found)
    counts = Counter(move.service for move in moves)
    for service, seconds in found.surge_seconds:
        yield (
            f"{service}: never fewer replicas than now; one more {counts[service]} time(s), each for about "
            f"{seconds:.0f} s until it serves, and then the old one finishes its requests."
        )
    yield "Nothing of it can be undone but by moving back; called off, it ends between two moves."


def _gain(found: Defragmentation) -> Iterator[str]:
    """What is not known is said, and never zero."""
    if (room := found.acceptance) is not None:
        yield (
            f"Of {room.partitions} more partitions that are likely to be wanted next, {room.before} find room now, "
            f"{room.after} then."
        )
    if (saving := found.saving) is None or not found.repacking.frees:
        return
    if saving.per_hour is not None:
        yield f"The freed GPUs cost {saving.per_hour:.2f} {saving.currency} an hour."
    if saving.unpriced:
        yield f"No GPUClass has a price of {', '.join(saving.unpriced)} in {saving.currency}, so those do not count."


def moved_by(intent: ScalingIntent) -> Repacking:
    """What an applied intent still has to move."""
    return Repacking() if is_finished(intent) else repacking_of(intent.status.plan)
