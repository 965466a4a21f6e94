"""From an approved repacking to its end: how far it has come is seen in the cluster, and only that is written down.

``verification`` keeps when the last move was over, so that a move which does not come to its end is called off, also
after a restart. What was moved before stays where it serves.
"""

from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.conditions import Reason, Type
from cynosure.api.intent_status import Measurement, Verification
from cynosure.api.scalars import decimal
from cynosure.intents.bounds import Holding, bounds_of
from cynosure.intents.dry_run import WhatIf
from cynosure.intents.moves import place, repacking_of, services_of
from cynosure.intents.verification import ALL_SERVICES, REPLICAS, EvidenceSource, Finding, range_finding
from cynosure.model.condition import Status
from cynosure.model.plan import Plan
from cynosure.model.repacking import Moving
from cynosure.model.service import ServiceKey
from cynosure.reconcile.lifecycle.progress import Progress

MOVES, FREED = "moves", "gpus-freed"


def begin(progress: Progress) -> None:
    _say(progress, Moving(0), Verification(since=progress.now))


def rest(progress: Progress) -> None:
    """Under the emergency stop nothing moves, and no time counts: ``until`` says since when."""
    state = progress.status.verification
    if state is not None and state.until is None and progress.is_(Type.VERIFIED, Status.UNKNOWN, Reason.MOVING):
        progress.set(verification=state.model_copy(update={"until": progress.now}))


async def look(
    progress: Progress,
    what_if: WhatIf | None,
    evidence: EvidenceSource,
    policy: AutomationPolicySpec,
    move_seconds: float,
) -> None:
    """The verdict when all moves are over, or when the present one takes longer than ``move_seconds``."""
    state, repacking = progress.status.verification, repacking_of(progress.status.plan)
    if what_if is None or state is None or not progress.is_(Type.VERIFIED, Status.UNKNOWN, Reason.MOVING):
        return
    held = Holding(progress.intent.metadata.namespace, progress.intent.metadata.name, (), repacking)
    plan = what_if(bounds_of([held], policy))
    moving = plan.moving
    if moving is None:
        return
    if state.until is not None:
        _say(progress, moving, Verification(since=progress.now))
    elif moving.current is None:
        await _conclude(progress, state, moving, plan, evidence)
    elif moving.over > _over(state):
        _say(progress, moving, Verification(since=progress.now))
    elif (progress.now - state.since).total_seconds() > move_seconds:
        _call_off(progress, state, moving, move_seconds)
    else:
        _say(progress, moving, state)


def _over(state: Verification) -> int:
    return next((int(m.value or 0) for m in state.measurements if m.metric == MOVES), 0)


def _say(progress: Progress, moving: Moving, state: Verification) -> None:
    repacking = repacking_of(progress.status.plan)
    message = f"{moving.over} of {len(repacking.moves)} moves made"
    if moving.current is not None:
        message += f"; {_now(moving)}"
    measurements = (_count(MOVES, len(repacking.moves), moving.over),)
    progress.set(verification=state.model_copy(update={"measurements": measurements, "message": message}))
    progress.say(Type.VERIFIED, Status.UNKNOWN, Reason.MOVING, message)


def _now(moving: Moving) -> str:
    if moving.current is None:
        return ""
    origin, target = moving.current.origin, moving.current.target
    whose = f"a {origin.partition} of {moving.current.service}"
    return f"{whose} from {place(origin)} to {place(target)} waits for {moving.waits_for}"


def _call_off(progress: Progress, state: Verification, moving: Moving, move_seconds: float) -> None:
    message = f"after {move_seconds:g} s {_now(moving)}; called off, with {moving.over} moves made, which stay"
    progress.set(verification=state.model_copy(update={"until": progress.now, "met": False, "message": message}))
    progress.say(Type.VERIFIED, Status.FALSE, Reason.EFFECT_MISSED, message)


async def _conclude(
    progress: Progress, state: Verification, moving: Moving, plan: Plan, evidence: EvidenceSource
) -> None:
    """The GPUs are free, and nobody had fewer ready replicas than it has to have, as far as that was seen."""
    repacking = repacking_of(progress.status.plan)
    free = len(repacking.frees) - len(moving.held)
    floors = [await _floor(progress, service, plan, evidence) for service in services_of(repacking)]
    broken = [finding.message for finding in floors if finding.met is False]
    told = [f"{len(repacking.moves)} moves made"]
    told += [f"{free} of {len(repacking.frees)} GPUs freed"] if repacking.frees else []
    told += [f"GPU {gpu} holds a partition all the same" for gpu in moving.held]
    told += [finding.message for finding in floors]
    met, message = not moving.held and not broken, "; ".join(told)
    measurements = (
        _count(MOVES, len(repacking.moves), len(repacking.moves)),
        _count(FREED, len(repacking.frees), free),
        *(finding.measurement for finding in floors),
    )
    progress.set(
        verification=Verification(
            since=state.since, until=progress.now, met=met, measurements=measurements, message=message[:2048]
        )
    )
    reason = Reason.EFFECT_SEEN if met else Reason.EFFECT_MISSED
    progress.say(Type.VERIFIED, Status.TRUE if met else Status.FALSE, reason, message)


async def _floor(progress: Progress, service: ServiceKey, plan: Plan, evidence: EvidenceSource) -> Finding:
    """Its replicas when it was planned, or those that its load asks for by now, where they are fewer."""
    known = [d.option.replicas for d in plan.decisions if d.service == service]
    before = progress.status.plan.before if progress.status.plan else ()
    known += [e.replicas for e in before if (e.namespace, e.service) == (service.namespace, service.name)]
    since = progress.status.applied_at or progress.now
    seen = await evidence.extremes(service, REPLICAS, since.timestamp(), progress.now.timestamp())
    return range_finding(service, REPLICAS, "count", min(known, default=1), None, seen)


def _count(metric: str, limit: int, value: int) -> Measurement:
    met, wanted, seen = value >= limit, decimal(limit), decimal(value)
    return Measurement(service=ALL_SERVICES, metric=metric, limit=wanted, value=seen, unit="count", met=met)
