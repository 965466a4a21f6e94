"""From a new intent to a plan that can be approved: read, ground, look for conflicts, dry run."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cynosure.api import ScalingIntent
from cynosure.api.conditions import Reason, Type
from cynosure.api.intent_status import GroundedDirective, IntentConflict, IntentPlan, Phase, Refusal
from cynosure.intents.approval import Proposal
from cynosure.intents.bounds import Holding, bounds_of, holdings
from cynosure.intents.conflicts import clashes
from cynosure.intents.dry_run import Draft, WhatIf, draft_of, dry_run, proposal_of, without
from cynosure.intents.effects import Reversal, effects_of
from cynosure.intents.facts import Facts
from cynosure.intents.grounding import Grounded, ground
from cynosure.intents.moves import scope_of
from cynosure.kube.port import KubeApi
from cynosure.model.condition import Condition, Status
from cynosure.model.repacking import Defragmentation
from cynosure.model.service import Service
from cynosure.place.blame import smallest_conflict
from cynosure.reconcile.lifecycle import services
from cynosure.reconcile.lifecycle.drafting import Drafted, Drafts
from cynosure.reconcile.lifecycle.picture import Picture
from cynosure.reconcile.lifecycle.progress import Progress

REPLAN_SECONDS = 60.0
"""Age at which the estimates of a plan that waits for approval are made anew; its digest stays."""

Forecasts = Callable[[], WhatIf | None]
"""A dry run over the newest snapshot, the same one for all its calls; None before the first planning pass."""


def understand(progress: Progress, picture: Picture, drafts: Drafts) -> Grounded | None:
    """The grounded directives of the intent; None while they are not there, and the conditions say why."""
    status, generation = progress.status, progress.intent.metadata.generation
    unread = not status.directives or progress.phase is Phase.QUESTION
    if unread:
        if progress.phase in (Phase.REFUSED, Phase.QUESTION) and status.observed_generation >= generation:
            return None
        drafted = drafts.of(progress.intent, picture.facts)
        if drafted is None:
            progress.say(Type.GROUNDED, Status.UNKNOWN, Reason.PROGRESSING, "the text is being read")
            return None
        if not _drafted(progress, drafted):
            return None
        directives: Sequence[GroundedDirective] = drafted.directives
    else:
        directives = status.directives
    grounded = ground(directives, progress.intent.metadata.namespace, picture.facts, _undoable(progress, picture))
    if isinstance(grounded, Refusal):
        _refuse(progress, grounded)
        return None
    progress.set(directives=grounded.directives, refusal=None, question=None)
    progress.say(Type.GROUNDED, Status.TRUE, Reason.UNDERSTOOD, f"{len(grounded.directives)} directive(s)")
    return grounded


def _drafted(progress: Progress, drafted: Drafted) -> bool:
    progress.set(engine=drafted.engine)
    if drafted.model_available is not None:
        progress.put(drafted.model_available)
    if drafted.question:
        progress.set(question=drafted.question)
        progress.say(Type.GROUNDED, Status.FALSE, Reason.QUESTION_OPEN, drafted.question)
    elif drafted.refusal:
        _refuse(progress, drafted.refusal)
    elif not drafted.directives:
        _refuse(progress, Refusal(reason=Reason.NOT_AN_INTENT, message="the text asks for nothing that Cynosure does"))
    return bool(drafted.directives) and not (drafted.question or drafted.refusal)


def _refuse(progress: Progress, refusal: Refusal) -> None:
    progress.back_to(Type.GROUNDED)
    progress.set(refusal=refusal, plan=None, directives=(), conflicts=())
    nearest = f"; nearest: {refusal.nearest}" if refusal.nearest else ""
    progress.put(Condition(Type.GROUNDED, Status.FALSE, refusal.reason, f"{refusal.message}{nearest}"))


def _undoable(progress: Progress, picture: Picture) -> list[str]:
    """Intents in force in the namespace that did more than undoing, the first applied first."""
    intent = progress.intent
    held = holdings(picture.intents.values(), picture.policy, progress.now.timestamp())
    return [
        one.intent
        for one in held
        if one.namespace == intent.metadata.namespace
        and one.intent != intent.metadata.name
        and any(not isinstance(effect, Reversal) for effect in one.effects)
    ]


def ended_by(progress: Progress, picture: Picture) -> list[ScalingIntent]:
    """The applied intents that this one takes back, by undo or by ``spec.supersedes``."""
    intent = progress.intent
    named = {effect.intent for effect in effects_of(progress.status.directives) if isinstance(effect, Reversal)}
    named |= {intent.spec.supersedes} if intent.spec.supersedes else set()
    in_force = _undoable(progress, picture)
    return [picture.intents[intent.metadata.namespace, name] for name in in_force if name in named]


async def plan(
    progress: Progress, grounded: Grounded, picture: Picture, forecasts: Forecasts, kube: KubeApi
) -> Proposal | None:
    """What may be approved now; None while there is nothing, and the conditions say why."""
    facts, now = picture.facts, progress.now.timestamp()
    ended = ended_by(progress, picture)
    held = [h for h in holdings(picture.intents.values(), picture.policy, now) if not _is(h, progress.intent)]
    moves = await _defragmentation(progress, held, picture, forecasts)
    if moves is not None and not moves.repacking:
        return None
    draft = draft_of(progress.intent, grounded.directives, ended, facts, moves)
    rest = without(held, progress.intent.metadata.namespace, [other.metadata.name for other in ended])
    if contradictions := _contradictions(progress.intent, draft, rest):
        progress.set(plan=None)
        _conflicted(progress, contradictions)
        return None
    if (old := progress.status.plan) is not None and _is_fresh(progress, draft):
        return proposal_of(old, draft) if progress.is_(Type.PLANNED, Status.TRUE) else None
    what_if = forecasts()
    if what_if is None:
        _waits_for_a_pass(progress)
        return None
    if why := await services.rehearse(kube, picture, draft.services):
        progress.set(plan=IntentPlan(digest=draft.digest, made_at=progress.now, message=why[:2048]))
        _infeasible(progress, (), why)
        return None
    risks = (*grounded.risks, *(moves.notes if moves else ()))
    come = services.newcomers(picture, draft.services)
    run = await asyncio.to_thread(dry_run, progress.intent, draft, held, risks, facts, what_if, int(now), come)
    progress.set(plan=run.plan, conflicts=())
    if run.obstacle:
        blamed = await asyncio.to_thread(_blamed, progress, draft, rest, facts, what_if, come)
        _infeasible(progress, blamed, run.obstacle)
        return None
    progress.say(Type.CONFLICT_FREE, Status.TRUE, Reason.NO_CONFLICT, "no intent in force wants the opposite")
    progress.say(Type.PLANNED, Status.TRUE, Reason.PLAN_READY, f"digest {run.plan.digest}")
    return run.proposal


def _waits_for_a_pass(progress: Progress) -> None:
    progress.back_to(Type.CONFLICT_FREE)
    progress.say(Type.PLANNED, Status.UNKNOWN, Reason.PLANNING, "no planning pass has been made yet")


async def _defragmentation(
    progress: Progress, held: Sequence[Holding], picture: Picture, forecasts: Forecasts
) -> Defragmentation | None:
    """The moves that are proposed now, none when the conditions say why; None for an intent that moves nothing.

    Looked at in every round: what waits for an approval must be possible when it comes. A refusal keeps for a while.
    """
    scope, old = scope_of(effects_of(progress.status.directives), progress.status.plan), progress.status.plan
    if scope is None:
        return None
    if progress.is_(Type.PLANNED, Status.FALSE) and old is not None and _age(progress, old) < REPLAN_SECONDS:
        return Defragmentation()
    what_if = forecasts()
    if what_if is None:
        _waits_for_a_pass(progress)
        return Defragmentation()
    plan = await asyncio.to_thread(what_if, replace(bounds_of(held, picture.policy), defragment=scope))
    found = plan.defragmentation or Defragmentation()
    if not found.repacking:
        draft = draft_of(progress.intent, progress.status.directives, (), picture.facts, found)
        message = found.obstacle or ""
        progress.set(plan=IntentPlan(digest=draft.digest, made_at=progress.now, message=message))
        progress.say(Type.CONFLICT_FREE, Status.TRUE, Reason.NO_CONFLICT, "no intent in force wants the opposite")
        progress.back_to(Type.CONFLICT_FREE)
        progress.say(Type.PLANNED, Status.FALSE, Reason.NOTHING_TO_GAIN, message)
    return found


def _is(held: Holding, intent: ScalingIntent) -> bool:
    return (held.namespace, held.intent) == (intent.metadata.namespace, intent.metadata.name)


def _is_fresh(progress: Progress, draft: Draft) -> bool:
    """A dry run costs planning passes; while nothing that counts has changed, its answer keeps for a while."""
    plan = progress.status.plan
    return plan is not None and plan.digest == draft.digest and _age(progress, plan) < REPLAN_SECONDS


def _age(progress: Progress, plan: IntentPlan) -> float:
    return (progress.now - plan.made_at).total_seconds()


def _contradictions(intent: ScalingIntent, draft: Draft, rest: Sequence[Holding]) -> Mapping[str, str]:
    """By the name of an intent in force: what it wants that this one excludes."""
    name, namespace = intent.metadata.name, intent.metadata.namespace
    claims = {held.intent: held.effects for held in rest if held.namespace == namespace}
    found = (clash for clash in clashes({**claims, name: draft.effects}) if name in clash.sources)
    return {next(s for s in clash.sources if s != name): clash.message for clash in found}


def _conflicted(progress: Progress, by_name: Mapping[str, str]) -> None:
    conflicts = tuple(IntentConflict(name=name, message=message[:2048]) for name, message in by_name.items())
    progress.set(conflicts=conflicts[:16])
    progress.back_to(Type.CONFLICT_FREE)
    message = "; ".join(by_name.values())
    hint = "what is in force holds; undo it first, or ask again with spec.supersedes"
    progress.say(Type.CONFLICT_FREE, Status.FALSE, Reason.INTENTS_CONTRADICT, f"{message}; {hint}")


def _blamed(
    progress: Progress,
    draft: Draft,
    rest: Sequence[Holding],
    facts: Facts,
    what_if: WhatIf,
    come: Sequence[Service],
) -> tuple[Holding, ...]:
    """The smallest set of intents in force without which it could be met; empty when it cannot be met alone."""
    at = {held.source: held for held in rest}
    alone = Draft(draft.effects, draft.writes, (), draft.digest, services=draft.services)

    def feasible(sources: Sequence[str]) -> bool:
        held = [at[source] for source in sources]
        return dry_run(progress.intent, alone, held, (), facts, what_if, 0, come).obstacle is None

    return tuple(at[s] for s in smallest_conflict(list(at), feasible)) if at and feasible(()) else ()


def _infeasible(progress: Progress, blamed: Sequence[Holding], obstacle: str) -> None:
    """Intents of other namespaces are not named: their names are not the requester's to see."""
    namespace = progress.intent.metadata.namespace
    own = {held.intent: f"{held.intent} leaves no room: {obstacle}" for held in blamed if held.namespace == namespace}
    if own:
        _conflicted(progress, own)
        return
    progress.say(Type.CONFLICT_FREE, Status.TRUE, Reason.NO_CONFLICT, "no intent of this namespace is in the way")
    progress.back_to(Type.CONFLICT_FREE)
    progress.say(Type.PLANNED, Status.FALSE, Reason.INFEASIBLE, obstacle)
