"""What a dry run says: whether the intent can be met, what it costs others, and the sentences for its approver."""

from collections.abc import Iterable, Iterator, Sequence

from cynosure.api.conditions import Reason, Type
from cynosure.intents.effects import (
    Creation,
    Defragment,
    Deletion,
    Effect,
    Explanation,
    LatencyLimit,
    ModeChange,
    Pin,
    ReplicaLimit,
)
from cynosure.intents.facts import Facts
from cynosure.intents.writes import Write
from cynosure.model.condition import Condition, Status
from cynosure.model.plan import Option, Plan
from cynosure.model.service import Mode, ServiceKey

_PLANNED = frozenset({Type.PLACED, Type.WITHIN_BUDGET, Type.PROFILE_KNOWN})
_LIMITED = frozenset({Reason.BUDGET_LIMITS.value, Reason.REPLICAS_LIMITED.value})


def obstacle(effects: Sequence[Effect], before: Plan, after: Plan) -> str | None:
    """Why the intent cannot be met: what the dry run misses with it and does not miss without it.

    A cap alone may cost attainment: that is a risk, and for a person to decide. Asked for together with a latency or
    a number of replicas, it has to leave room for them.
    """
    demanding = {e.service for e in effects if isinstance(e, LatencyLimit | ReplicaLimit | Pin | Creation)}
    for key, condition in _news(before, after):
        if condition.reason not in _LIMITED or key in demanding:
            return f"{key}: {condition.message or condition.reason}"
    return None


def shortfalls(before: Plan, after: Plan, namespace: str) -> Iterator[str]:
    """What gets worse; of other namespaces only that it does, since their names are not for everybody."""
    for key, condition in _news(before, after):
        where = str(key) if key.namespace == namespace else "a service of another namespace"
        yield f"{where}: {condition.message or condition.reason}"


def _news(before: Plan, after: Plan) -> Iterator[tuple[ServiceKey, Condition]]:
    old = {(key, condition.reason) for key, condition in _failing(before)}
    return ((key, condition) for key, condition in _failing(after) if (key, condition.reason) not in old)


def _failing(plan: Plan) -> Iterator[tuple[ServiceKey, Condition]]:
    for key, conditions in plan.conditions:
        for condition in conditions:
            planned = condition.type in _PLANNED and condition.reason != Reason.PLACING
            failed = condition.status is Status.FALSE and (planned or condition.reason == Reason.SLO_UNREACHABLE)
            if failed or condition.reason == Reason.PRICE_UNKNOWN:
                yield key, condition
    for missing in plan.placement.unplaced:
        yield missing.service, Condition(Type.PLACED, Status.FALSE, Reason.NO_ROOM, missing.message)


def sentences(
    effects: Sequence[Effect],
    writes: Sequence[Write],
    ended: Sequence[str],
    before: Plan,
    after: Plan,
    facts: Facts,
    *,
    deletes_at_once: bool,
) -> Iterator[str]:
    yield from _explanations(effects, facts)
    if all(isinstance(effect, Explanation | Defragment) for effect in effects) and not ended:
        return
    for effect in effects:
        if isinstance(effect, ModeChange):
            yield _mode(effect)
    yield from (f"Ends intent {name}." for name in ended)
    yield from _options(before, after)
    yield from (_beginning(e.service, after) for e in effects if isinstance(e, Creation))
    yield f"GPUs in use: {_share(before):g} now wanted, {_share(after):g} with it."
    if deletes_at_once:
        yield "Not reversible: what is deleted at once comes back by another deploy only."
    else:
        yield from _reversal(effects, writes)


def _beginning(service: ServiceKey, after: Plan) -> str:
    found = next((decision.option for decision in after.decisions if decision.service == service), None)
    if found is None:
        return f"{service}: nothing is decided for it."
    cost = "" if found.cost_per_hour is None else f", {found.cost_per_hour:.2f} an hour"
    watts = f", {found.watts:.0f} W" if found.watts else ""
    return f"{service}: begins with {_text(found)} on {found.gpu_product}{watts}{cost}; its load is not known yet."


def _reversal(effects: Sequence[Effect], writes: Sequence[Write]) -> Iterator[str]:
    if any(isinstance(effect, Creation) for effect in effects):
        yield "Reversible: an undo deletes what is made, at once and with its pods, unless somebody changed it."
    elif not any(isinstance(effect, Deletion) for effect in effects):
        yield "Reversible: an undo restores " + (f"{len(writes)} written field(s)." if writes else "the bounds before.")


def _mode(effect: ModeChange) -> str:
    paused = effect.mode is Mode.PAUSED
    return f"{effect.service}: " + ("nothing is changed any more until it is resumed." if paused else "decided again.")


def _options(before: Plan, after: Plan) -> Iterator[str]:
    new = {decision.service: decision.option for decision in after.decisions}
    for decision in before.decisions:
        old, planned = decision.option, new.get(decision.service)
        if planned is not None and _shape(old) != _shape(planned):
            yield f"{decision.service}: {_text(old)} becomes {_text(planned)}."


def _shape(option: Option) -> tuple[int, str]:
    return option.replicas, option.partition


def _text(option: Option) -> str:
    return f"{option.replicas} x {option.partition}"


def _share(plan: Plan) -> float:
    return round(sum(decision.option.gpu_share for decision in plan.decisions), 2)


def _explanations(effects: Iterable[Effect], facts: Facts) -> Iterator[str]:
    for effect in effects:
        if not isinstance(effect, Explanation):
            continue
        service = facts.service(effect.service)
        decision = service.status.decision if service else None
        yield f"{effect.service}: " + (
            f"{decision.action} ({decision.reason}): {decision.message}" if decision else "nothing was decided yet."
        )
