"""ScalingIntent: a sentence or typed directives, and how far they have come."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from cynosure.api.directive import Directive
from cynosure.api.intent_status import ScalingIntentStatus
from cynosure.api.metadata import AGE, ATOMIC, Column, Naming, Resource, message_of, reason_of, status_of
from cynosure.api.part import Part, Rule, rule, unchanged
from cynosure.api.scalars import ObjectName, Time, UserName

MAX_ANSWERS = 8


class Approval(StrEnum):
    MANUAL = "Manual"
    AUTOMATIC = "Automatic"


def _immutable(field: str, instead: str) -> Rule:
    return Rule(
        unchanged(field),
        f"{field}: got another value; limit: it never changes once written; use {instead}",
        field=field,
        forbidden=True,
    )


class ScalingIntentSpec(Part):
    """What is asked, by whom, and under which conditions."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = None
    """The sentence; the alternative to ``directives``."""
    directives: (
        Annotated[tuple[Directive, ...], Field(min_length=1, max_length=16, json_schema_extra=ATOMIC)] | None
    ) = None
    """The same typed, for tools; the alternative to ``text``."""
    requested_by: UserName | None = None
    """Who asks. Set by admission to the user of the request; any other value is refused."""
    answers: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=1024)], ...],
        Field(max_length=MAX_ANSWERS, json_schema_extra=ATOMIC),
    ] = ()
    """Replies to ``status.question``, oldest first; only appended to."""
    approval: Approval = Approval.MANUAL
    """Automatic applies without an IntentApproval, as far as the AutomationPolicy allows."""
    expires: Time | None = None
    """When it ends to hold; without it, never."""
    supersedes: ObjectName | None = None
    """An earlier intent in the same namespace that this one replaces."""

    transitions: ClassVar[tuple[Rule, ...]] = (
        _immutable("text", "a new ScalingIntent that supersedes this one"),
        _immutable("directives", "a new ScalingIntent that supersedes this one"),
        _immutable("supersedes", "a new ScalingIntent that supersedes the other one"),
        _immutable("requestedBy", "a new ScalingIntent in your own name"),
        Rule(
            "size(self.answers) >= size(oldSelf.answers) && "
            f"{list(range(MAX_ANSWERS))}.all(i, i >= size(oldSelf.answers) || self.answers[i] == oldSelf.answers[i])",
            "answers: got a changed or shorter list; limit: answers are only appended; use the old ones and add yours",
            field="answers",
            forbidden=True,
        ),
    )

    @rule(
        "has(self.text) != has(self.directives)",
        "spec: got both or neither of text and directives; limit: exactly one;"
        ' use text: "keep chat under 400 ms at p95"',
    )
    def text_or_directives(self) -> bool:
        return (self.text is None) != (self.directives is None)


class ScalingIntent(Resource):
    """A sentence or typed directives; also what the operator itself proposes."""

    naming: ClassVar[Naming] = Naming(
        plural="scalingintents",
        short="cint",
        columns=(
            Column("Phase", ".status.phase"),
            Column("Reason", reason_of("Ready")),
            Column("Requested-By", ".spec.requestedBy"),
            AGE,
            Column("Text", ".spec.text", wide=True),
            Column("Plan", ".status.plan.digest", wide=True),
            Column("Verified", status_of("Verified"), wide=True),
            Column("Message", message_of("Ready"), wide=True),
        ),
    )
    kind: str = "ScalingIntent"
    spec: ScalingIntentSpec
    """What is asked; immutable but for ``answers``, ``approval`` and ``expires``."""
    status: ScalingIntentStatus = ScalingIntentStatus()
    """How far it has come; written by the operator."""
