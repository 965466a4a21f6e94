"""The dry run of an intent: what it writes, what it bounds, and what the same planner would then decide."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cynosure.api import ScalingIntent
from cynosure.api.intent_status import Change, GroundedDirective, IntentPlan, ServiceEstimate
from cynosure.api.partitions import PARTITIONS
from cynosure.api.scalars import decimal, plain
from cynosure.intents.approval import Proposal
from cynosure.intents.bounds import Holding, bounds_of
from cynosure.intents.digest import plan_digest
from cynosure.intents.effects import (
    Bound,
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
from cynosure.intents.writes import Write, change_of, in_place, recorded, writes_of
from cynosure.model.bounds import Bounds
from cynosure.model.plan import Decision, Plan
from cynosure.model.repacking import Defragmentation, Repacking
from cynosure.model.service import ServiceKey

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
    """Own writes and moves, and the reversal of those of ``ended`` that still stand and are not written anew."""
    effects = effects_of(directives)
    own = writes_of(effects, facts)
    taken = {(write.service, write.path) for write in own}
    undone = [write for other in ended if other.status.undo for write in recorded(other.status.undo.changes)]
    others = [w for w in undone if (w.service, w.path) not in taken and w.before != w.after]
    restored = tuple(w for w in others if in_place(w, facts))
    left = tuple(w for w in others if w not in restored)
    writes = own + restored
    repacking = defragmentation.repacking if defragmentation else Repacking()
    services = {*_concerned(effects, intent, facts), *services_of(repacking), *(write.service for write in writes)}
    names = [other.metadata.name for other in ended]
    digest = plan_digest(intent.metadata.uid, directives, services, writes, names, facts, repacking)
    return Draft(effects, writes, tuple(ended), digest, left, defragmentation)


def dry_run(
    intent: ScalingIntent,
    draft: Draft,
    in_force: Sequence[Holding],
    risks: Sequence[str],
    facts: Facts,
    what_if: WhatIf,
    now_seconds: float,
) -> DryRun:
    """Plan before and after over the same snapshot and forecasts, so that only the intent makes a difference."""
    namespace, name = intent.metadata.namespace, intent.metadata.name
    kept = without(in_force, namespace, [other.metadata.name for other in draft.ended])
    before = what_if(bounds_of(in_force, facts.policy))
    after = what_if(bounds_of([*kept, Holding(namespace, name, draft.effects)], facts.policy, pins=True))
    moved = _moved(before, after, namespace)
    proposal = Proposal(draft.digest, moved, _changes_something(draft), len(_repacking(draft).moves))
    shown = _shown([*moved, *services_of(_repacking(draft))], draft.effects, intent, facts)
    found = obstacle(draft.effects, before, after)
    untouched = [f"{w.path} of {w.service} is left as somebody else wrote it" for w in draft.left]
    lines = _lines(draft, before, after, facts)
    message = "\n".join(
        [
            *lines,
            *(f"Risk: {risk}" for risk in [*risks, *untouched, *shortfalls(before, after, namespace)]),
        ]
    )
    plan = IntentPlan(
        digest=draft.digest,
        made_at=datetime.fromtimestamp(now_seconds, UTC),
        diff=tuple(_diff(draft, in_force, namespace))[:_CHANGES],
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
    replicas = {k: (old[k], new[k]) for k in old if k in new}
    return Proposal(draft.digest, replicas, _changes_something(draft), len(plan.moves))


def _repacking(draft: Draft) -> Repacking:
    return draft.defragmentation.repacking if draft.defragmentation else Repacking()


def _lines(draft: Draft, before: Plan, after: Plan, facts: Facts) -> list[str]:
    moves = moves_told(draft.defragmentation) if draft.defragmentation else ()
    ended = [other.metadata.name for other in draft.ended]
    return [*moves, *sentences(draft.effects, draft.writes, ended, before, after, facts)]


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


def _shown(
    moved: Iterable[ServiceKey], effects: Iterable[Effect], intent: ScalingIntent, facts: Facts
) -> list[ServiceKey]:
    concerned = dict.fromkeys([*_concerned(effects, intent, facts), *moved])
    return list(concerned)[:_SERVICES]


def _moved(before: Plan, after: Plan, namespace: str) -> Mapping[ServiceKey, tuple[int, int]]:
    """Services of ``namespace`` whose replicas the intent moves: the others are not its requester's to see."""
    old = {d.service: d.option.replicas for d in before.decisions}
    new = {d.service: d.option.replicas for d in after.decisions}
    both = ((key, (old[key], new[key])) for key in old if key in new and key.namespace == namespace)
    return {key: numbers for key, numbers in both if numbers[0] != numbers[1]}


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


def _diff(draft: Draft, in_force: Sequence[Holding], namespace: str) -> Iterator[Change]:
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
