"""Every condition and every reason is a documented constant."""

import re
from pathlib import Path

import pytest
from cynosure.api.conditions import Reason, Type
from cynosure.model.signals import AbsenceReason


@pytest.mark.parametrize("constant", [*Type, *Reason], ids=str)
def test_constants_are_words_with_one_line_of_documentation(constant: Type | Reason) -> None:
    assert re.fullmatch("[A-Z][A-Za-z]{2,62}", constant)
    assert constant.doc.endswith(".")
    assert "\n" not in constant.doc


def test_every_reason_belongs_to_a_condition_and_every_condition_has_reasons() -> None:
    assert all(reason.types for reason in Reason)
    assert {kind for reason in Reason for kind in reason.types} == set(Type)


def test_the_reference_lists_them_all(repository: Path) -> None:
    text = (repository / "docs" / "reference" / "conditions.md").read_text()
    assert [kind for kind in Type if f"## {kind.value}\n" not in text] == []
    assert [reason for reason in Reason if f"| `{reason.value}` |" not in text] == []


def test_why_metrics_are_absent_is_documented() -> None:
    assert all(Type.METRICS_AVAILABLE in Reason(absence.value).types for absence in AbsenceReason)
