"""A finding as the status of its service tells it."""

from datetime import UTC, datetime

from cynosure.api.inference_status import Clue, FindingStatus
from cynosure.api.scalars import decimal
from cynosure.diagnose import FieldChange, Finding, Proposal

_LINE, _TEXT = 253, 2048
MOST_FINDINGS, _CLUES = 8, 4


def status_of(finding: Finding, now_seconds: float) -> FindingStatus:
    fix = finding.fix
    change = fix if isinstance(fix, FieldChange) else FieldChange("", "", "")
    return FindingStatus(
        cause=finding.cause,
        symptom=finding.symptom,
        message=finding.message[:_TEXT],
        since=datetime.fromtimestamp(int(now_seconds), UTC),
        confidence=decimal(round(finding.confidence, 2)),
        evidence=tuple(
            Clue(source=clue.source[:_LINE], value=clue.value[:_LINE], limit=clue.limit[:_LINE])
            for clue in finding.clues[:_CLUES]
        ),
        directive=fix.directive if isinstance(fix, Proposal) else None,
        subject=change.subject[:_LINE],
        field=change.field[:_LINE],
        before=change.before[:_LINE],
        after=change.after[:_LINE],
    )
