"""Every sentence of the corpus against the grammar: exact directives, a question, or a refusal with its reason."""

import re

import pytest

from llm_engine import Catalog
from llm_engine.grammar import read
from llm_engine.values import FIELDS, UNITS
from tests.llm_engine.corpus.cases import CATALOGS, Case, cases, catalog

CASES = cases("developed", "fresh", "later", "abroad")
MADE = [case for case in CASES if case.outcome == "directives"]


@pytest.fixture(scope="module")
def catalogs() -> dict[str, Catalog]:
    return {name: catalog(name) for name in CATALOGS}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_sentence_means_exactly_this(case: Case, catalogs: dict[str, Catalog]) -> None:
    found = read(case.text, catalogs[case.catalog]).draft
    assert case.difference(found) is None, case.difference(found)
    if case.outcome != "directives":
        assert found.directives == ()
    if found.question is not None:
        assert "?" in found.question
        assert len(found.question) < 400


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


def test_only_the_fields_of_the_verb_are_present(catalogs: dict[str, Catalog]) -> None:
    directives = [one for case in MADE for one in read(case.text, catalogs[case.catalog]).directives]
    assert len(directives) > 300
    for directive in directives:
        assert set(directive.fields) <= FIELDS[directive.verb]
        if "unit" in directive.fields:
            assert directive.fields["unit"] in UNITS[str(directive.fields["metric"])]
