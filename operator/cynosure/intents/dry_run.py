"""The dry run of an intent: what it writes, what it bounds, and what the same planner would then decide."""

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cynosure.api import ScalingIntent
from cynosure.api.intent_status import Change, GroundedDirective, IntentPlan, ServiceChange, ServiceEstimate
from cynosure.api.partitions import PARTITIONS
from cynosure.api.scalars import decimal, plain
from cynosure.intents.approval import Proposal
from cynosure.intents.bounds import Holding, bounds_of, stated_end
from cynosure.intents.deploying import recipe_of
from cynosure.intents.digest import plan_digest
from cynosure.intents.effects import (
    Bound,
    Creation,
    Defragment,
    Effect,
    Explanation,
    LatencyLimit,
    Preference,
    ReplicaLimit,
    Reversal,
    Timetable,
    UseLimit,
    effects_of,
)
from cynosure.intents.facts import Facts, key_of
from cynosure.intents.moves import change_of as move_change
from cynosure.intents.moves import planned, services_of
from cynosure.intents.moves import sentences as moves_told
from cynosure.intents.outlook import obstacle, sentences, shortfalls
from cynosure.intents.services import DELETE, given_back, is_there, lines, place, service_changes, to_delete, to_make
from cynosure.intents.services import sentences as services_told
from cynosure.intents.writes import Write, change_of, in_place, recorded, writes_of
from cynosure.model.bounds import Bounds
from cynosure.model.plan import Decision, Plan
from cynosure.model.repacking import Defragmentation, Repacking
from cynosure.model.service import Service, ServiceKey

WhatIf = Callable[[Bounds], Plan]
"""Plans over the newest snapshot and forecasts, under other bounds; changes nothing."""

_CHANGES, _SERVICES, _TEXT = 64, 64, 2048


@dataclass(frozen=True, slots=True)
class Draft:
    """What an intent would do, before anything is planned.

    ``ended`` are the intents that it takes back; ``left`` are fields of theirs that somebody else wrote since, and
    that are not touched.
    """

    effects: tuple[Effect, ...]
    writes: tuple[Write, ...]
    ended: tuple[ScalingIntent, ...]
    digest: str
    left: tuple[Write, ...] = ()
    defragmentation: Defragmentation | None = None
    services: tuple[ServiceChange, ...] = ()
    kept: tuple[str, ...] = ()
    """In words: services that a reversal would make or delete, and leaves as they are."""
    end: datetime | None = None
    """When ``services`` are as before by themselves."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """``obstacle`` says why it cannot be met, None when it can."""

    plan: IntentPlan
    proposal: Proposal
    obstacle: str | None = None


def draft_of(
    intent: ScalingIntent,
    directives: Sequence[GroundedDirective],
    ended: Sequence[ScalingIntent],
    facts: Facts,
    defragmentation: Defragmentation | None = None,
) -> Draft:
    """Own writes, services and moves, and the reversal of those of ``ended`` that stand and are not written anew."""
    effects = effects_of(directives)
    own = writes_of(effects, facts)
    taken = {(write.service, write.path) for write in own}
    undone = [write for other in ended if other.status.undo for write in recorded(other.status.undo.changes)]
    others = [w for w in undone if (w.service, w.path) not in taken and w.before != w.after]
    restored = tuple(w for w in others if in_place(w, facts))
    left = tuple(w for w in others if w not in restored)
    writes = own + restored
    reversals, kept = given_back(ended, _concerned(effects, intent, facts), facts)
    changes = service_changes(effects, intent.metadata.uid, facts) + reversals
    repacking = defragmentation.repacking if defragmentation else Repacking()
    services = {*_concerned(effects, intent, facts), *services_of(repacking), *(write.service for write in writes)}
    names = [other.metadata.name for other in ended]
    digest = plan_digest(intent.metadata.uid, directives, services, writes, names, facts, repacking, changes)
    end = stated_end(directives) if changes else None
    return Draft(effects, writes, tuple(ended), digest, left, defragmentation, changes, kept, end)


def dry_run(
    intent: ScalingIntent,
    draft: Draft,
    in_force: Sequence[Holding],
    risks: Sequence[str],
    facts: Facts,
    what_if: WhatIf,
    now_seconds: float,
    newcomers: Sequence[Service] = (),
) -> DryRun:
    """Plan before and after over the same snapshot and forecasts, so that only the intent makes a difference.

    ``newcomers`` are the services that it would make.
    """
    namespace, name = intent.metadata.namespace, intent.metadata.name
    kept = without(in_force, namespace, [other.metadata.name for other in draft.ended])
    before = what_if(bounds_of(in_force, facts.policy))
    bounds = bounds_of([*kept, Holding(namespace, name, draft.effects)], facts.policy, pins=True)
    after = what_if(replace(bounds, newcomers=tuple(newcomers), leavers=to_delete(draft.services)))
    moved = _moved(before, after, namespace, draft, facts)
    proposal = _proposal(draft, moved, len(_repacking(draft).moves))
    shown = _shown([*moved, *services_of(_repacking(draft))], draft.effects, intent, facts)
    found = obstacle(draft.effects, before, after)
    untouched = [f"{w.path} of {w.service} is left as somebody else wrote it" for w in draft.left]
    untouched += [*draft.kept, *_idle(draft, kept, namespace)]
    told = _told(draft, before, after, facts)
    message = "\n".join(
        [
            *told,
            *(f"Risk: {risk}" for risk in [*risks, *untouched, *shortfalls(before, after, namespace)]),
        ]
    )
    plan = IntentPlan(
        digest=draft.digest,
        made_at=datetime.fromtimestamp(now_seconds, UTC),
        diff=tuple(_diff(draft, in_force, namespace, facts))[:_CHANGES],
        services=draft.services,
        moves=planned(_repacking(draft)),
        frees=_repacking(draft).frees,
        before=estimates(before, shown),
        after=estimates(after, shown),
        message=message[:_TEXT],
    )
    return DryRun(plan, proposal, found)


def proposal_of(plan: IntentPlan, draft: Draft) -> Proposal:
    """The same, from a stored plan with this digest."""
    old = {ServiceKey(e.namespace, e.service): e.replicas for e in plan.before}
    new = {ServiceKey(e.namespace, e.service): e.replicas for e in plan.after}
    changed = {place(change) for change in draft.services}
    return _proposal(draft, _before_and_after(old, new, changed), len(plan.moves))


def _proposal(draft: Draft, replicas: Mapping[ServiceKey, tuple[int, int]], moves: int) -> Proposal:
    return Proposal(draft.digest, replicas, _changes_something(draft), moves, bool(to_delete(draft.services)))


def _repacking(draft: Draft) -> Repacking:
    return draft.defragmentation.repacking if draft.defragmentation else Repacking()


def _told(draft: Draft, before: Plan, after: Plan, facts: Facts) -> list[str]:
    moves = moves_told(draft.defragmentation) if draft.defragmentation else ()
    ended = [other.metadata.name for other in draft.ended]
    made = [effect for effect in draft.effects if isinstance(effect, Creation)]
    origins = {effect.service: f"with the engine of {recipe_of(effect.directive, facts).origin}" for effect in made}
    services = [*services_told(draft.services, origins, facts)]
    services += [f"At its end, {draft.end:%Y-%m-%d %H:%M} UTC, all of them are as before."] if draft.end else []
    at_once = any(change.action == DELETE and change.grace_seconds is None for change in draft.services)
    outlook = sentences(draft.effects, draft.writes, ended, before, after, facts, deletes_at_once=at_once)
    return [*moves, *services, *outlook]


def without(in_force: Sequence[Holding], namespace: str, names: Iterable[str]) -> tuple[Holding, ...]:
    gone = set(names)
    return tuple(held for held in in_force if held.namespace != namespace or held.intent not in gone)


def _changes_something(draft: Draft) -> bool:
    """Explanations change nothing, and need nobody's approval."""
    return bool(draft.writes or draft.ended) or any(not isinstance(e, Explanation) for e in draft.effects)


def _concerned(effects: Iterable[Effect], intent: ScalingIntent, facts: Facts) -> Iterator[ServiceKey]:
    for effect in effects:
        if isinstance(effect, Reversal | Defragment):
            continue
        if effect.service is None:
            yield from map(key_of, facts.within(intent.metadata.namespace))
        else:
            yield effect.service


def _idle(draft: Draft, in_force: Iterable[Holding], namespace: str) -> Iterator[str]:
    """Intents in force about a service that goes."""
    gone = to_delete(draft.services)
    for held in in_force:
        about = {e.service for e in held.effects if isinstance(e, Bound)} & gone
        if held.namespace == namespace and about:
            yield f"intent {held.intent} is about {', '.join(map(str, about))}, and has nothing to bound then"


def _shown(
    moved: Iterable[ServiceKey], effects: Iterable[Effect], intent: ScalingIntent, facts: Facts
) -> list[ServiceKey]:
    concerned = dict.fromkeys([*_concerned(effects, intent, facts), *moved])
    return list(concerned)[:_SERVICES]


def _moved(
    before: Plan, after: Plan, namespace: str, draft: Draft, facts: Facts
) -> Mapping[ServiceKey, tuple[int, int]]:
    """Services of ``namespace`` whose replicas the intent moves: the others are not its requester's to see."""
    changed = to_delete(draft.services) | {place(change) for change in to_make(draft.services, facts)}
    old = {d.service: d.option.replicas for d in before.decisions}
    new = {d.service: d.option.replicas for d in after.decisions}
    both = sorted(_before_and_after(old, new, changed).items())
    return {key: numbers for key, numbers in both if key.namespace == namespace and numbers[0] != numbers[1]}


def _before_and_after(
    old: Mapping[ServiceKey, int], new: Mapping[ServiceKey, int], changed: Container[ServiceKey]
) -> dict[ServiceKey, tuple[int, int]]:
    """Replicas. Of what is ``changed``, one that comes has none before, one that goes has none after.

    What is missing otherwise says nothing.
    """
    known = (key for key in [*old, *new] if key in changed or (key in old and key in new))
    return {key: (old.get(key, 0), new.get(key, 0)) for key in known}


def estimates(plan: Plan, shown: Sequence[ServiceKey]) -> tuple[ServiceEstimate, ...]:
    decided = {decision.service: decision for decision in plan.decisions}
    return tuple(_estimate(decided[key]) for key in shown if key in decided)


def _estimate(decision: Decision) -> ServiceEstimate:
    option = decision.option
    return ServiceEstimate(
        namespace=decision.service.namespace,
        service=decision.service.name,
        replicas=option.replicas,
        partition=option.partition if option.partition in PARTITIONS else None,
        gpu_share=decimal(option.gpu_share),
        watts=decimal(option.watts) if option.watts else None,
        cost_per_hour=None if option.cost_per_hour is None else decimal(option.cost_per_hour),
        attainment=None if option.attainment is None else decimal(option.attainment),
    )


def _diff(draft: Draft, in_force: Sequence[Holding], namespace: str, facts: Facts) -> Iterator[Change]:
    changes = (c for c in draft.services if c.action == DELETE or not is_there(c, facts))
    yield from (line for change in changes for line in lines(change))
    yield from map(change_of, draft.writes)
    yield from map(move_change, _repacking(draft).moves)
    for effect in draft.effects:
        if isinstance(effect, Bound):
            yield bound_change(effect, namespace, added=True)
    gone = {other.metadata.name for other in draft.ended}
    for held in in_force:
        if held.namespace == namespace and held.intent in gone:
            for effect in held.effects:
                if isinstance(effect, Bound):
                    yield bound_change(effect, namespace, added=False)


def bound_change(effect: Bound, namespace: str, *, added: bool) -> Change:
    """A bound as a line of a diff. Its path starts with ``bounds``: no object holds it, the intent in force does."""
    match effect:
        case ReplicaLimit(_, least, most):
            path, value = "bounds.replicas", json.dumps({"min": least, "max": most})
        case LatencyLimit(_, target):
            path = f"bounds.{target.metric}.p{target.percentile:g}.milliseconds"
            value = plain(target.milliseconds)
        case UseLimit(_, metric, limit):
            path, value = f"bounds.{metric}.max", plain(limit)
        case Timetable(_, schedule):
            hours, limits = plain(schedule.duration_seconds / 3600), {"min": schedule.least, "max": schedule.most}
            path = f"bounds.replicas, {schedule.cron} for {hours} h, {schedule.time_zone}"
            value = json.dumps(limits)
        case Preference(_, cost, energy):
            path, value = "bounds.objective", json.dumps({"cost": plain(cost), "energy": plain(energy)})
    name = effect.service.name if effect.service else "*"
    before, after = (None, value) if added else (value, None)
    return Change(kind="InferenceService", namespace=namespace, name=name, path=path, before=before, after=after)
