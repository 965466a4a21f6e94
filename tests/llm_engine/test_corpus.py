"""Every sentence of the corpus against the grammar: exact directives, a question, or a refusal with its reason."""

import re

import pytest

from llm_engine import Catalog, Draft
from llm_engine.grammar import read
from llm_engine.values import FIELDS, UNITS
from tests.llm_engine.corpus.cases import CATALOGS, cases, catalog

PARTS = {part: cases(part) for part in ("developed", "fresh", "later", "abroad")}
CASES = [case for part in PARTS.values() for case in part]
MADE = [case for case in CASES if case.outcome == "directives"]


@pytest.fixture(scope="module")
def catalogs() -> dict[str, Catalog]:
    return {name: catalog(name) for name in CATALOGS}


@pytest.mark.parametrize("outcome", ["directives", "question", "refusal"])
@pytest.mark.parametrize("part", PARTS)
def test_a_sentence_means_exactly_this(part: str, outcome: str, catalogs: dict[str, Catalog]) -> None:
    wrong = []
    for case in PARTS[part]:
        found = read(case.text, catalogs[case.catalog]).draft if case.outcome == outcome else None
        if found is not None and (difference := case.difference(found) or _malformed(found)):
            wrong.append(f"{case.text}: {difference}")
    assert not wrong, "\n".join(wrong)


def _malformed(found: Draft) -> str | None:
    """A question is one and short; without the outcome *directives* there are none."""
    if found.outcome != "directives" and found.directives:
        return "directives beside a question or refusal"
    if found.question is not None and not ("?" in found.question and len(found.question) < 400):
        return f"no short question: {found.question}"
    return None


@pytest.mark.slow
def test_stated_fields_point_at_the_words_that_state_them(catalogs: dict[str, Catalog]) -> None:
    for case in MADE:
        found = read(case.text, catalogs[case.catalog]).draft
        told = list(found.provenance)
        named = {(p.directive, p.field) for p in told}
        assert named == {(i, name) for i, directive in enumerate(found.directives) for name in directive.fields}
        for one in told:
            assert (one.source == "stated") == (one.span is not None)
            if one.span is not None:
                words = case.text[slice(*one.span)]
                assert words.strip() == words != ""
                _supports(words, one.field, found.directives[one.directive].fields[one.field])


def _supports(words: str, field: str, value: object) -> None:
    if field in ("service", "model", "partition", "node", "zone", "gpu", "namespace", "intent") and value != "*":
        assert words.lower() == str(value).lower()
    if field in ("value", "replicas", "min", "max") and re.fullmatch(r"[\d.,]+", words):
        whole, decimal = words.replace(",", ""), words.replace(",", ".")
        assert value in {float(digits) for digits in (whole, decimal) if digits.count(".") <= 1}


@pytest.mark.slow
def test_only_the_fields_of_the_verb_are_present(catalogs: dict[str, Catalog]) -> None:
    directives = [one for case in MADE for one in read(case.text, catalogs[case.catalog]).directives]
    assert len(directives) > 300
    for directive in directives:
        assert set(directive.fields) <= FIELDS[directive.verb]
        if "unit" in directive.fields:
            assert directive.fields["unit"] in UNITS[str(directive.fields["metric"])]
