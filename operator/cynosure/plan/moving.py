"""How moves are carried out: one after the other, each by a surplus replica that serves before the old one goes.

What is to be done next follows from what stands, so nothing is lost with the process: the current move is the first
whose old place is still held. While the service has no more ready replicas than it wants, one more is wanted at the
target; then the old one goes, and once its place is free the next move begins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cynosure.model.gpu import Slot
from cynosure.model.mig import geometry_of
from cynosure.model.plan import Action, Decision
from cynosure.model.repacking import Move, Moving, Repacking
from cynosure.model.snapshot import Replica, ReplicaPhase, Snapshot
from cynosure.place.demand import Inventory
from cynosure.plan.decide import Verdict
from cynosure.plan.reasons import Why
from cynosure.size.options import option_for


class Stage(StrEnum):
    SURGE = "Surge"
    """One more replica is wanted, at the target."""
    LEAVE = "Leave"
    """The old place is to be left."""
    BLOCKED = "Blocked"
    """Nothing is begun, and a replica that was added for it goes."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The move whose turn it is, None when all are over, and what it waits for."""

    repacking: Repacking
    move: Move | None = None
    stage: Stage = Stage.BLOCKED
    waits_for: str = ""


_LEFT_ALONE = frozenset({Why.FOREIGN, Why.PINNED})


def turn_of(repacking: Repacking, verdicts: Iterable[Verdict], snapshot: Snapshot) -> Turn:
    by_service = {verdict.case.service.key: verdict for verdict in verdicts}
    for move in repacking.moves:
        verdict = by_service.get(move.service)
        at_origin = [r for r in verdict.case.observation.replicas if r.slot == move.origin] if verdict else []
        if verdict is None or verdict.decision is None or not at_origin:
            continue
        if obstacle := _obstacle(move, verdict, verdict.decision, snapshot):
            return Turn(repacking, move, Stage.BLOCKED, obstacle)
        stage, waits_for = _stage(move, at_origin, verdict, verdict.decision)
        return Turn(repacking, move, stage, waits_for)
    return Turn(repacking)


def _stage(move: Move, at_origin: Sequence[Replica], verdict: Verdict, decision: Decision) -> tuple[Stage, str]:
    if all(replica.phase is ReplicaPhase.DRAINING for replica in at_origin):
        return Stage.LEAVE, "the old replica to be gone"
    replicas = verdict.case.observation.replicas
    living = [r for r in replicas if r.partition == move.origin.partition and r.phase is not ReplicaPhase.DRAINING]
    ready = [replica for replica in living if replica.phase is ReplicaPhase.READY]
    # What is not ready would go first, whatever we choose: Kubernetes takes such pods before others.
    if len(ready) == len(living) and len(ready) > decision.option.replicas:
        return Stage.LEAVE, "the old replica to go"
    there = any(replica.slot == move.target for replica in living)
    return Stage.SURGE, "the new replica to be ready" if there else "a new replica at its place"


def _obstacle(move: Move, verdict: Verdict, decision: Decision, snapshot: Snapshot) -> str | None:
    if decision.dry or decision.reason in _LEFT_ALONE:
        return f"{move.service} is left alone: {decision.message}"
    if decision.option.partition != move.origin.partition or verdict.case.is_migrating:
        return f"{move.service} changes its partition"
    gpu = next((gpu for gpu in snapshot.gpus if gpu.uuid == move.target.gpu), None)
    if gpu is None or not gpu.usable:
        return f"GPU {move.target.gpu} cannot be used"
    standing = {r.slot for o in snapshot.observations for r in o.replicas if r.slot} | set(snapshot.foreign)
    others = [(s.partition, s.start) for s in standing if s.gpu == gpu.uuid and s not in (move.target, move.origin)]
    spots = [*others, (move.target.partition, move.target.start)]
    if not geometry_of(gpu.product).legal(spots):
        return f"{move.target.partition} has no room at {_text(move.target)} any more"
    return None


def with_surge(verdict: Verdict, turn: Turn) -> Verdict:
    """The decision with what the current move adds to it.

    The replicas that are the service's own are recorded before one is added, and until the added one is gone: without
    that nobody could tell after a crash whose the surplus is.
    """
    decision, case = verdict.decision, verdict.case
    if decision is None:
        return verdict
    own, move = decision.option.replicas, turn.move
    if move is not None and turn.stage is Stage.SURGE and move.service == decision.service:
        is_recorded = case.observation.last is not None and case.observation.last.own_replicas is not None
        message = f"{own} and one more while a {move.origin.partition} moves from {_text(move.origin)} to "
        option = option_for(decision.option, own + is_recorded)
        moving = replace(decision, option=option, reason=Why.MOVING, message=message + _text(move.target))
        action = Action.HOLD if option.replicas == case.running else Action.UP
        return replace(verdict, decision=replace(moving, action=action, own_replicas=own))
    if case.running != own and case.observation.last is not None and case.observation.last.own_replicas is not None:
        return replace(verdict, decision=replace(decision, own_replicas=own))
    return verdict


def _text(slot: Slot) -> str:
    return f"slice {slot.start} of GPU {slot.gpu}"


def steered(inventory: Inventory, turn: Turn) -> Inventory:
    """The target counts as standing while it is to be taken; a place to be left is no place any more, though held.

    Nothing new goes to the GPUs that are to be freed.
    """
    if turn.move is None:
        return inventory
    origin, target = turn.move.origin, turn.move.target
    gpus = tuple(replace(g, usable=g.usable and g.uuid not in turn.repacking.frees) for g in inventory.gpus)
    if turn.stage is Stage.SURGE:
        return Inventory(gpus, tuple(sorted({*inventory.ours, target})), inventory.foreign)
    if turn.stage is Stage.BLOCKED:
        return Inventory(gpus, inventory.ours, inventory.foreign)
    ours = tuple(slot for slot in inventory.ours if slot != origin)
    return Inventory(gpus, ours, (*inventory.foreign, replace(origin, service=None)))


def moving_of(turn: Turn, snapshot: Snapshot) -> Moving:
    moves = turn.repacking.moves
    if turn.move is not None:
        return Moving(moves.index(turn.move), turn.move, turn.waits_for)
    standing = {r.slot.gpu for o in snapshot.observations for r in o.replicas if r.slot}
    standing |= {slot.gpu for slot in snapshot.foreign}
    return Moving(len(moves), held=tuple(gpu for gpu in turn.repacking.frees if gpu in standing))
