"""IntentApproval: somebody's decision on a plan. Its own kind, so that RBAC separates who asks from who approves."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import StringConstraints

from cynosure.api.metadata import AGE, Column, Naming, Resource, StatusBase, reason_of, status_of
from cynosure.api.part import Part, Rule
from cynosure.api.scalars import Digest, ObjectName, UserName


class Verdict(StrEnum):
    APPROVED = "Approved"
    DENIED = "Denied"


class IntentApprovalSpec(Part):
    """Who decided what about which plan."""

    intent: ObjectName
    """The ScalingIntent, in the same namespace."""
    plan_digest: Digest
    """``status.plan.digest`` of the intent, as it was read; another one is stale and refused."""
    decision: Verdict
    """Whether it may be applied."""
    reason: Annotated[str, StringConstraints(max_length=1024)] = ""
    """Why, for people."""
    approver: UserName | None = None
    """Who decides. Set by admission to the user of the request; any other value is refused."""

    transitions: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self == oldSelf",
            "spec: got a change; limit: a decision never changes once written; use a new IntentApproval",
            forbidden=True,
        ),
    )


class IntentApprovalStatus(StatusBase):
    """Whether the decision counts; written by the operator."""


class IntentApproval(Resource):
    """Somebody's decision on the plan of a ScalingIntent. A requester's own counts only with ``selfApproval``."""

    naming: ClassVar[Naming] = Naming(
        plural="intentapprovals",
        short="capp",
        columns=(
            Column("Intent", ".spec.intent"),
            Column("Decision", ".spec.decision"),
            Column("Accepted", status_of("Accepted")),
            Column("Reason", reason_of("Accepted")),
            Column("Approver", ".spec.approver"),
            AGE,
            Column("Digest", ".spec.planDigest", wide=True),
        ),
    )
    kind: str = "IntentApproval"
    spec: IntentApprovalSpec
    """The decision; immutable."""
    status: IntentApprovalStatus = IntentApprovalStatus()
    """Whether it counts; written by the operator."""
