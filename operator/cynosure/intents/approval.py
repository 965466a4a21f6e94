"""Whether a plan may be applied: by an IntentApproval of another person, or by the AutomationPolicy without one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cynosure.api import IntentApproval, ScalingIntent
from cynosure.api.automation_policy import AllowedHours, AutomationPolicySpec
from cynosure.api.conditions import Reason, Type
from cynosure.api.directive import Verb
from cynosure.api.intent_approval import Verdict
from cynosure.api.scaling_intent import Approval
from cynosure.model.condition import Condition, Status
from cynosure.model.service import ServiceKey


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an approver decides on: the digest of the plan, the replicas of each service before and after, the moves.

    ``deletes`` says that a service goes, also where the verb is another one, such as ``undo`` of a ``deploy``.
    """

    digest: str
    replicas: Mapping[ServiceKey, tuple[int, int]]
    changes_something: bool = True
    moves: int = 0
    deletes: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """The condition Approved of the intent, and Accepted of each of its IntentApprovals by name."""

    approved: Condition
    approver: str | None = None
    accepted: tuple[tuple[str, Condition], ...] = ()


def judge(
    intent: ScalingIntent,
    proposal: Proposal,
    approvals: Iterable[IntentApproval],
    policy: AutomationPolicySpec,
    now_seconds: float,
    stamped_since: datetime | None,
) -> Ruling:
    """Decide over the present plan.

    ``stamped_since``: since when the admission policies that prove who asked and who approved are in force, None
    when they are not. Names that are older prove nothing. A denial counts before any approval.
    """
    about = [approval for approval in approvals if _concerns(approval, intent)]
    accepted = {a.metadata.name: _accepted(a, intent, proposal, policy, stamped_since) for a in about}
    counted = [a for a in about if accepted[a.metadata.name].status is Status.TRUE]
    denied = [a for a in counted if a.spec.decision is Verdict.DENIED]
    statuses = tuple(accepted.items())
    if denied:
        why = f": {denied[0].spec.reason}" if denied[0].spec.reason else ""
        return Ruling(_no(Reason.DENIED, f"by {denied[0].spec.approver}{why}"), accepted=statuses)
    if counted:
        approver = counted[0].spec.approver
        message = f"by {approver} with {counted[0].metadata.name}"
        return Ruling(_yes(Reason.APPROVED_BY_PERSON, message), approver, statuses)
    if not proposal.changes_something:
        return Ruling(_yes(Reason.APPROVED_BY_POLICY, "it changes nothing"), accepted=statuses)
    return Ruling(_without_person(intent, proposal, policy, now_seconds, statuses), accepted=statuses)


def _concerns(approval: IntentApproval, intent: ScalingIntent) -> bool:
    return (approval.spec.intent, approval.metadata.namespace) == (intent.metadata.name, intent.metadata.namespace)


def _accepted(
    approval: IntentApproval,
    intent: ScalingIntent,
    proposal: Proposal,
    policy: AutomationPolicySpec,
    stamped_since: datetime | None,
) -> Condition:
    approver, requester = approval.spec.approver, intent.spec.requested_by
    if approval.spec.plan_digest != proposal.digest:
        return _refused(Reason.DIGEST_STALE, f"got {approval.spec.plan_digest}; the present plan is {proposal.digest}")
    if not approver or not requester or not _stamped(approval, intent, stamped_since):
        return _refused(Reason.APPROVER_UNPROVEN, "the admission policies of the chart are not in force, or younger")
    own = approver == requester and approval.spec.decision is Verdict.APPROVED
    if own and not policy.self_approval:
        return _refused(Reason.SELF_APPROVAL, f"{approver} asked for it; somebody else has to approve")
    return Condition(Type.ACCEPTED, Status.TRUE, Reason.DECISION_COUNTS, f"{approval.spec.decision} by {approver}")


def _stamped(approval: IntentApproval, intent: ScalingIntent, since: datetime | None) -> bool:
    born = (approval.metadata.creation_timestamp, intent.metadata.creation_timestamp)
    return since is not None and all(at is not None and at >= since for at in born)


def _without_person(
    intent: ScalingIntent,
    proposal: Proposal,
    policy: AutomationPolicySpec,
    now_seconds: float,
    accepted: Sequence[tuple[str, Condition]],
) -> Condition:
    if intent.spec.approval is Approval.AUTOMATIC:
        obstacle = automation_obstacle(intent, proposal, policy, now_seconds)
        if obstacle is None:
            return _yes(Reason.APPROVED_BY_POLICY, "inside the AutomationPolicy")
        return _no(Reason.POLICY_FORBIDS, f"{obstacle}; an IntentApproval with digest {proposal.digest} is needed")
    refusals = [condition for _, condition in accepted]
    if refusals:
        last = refusals[-1]
        return Condition(Type.APPROVED, Status.FALSE, last.reason, last.message)
    message = f"an IntentApproval with digest {proposal.digest} is needed"
    return Condition(Type.APPROVED, Status.UNKNOWN, Reason.AWAITING_APPROVAL, message)


def automation_obstacle(
    intent: ScalingIntent, proposal: Proposal, policy: AutomationPolicySpec, now_seconds: float
) -> str | None:
    """Why the AutomationPolicy does not let this plan be applied without a person; None when it does."""
    verbs = {directive.verb for directive in intent.status.directives} | ({Verb.DELETE} if proposal.deletes else set())
    if forbidden := sorted(verbs - set(policy.automatic_verbs)):
        return f"verb {forbidden[0]}: limit: AutomationPolicy.spec.automaticVerbs"
    if not _within_hours(policy.allowed_hours, now_seconds):
        return "now: limit: AutomationPolicy.spec.allowedHours"
    if policy.max_moves is not None and proposal.moves > policy.max_moves:
        return f"{proposal.moves} moves: limit: AutomationPolicy.spec.maxMoves, {policy.max_moves}"
    for service, (before, after) in proposal.replicas.items():
        step, most = policy.max_replica_change, policy.max_replicas
        if step is not None and abs(after - before) > step:
            return f"{service}: {before} to {after} replicas: limit: AutomationPolicy.spec.maxReplicaChange, {step}"
        if most is not None and after > most:
            return f"{service}: {after} replicas: limit: AutomationPolicy.spec.maxReplicas, {most}"
    return None


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _within_hours(windows: Sequence[AllowedHours], now_seconds: float) -> bool:
    return not windows or any(_inside(window, now_seconds) for window in windows)


def _inside(window: AllowedHours, now_seconds: float) -> bool:
    now = datetime.fromtimestamp(now_seconds, UTC).astimezone(ZoneInfo(window.time_zone))
    time = f"{now:%H:%M}"
    began_yesterday = window.to <= window.from_ and time < window.to
    open_now = began_yesterday or (time >= window.from_ and (window.to <= window.from_ or time < window.to))
    day = _DAYS[(now - timedelta(days=1) if began_yesterday else now).weekday()]
    return open_now and (not window.days or day in window.days)


def _yes(reason: Reason, message: str) -> Condition:
    return Condition(Type.APPROVED, Status.TRUE, reason, message)


def _no(reason: Reason, message: str) -> Condition:
    return Condition(Type.APPROVED, Status.FALSE, reason, message)


def _refused(reason: Reason, message: str) -> Condition:
    return Condition(Type.ACCEPTED, Status.FALSE, reason, message)
