"""Writes of an approved intent, and their reversal. Each step can be interrupted and is simply done again.

The undo record is in the status before the first write: an intent that has one and is not applied yet is finished
after a restart. A field is written only if it holds the value that the record says, so that nothing is overwritten
that somebody else wrote meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cynosure.api import ScalingIntent
from cynosure.api.conditions import Reason, Type
from cynosure.api.intent_status import ServiceChange, Undo
from cynosure.errors import NotFound, Refused
from cynosure.intents.bounds import applied_at, stated_end
from cynosure.intents.dry_run import bound_change
from cynosure.intents.effects import Bound, effects_of
from cynosure.intents.facts import Facts
from cynosure.intents.services import committed, leaving, reverse
from cynosure.intents.writes import Write, by_service, change_of, in_place, merge_patch, recorded, value_at
from cynosure.kube.port import INFERENCE_SERVICES, KubeApi
from cynosure.model.condition import Condition, Status
from cynosure.model.service import ServiceKey
from cynosure.reconcile.lifecycle import services
from cynosure.reconcile.lifecycle.picture import Picture
from cynosure.reconcile.lifecycle.progress import Progress


def record(progress: Progress, writes: Sequence[Write], changes: Sequence[ServiceChange]) -> None:
    """From here on the writes are going to be made, and services made and deleted, whatever happens in between."""
    namespace = progress.intent.metadata.namespace
    bounds = [effect for effect in effects_of(progress.status.directives) if isinstance(effect, Bound)]
    fields = [change_of(write.reverse) for write in writes]
    fields += [bound_change(effect, namespace, added=False) for effect in bounds]
    progress.set(undo=Undo(changes=tuple(fields[:64]), services=tuple(map(reverse, changes))))
    message = f"{len(writes)} field(s) to write, {len(changes)} service(s) to make or delete"
    progress.say(Type.APPLIED, Status.UNKNOWN, Reason.APPLYING, message)


def outstanding(progress: Progress) -> tuple[Write, ...]:
    """The writes that the undo record commits to."""
    undo = progress.status.undo
    return tuple(write.reverse for write in recorded(undo.changes)) if undo else ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """``left`` are the fields that hold neither value: somebody else wrote them, and they are not touched."""

    left: tuple[Write, ...] = ()
    refused: str | None = None


async def write(kube: KubeApi, picture: Picture, writes: Sequence[Write]) -> Outcome:
    """Raises ``Unavailable`` or ``Conflict``, after which it is done again from a newer picture."""
    left: list[Write] = []
    for service, group in by_service(writes).items():
        pending = [w for w in group if not _done(w, picture.facts)]
        mine = [w for w in pending if in_place(w, picture.facts)]
        left += [w for w in pending if w not in mine]
        found = picture.facts.service(service)
        if not mine or found is None:
            continue
        patch = merge_patch(mine, found.metadata.resource_version)
        try:
            body = await kube.patch(INFERENCE_SERVICES, service.name, patch, namespace=service.namespace)
        except (Refused, NotFound) as error:
            return Outcome(tuple(left), str(error))
        picture.put_service(body)
    return Outcome(tuple(left))


def _done(write: Write, facts: Facts) -> bool:
    service = facts.service(write.service)
    return service is not None and value_at(service, write.path) == write.after


async def finish(progress: Progress, kube: KubeApi, picture: Picture) -> None:
    """Make the recorded writes; if one is impossible, take the others back and say so."""
    writes = outstanding(progress)
    outcome = await write(kube, picture, writes)
    why = outcome.refused or (f"{_names(outcome.left)} changed meanwhile" if outcome.left else None)
    why = why or await services.carry_out(kube, picture, committed(progress.status.undo))
    if why:
        await write(kube, picture, [w.reverse for w in writes])
        await _restore(progress, kube, picture)
        progress.say(Type.APPLIED, Status.FALSE, Reason.APPLY_REFUSED, f"{why}; nothing of it is in force")
        return
    progress.set(applied_at=progress.now)
    moves = len(progress.status.plan.moves) if progress.status.plan else 0
    done = f"{moves} move(s) begin" if moves else f"{len(writes)} field(s) written; its bounds hold"
    if committed(progress.status.undo):
        done = "its services are made" if not leaving(progress.status.undo) else "its time of grace runs"
    progress.say(Type.APPLIED, Status.TRUE, Reason.IN_FORCE, done)


async def take_back(progress: Progress, kube: KubeApi, picture: Picture, ended: Condition) -> None:
    """Restore what is recorded, where our value still stands, and end the intent.

    No service is made or deleted at an end that nobody has approved.
    """
    outcome = await write(kube, picture, [w.reverse for w in outstanding(progress)])
    notes = [f"left as somebody else wrote it: {_names(outcome.left)}"] if outcome.left else []
    end = stated_end(progress.status.directives)
    if ended.reason != Reason.EXPIRED or (end is not None and end <= progress.now):
        refused = await _restore(progress, kube, picture)
    else:
        refused = "services stay, as their directives state no end" if committed(progress.status.undo) else None
    notes += [f"not restored: {why}" for why in (outcome.refused, refused) if why]
    message = "; ".join([ended.message, *notes])
    progress.put(Condition(ended.type, ended.status, ended.reason, message))


async def _restore(progress: Progress, kube: KubeApi, picture: Picture) -> str | None:
    """Services as they were before; what stands in the way of it."""
    undo = progress.status.undo
    return await services.carry_out(kube, picture, undo.services) if undo else None


def _names(writes: Sequence[Write]) -> str:
    return ", ".join(f"{w.path} of {w.service}" for w in writes)


def overwritten_by(intent: ScalingIntent, others: Iterable[ScalingIntent]) -> ScalingIntent | None:
    """The intent that wrote every field of this one anew, when fields are all that this one was about."""
    fields = _fields(intent)
    changes = intent.status.undo.changes if intent.status.undo else ()
    if not fields or len(fields) < len(changes):
        return None
    later = (other for other in others if applied_at(other) > applied_at(intent))
    return next((other for other in later if fields <= _fields(other)), None)


def _fields(intent: ScalingIntent) -> frozenset[tuple[ServiceKey, str]]:
    changes = intent.status.undo.changes if intent.status.undo else ()
    return frozenset((write.service, write.path) for write in recorded(changes))
