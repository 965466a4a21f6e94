"""The conditions that follow from acting, and the summary."""

from collections.abc import Iterable, Iterator, Sequence

from cynosure.act.work import Work
from cynosure.api.conditions import Reason, Type
from cynosure.errors import Conflict, CynosureError, NotFound, Refused
from cynosure.model.condition import Condition, Status
from cynosure.model.service import Mode

_IN_THE_WAY = (Type.PROFILE_KNOWN, Type.WORKLOAD_APPLIED, Type.PLACED)
"""What keeps replicas from serving. A missed SLO or missing metrics have conditions of their own."""


def conditions(work: Work, failures: Sequence[CynosureError]) -> tuple[Condition, ...]:
    """All of one service, Ready first. What the plan says of a type counts before what is said here."""
    planned = {condition.type: condition for condition in work.conditions}
    acted = {condition.type: condition for condition in (_conflict_free(work, failures), _applied(work, failures))}
    known = {**acted, **planned}
    if planned.get(Type.CONFLICT_FREE, _FINE).status is Status.TRUE:
        known[Type.CONFLICT_FREE] = acted[Type.CONFLICT_FREE]
    return (_ready(work, known.values()), *known.values(), *_fault_free(work))


_FINE = Condition(Type.CONFLICT_FREE, Status.TRUE, Reason.NO_CONFLICT, "nobody else writes what Cynosure writes")


def _conflict_free(work: Work, failures: Sequence[CynosureError]) -> Condition:
    def false(reason: Reason, message: str) -> Condition:
        return Condition(Type.CONFLICT_FREE, Status.FALSE, reason, message)

    for workload in work.observation.workloads:
        if (owner := workload.foreign_owner) is None:
            continue
        scaled = "HorizontalPodAutoscaler" in owner
        return false(
            Reason.SECOND_AUTOSCALER if scaled else Reason.REPLICAS_OWNED,
            f"{owner} sets the replicas of the Deployment for {workload.partition} ({workload.replicas} now), so "
            f"Cynosure leaves them alone; {'delete the autoscaler' if scaled else _hand_back(work)}",
        )
    if work.rivals:
        return false(
            Reason.SECOND_AUTOSCALER,
            f"{', '.join(work.rivals)} scales this InferenceService; it sees 0 and does nothing; delete it",
        )
    if owned := [error for error in failures if isinstance(error, Conflict) and error.owners]:
        return false(Reason.FIELD_OWNED, f"{', '.join(owned[0].owners)}: {owned[0]}")
    return _FINE


def _hand_back(work: Work) -> str:
    return (
        f"pin a number with `kubectl scale csvc/{work.name}` instead, and give the field back with `kubectl patch "
        'deployment NAME --type=json -p \'[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]\'`'
    )


def _applied(work: Work, failures: Sequence[CynosureError]) -> Condition:
    def applied(status: Status, reason: Reason, message: str) -> Condition:
        return Condition(Type.WORKLOAD_APPLIED, status, reason, message)

    for error in failures:
        match error:
            case Refused():
                return applied(Status.FALSE, Reason.APPLY_REFUSED, str(error))
            case NotFound() if work.service.spec.workload_ref:
                return applied(Status.FALSE, Reason.WORKLOAD_MISSING, str(error))
            case Conflict(owners=owners) if owners:
                return applied(Status.FALSE, Reason.FIELD_OWNED, str(error))
    if failures and not all(isinstance(error, Conflict | NotFound) for error in failures):
        return applied(Status.UNKNOWN, Reason.API_UNAVAILABLE, str(failures[0]))
    if failures or work.decision is None:
        return applied(Status.UNKNOWN, Reason.PROGRESSING, "the children are being written")
    return applied(Status.TRUE, Reason.WORKLOAD_IN_SYNC, "the children are as decided")


def _fault_free(work: Work) -> Iterator[Condition]:
    if work.findings is None:
        return
    if not work.findings:
        yield Condition(Type.FAULT_FREE, Status.TRUE, Reason.NO_FAULT_FOUND, "nothing is out of bounds over the window")
        return
    first, *others = work.findings
    more = f"; also {', '.join(finding.cause for finding in others)}" if others else ""
    yield Condition(Type.FAULT_FREE, Status.FALSE, Reason.CAUSE_FOUND, f"{first.cause}: {first.message}{more}")


def _ready(work: Work, known: Iterable[Condition]) -> Condition:
    def ready(status: Status, reason: str, message: str) -> Condition:
        return Condition(Type.READY, status, reason, message)

    order: dict[str, int] = {kind: n for n, kind in enumerate(_IN_THE_WAY)}
    blocking = sorted((c for c in known if c.type in order and c.status is Status.FALSE), key=lambda c: order[c.type])
    for condition in blocking:
        return ready(Status.FALSE, condition.reason, condition.message)
    for reason, message in _held(work):
        return ready(Status.UNKNOWN, reason, message)
    wanted = work.decision.option.replicas if work.decision else work.service.spec.scale.min
    serving = work.observation.ready
    if serving < wanted:
        return ready(Status.UNKNOWN, Reason.PROGRESSING, f"{serving} of {wanted} replicas serve")
    return ready(Status.TRUE, Reason.SERVING, f"{serving} replicas serve")


def _held(work: Work) -> Iterator[tuple[Reason, str]]:
    """Why nothing is changed, when a person wants it so."""
    match work.service.spec.mode:
        case Mode.PAUSED:
            yield Reason.PAUSED, "spec.mode is Paused"
        case Mode.ADVISORY:
            yield Reason.ADVISORY, "spec.mode is Advisory: decisions are shown and change nothing"
        case _ if work.decision is not None and work.decision.dry:
            yield Reason.STOPPED, "the AutomationPolicy has stop: true"
