"""The probabilistic program: values within their schema, rules by conditioning, sentences with a known meaning."""

from collections import Counter
from itertools import islice
from random import Random
from typing import Any

import pytest
from cynosure.api.crds import KINDS, manifest
from cynosure.api.metadata import Resource
from cynosure.api.parse import Invalid, parse
from hypothesis import given
from hypothesis import strategies as st

from llm_engine import Catalog
from llm_engine.grammar import read
from llm_engine.synthesis import Option, Sentence, Unsatisfiable, conditioned, drawn, of_argument_spec, of_schema
from llm_engine.synthesis.sentences import Names, sentences
from tests.llm_engine.corpus.cases import catalog

STAMPED = ("requestedBy", "approver")
"""What the API server fills in from who asks."""


def spec_of(kind: type[Resource]) -> Option:
    return of_schema("spec", manifest(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"])


def body_of(kind: type[Resource], spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "default"} | ({"namespace": "default"} if kind.naming.namespaced else {})
    kept = {name: value for name, value in spec.items() if name not in STAMPED}
    return {"apiVersion": "cynosure.dev/v1alpha1", "kind": kind.__name__, "metadata": metadata, "spec": kept}


def objects(kind: type[Resource], count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Conditioned on what our own parser says; whether that is what the API server says is for another to judge."""
    random, option = Random(seed), spec_of(kind)

    def accepts(spec: dict[str, Any]) -> bool:
        return not isinstance(parse(kind, body_of(kind, spec)), Invalid)

    return [body_of(kind, conditioned(option, random, accepts, 2000)) for _ in range(count)]


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 10**6))
def test_a_number_is_within_its_limits(one: int, other: int, seed: int) -> None:
    least, most = sorted((one, other))
    for name in ("replicas", "percentile", "anything"):
        assert least <= drawn(Option(name, "integer", least=least, most=most), Random(seed)) <= most


def test_limits_of_the_schema_go_before_what_people_usually_write() -> None:
    ports = Option("port", "integer", choices=(1, 2))
    assert {drawn(ports, Random(seed)) for seed in range(20)} == {1, 2}
    cron = of_schema("cron", {"type": "string", "pattern": r"^\S+( \S+){4}$"})
    assert len(str(drawn(cron, Random(1))).split()) == 5
    with pytest.raises(Unsatisfiable, match="vin: no usual string matches"):
        drawn(of_schema("vin", {"type": "string", "pattern": "^[A-Z0-9]{17}$"}), Random(1))


def test_one_of_some_fields_is_given_where_a_rule_wants_one() -> None:
    rule = {"rule": "has(self.service) != has(self.url)"}
    schema = {"type": "object", "properties": {"service": {"type": "string"}, "url": {"type": "string"}}}
    option = of_schema("target", {**schema, "x-kubernetes-validations": [rule]})
    given_fields = Counter(tuple(drawn(option, Random(seed))) for seed in range(40))
    assert given_fields.keys() == {("service",), ("url",)}


def test_rules_between_arguments_hold() -> None:
    spec = {name: {"type": "str"} for name in ("file", "text", "user", "password")}
    rules = {"mutually_exclusive": [("file", "text")], "required_together": [("user", "password")]}
    option = of_argument_spec("task", spec, required_one_of=[("file", "text")], **rules)
    for seed in range(40):
        value = drawn(option, Random(seed))
        assert ("file" in value) != ("text" in value)
        assert ("user" in value) == ("password" in value)


def test_what_the_value_of_another_argument_wants_is_given() -> None:
    spec = {"state": {"type": "str", "default": "present", "choices": ["present", "absent"]}, "url": {"type": "str"}}
    option = of_argument_spec("task", spec, required_if=[("state", "present", ["url"])])
    for seed in range(40):
        value = drawn(option, Random(seed))
        assert "url" in value or value.get("state") == "absent"


def test_conditions_that_nothing_meets_end_with_an_error() -> None:
    with pytest.raises(Unsatisfiable, match="port: none of 9 draws was accepted"):
        conditioned(Option("port", "integer"), Random(1), lambda value: False, 9)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_objects_of_every_kind_can_be_made_and_differ(kind: type[Resource]) -> None:
    made = objects(kind, 8)
    assert objects(kind, 8) == made, "the same seed gives the same"
    assert len({str(body) for body in made}) >= 6


@pytest.fixture(scope="module")
def studio() -> Catalog:
    return catalog("studio")


@pytest.fixture(scope="module")
def spoken(studio: Catalog) -> list[Sentence]:
    return list(islice(sentences(Names.of(studio), seed=7), 900))


def test_sentences_mean_what_they_were_made_of(studio: Catalog, spoken: list[Sentence]) -> None:
    """One with a slip may be asked about, one beyond the limits of the catalog refused; none is taken for another."""
    exact = 0
    for sentence in spoken:
        found = [directive.as_json() for directive in read(sentence.text, studio).draft.directives]
        assert found in ([], [dict(sentence.directive)]), sentence.text
        exact += bool(found)
    assert exact >= 0.97 * len(spoken)


def test_sentences_are_of_all_verbs_and_languages(spoken: list[Sentence]) -> None:
    assert {sentence.language for sentence in spoken} == {"en", "de", "es", "fr", "zh"}
    assert len({sentence.directive["verb"] for sentence in spoken}) == 9
    assert len({sentence.text for sentence in spoken}) > 0.8 * len(spoken)
    assert 0.03 < sum(sentence.has_slip for sentence in spoken) / len(spoken) < 0.15
