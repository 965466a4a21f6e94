"""The phase of an intent, and whether it is ready: both follow from its conditions and are never stored by hand."""

from collections.abc import Iterable, Mapping

from cynosure.api.conditions import Reason, Type
from cynosure.api.intent_status import Phase
from cynosure.model.condition import Condition, Status

ORDER = (Type.GROUNDED, Type.CONFLICT_FREE, Type.PLANNED, Type.APPROVED, Type.APPLIED, Type.VERIFIED)
"""The way of an intent."""

_ENDED: Mapping[str, Phase] = {
    Reason.UNDONE: Phase.UNDONE,
    Reason.EXPIRED: Phase.EXPIRED,
    Reason.SUPERSEDED: Phase.SUPERSEDED,
    Reason.DENIED: Phase.DENIED,
    Reason.APPLY_REFUSED: Phase.FAILED,
    Reason.EFFECT_MISSED: Phase.FAILED,
}
CLOSED = frozenset({*_ENDED.values(), Phase.REFUSED})
"""Nothing more becomes of an intent in these phases, unless its spec changes; a failed plan is tried again."""


def phase_of(conditions: Iterable[Condition]) -> Phase:
    """Total: every set of conditions has a phase. The furthest condition on the way decides."""
    state = {condition.type: (condition.status, condition.reason) for condition in conditions}
    unknown = (Status.UNKNOWN, "")
    applied, approved = state.get(Type.APPLIED, unknown), state.get(Type.APPROVED, unknown)
    if applied[0] is Status.TRUE:
        return _in_force(state.get(Type.VERIFIED, unknown)[0])
    for status, reason in (applied, approved):
        if status is Status.FALSE and reason in _ENDED:
            return _ENDED[reason]
    if state.get(Type.GROUNDED, unknown)[0] is not Status.TRUE:
        return _not_understood(state.get(Type.GROUNDED, unknown))
    if any(state.get(kind, unknown)[0] is Status.FALSE for kind in (Type.CONFLICT_FREE, Type.PLANNED)):
        return Phase.REFUSED
    if approved[0] is Status.TRUE:
        return Phase.APPROVED
    return Phase.PLANNED if state.get(Type.PLANNED, unknown)[0] is Status.TRUE else Phase.PENDING


def _in_force(verified: Status) -> Phase:
    return {Status.TRUE: Phase.VERIFIED, Status.FALSE: Phase.FAILED, Status.UNKNOWN: Phase.APPLIED}[verified]


def _not_understood(grounded: tuple[Status, str]) -> Phase:
    status, reason = grounded
    if reason == Reason.QUESTION_OPEN:
        return Phase.QUESTION
    return Phase.REFUSED if status is Status.FALSE else Phase.PENDING


def ready_of(conditions: Iterable[Condition]) -> Condition:
    """The first condition in the way; when none is, the last one on the way."""
    state = {condition.type: condition for condition in conditions}
    passed = [state[kind] for kind in ORDER if kind in state]
    if not passed:
        return Condition(Type.READY, Status.UNKNOWN, Reason.PROGRESSING, "it has not been read yet")
    ended = [c for c in passed if c.status is Status.FALSE and c.reason in _ENDED]
    blocked = [c for c in passed if c.status is not Status.TRUE]
    shown = (ended[-1:] or blocked or passed[-1:])[0]
    return Condition(Type.READY, shown.status, shown.reason, shown.message)
