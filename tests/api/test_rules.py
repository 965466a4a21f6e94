"""What the models refuse and accept, without a server: the same objects as on a real one."""

import pytest
from cynosure.api import Invalid, crds, parse
from cynosure.api.directive import FIELDS, UNITS, BoundMetric, Directive, Verb

from tests.api.cases import BadCase, Body, bad_cases, bases, good_objects, label

KINDS = {kind.__name__: kind for kind in crds.KINDS}
SEEN = [case for case in bad_cases() if case.seen_by_models]


@pytest.mark.parametrize("case", SEEN, ids=str)
def test_a_bad_object_is_named_with_its_field(case: BadCase) -> None:
    found = parse(KINDS[case.body["kind"]], case.body)
    assert isinstance(found, Invalid)
    parents = {case.field, case.field.rpartition(".")[0]}
    assert any(parent in found.message for parent in parents if parent)


RULED = [case for case in SEEN if "limit: " in case.message or "got " in case.message]


@pytest.mark.parametrize("case", RULED, ids=str)
def test_python_and_the_server_say_the_same(case: BadCase) -> None:
    found = parse(KINDS[case.body["kind"]], case.body)
    assert isinstance(found, Invalid)
    assert case.message in found.message


@pytest.mark.parametrize("body", [*good_objects(), *bases()], ids=label)
def test_a_good_object_is_read(body: Body) -> None:
    found = parse(KINDS[body["kind"]], body)
    assert not isinstance(found, Invalid), found
    again = parse(KINDS[body["kind"]], found.body())
    assert again == found


def test_there_are_enough_of_them() -> None:
    assert len(bad_cases()) >= 100
    assert len(good_objects()) >= 30
    assert {case.body["kind"] for case in bad_cases()} == KINDS.keys() == {body["kind"] for body in good_objects()}


def test_every_field_of_a_directive_belongs_to_a_verb_or_to_all() -> None:
    names = {str(info.validation_alias or info.alias) for info in Directive.model_fields.values()}
    of_verbs = {name for fields in FIELDS.values() for name in fields}
    assert names - of_verbs == {"verb", "service", "namespace", "expires"}
    assert FIELDS.keys() == set(Verb)
    assert UNITS.keys() == set(BoundMetric)
