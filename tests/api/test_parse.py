"""The operator reads whatever is stored, and never falls over it."""

import math
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.api import InferenceService, Invalid, ModelProfile, ScalingIntent, crds, parse
from cynosure.api.conditions import Reason
from cynosure.api.metadata import Resource
from cynosure.api.model_profile import ModelProfileSpec
from cynosure.api.scalars import DECIMAL_PATTERN, decimal, plain
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.cases import Body, bases, good_objects

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(kind=st.sampled_from(crds.KINDS), body=JSON)
def test_nothing_makes_it_raise(kind: type[Resource], body: Any) -> None:
    found = parse(kind, body)
    assert isinstance(found, Invalid)
    assert found.message
    assert found.reason is Reason.SPEC_INVALID


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_nothing_inside_a_good_object_makes_it_raise(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(good_objects()))
    spoilt = replaced(body, data)
    kind = next(kind for kind in crds.KINDS if kind.__name__ == body["kind"])
    assert isinstance(parse(kind, spoilt), Invalid | kind)


def replaced(node: Any, data: st.DataObject) -> Any:
    """The same with one thing, somewhere in it, replaced by any other."""
    if isinstance(node, dict) and node and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(node)))
        return {**node, key: replaced(node[key], data)}
    return data.draw(JSON)


def body_of(kind: str) -> Body:
    return next(body for body in bases() if body["kind"] == kind)


def test_fields_of_a_newer_version_are_ignored() -> None:
    body = body_of("InferenceService")
    newer = {**body, "spec": {**body["spec"], "quality": {"minimum": 1}}, "status": {"mood": "good"}}
    found = parse(InferenceService, newer)
    assert isinstance(found, InferenceService)
    assert found.spec == parsed(body).spec


def parsed(body: Body) -> InferenceService:
    found = parse(InferenceService, body)
    assert isinstance(found, InferenceService)
    return found


def test_an_invalid_object_keeps_its_name_and_says_where_it_is_wrong() -> None:
    body = body_of("ScalingIntent")
    spoilt = {**body, "metadata": {"name": "faster", "namespace": "shop"}}
    spoilt["spec"] = {"directives": [{"verb": "bound", "service": "chat", "metric": "ttft", "value": "4", "unit": "W"}]}
    found = parse(ScalingIntent, spoilt)
    assert isinstance(found, Invalid)
    assert (found.namespace, found.name) == ("shop", "faster")
    assert found.message.startswith("spec.directives[0]: unit: got W for ttft; limit: ms or s")
    assert ";" not in found.message.partition("use one of these")[2], "what only follows is left out"


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ({"cron": "0 25 * * *"}, 'spec.scale.schedules[0].cron: got "0 25 * * *", Bad hour; limit:'),
        ({"cron": "0 0 31 2 *"}, 'spec.scale.schedules[0].cron: got "0 0 31 2 *", Bad day-of-month; limit:'),
        ({"timeZone": "Europe/Madird"}, "spec.scale.schedules[0].timeZone: got Europe/Madird; limit:"),
    ],
    ids=["hour", "day", "zone"],
)
def test_a_time_that_never_comes_is_said(schedule: dict[str, str], told: str) -> None:
    """No pattern sees it, so the API server stores it."""
    spec = {
        "model": {"name": "chat", "profile": "chat"},
        "engine": {"kind": "emulated"},
        "slo": {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 400}]},
        "scale": {"schedules": [{"cron": "0 8 * * *", "durationMinutes": 60, "min": 2, **schedule}]},
    }
    found = parse(InferenceService, {"metadata": {"name": "chat", "namespace": "shop"}, "spec": spec})
    assert isinstance(found, Invalid)
    assert told in found.message


def test_a_profile_file_may_have_numbers() -> None:
    spec = body_of("ModelProfile")["spec"]
    point = {**spec["points"][0], "ttftMilliseconds": 41.5, "tpotMilliseconds": 12, "watts": 0.1 + 0.2}
    found = ModelProfileSpec.model_validate({**spec, "points": [point]})
    assert found.points[0].ttft_milliseconds == Decimal("41.5")
    assert found.points[0].body()["tpotMilliseconds"] == "12"
    assert found.points[0].body()["watts"] == "0.3"


@pytest.mark.parametrize("value", [math.nan, math.inf, True, "1e3", "", "-1", None, [], "\uff19"], ids=str)
def test_what_is_no_decimal_is_refused(value: Any) -> None:
    body = body_of("ModelProfile")
    point = {**body["spec"]["points"][0], "throughputRps": value}
    found = parse(ModelProfile, {**body, "spec": {**body["spec"], "points": [point]}})
    assert isinstance(found, Invalid)
    assert "spec.points[0].throughputRps: got" in found.message


@given(st.floats(min_value=0, max_value=9e8))
def test_computed_numbers_fit_the_api(value: float) -> None:
    assert math.isclose(float(decimal(value)), value, abs_tol=5.1e-7, rel_tol=1e-12)
    assert re.fullmatch(DECIMAL_PATTERN, plain(value))


def test_absence_is_not_turned_into_a_number() -> None:
    with pytest.raises(ValueError, match="leave the field out instead"):
        decimal(math.nan)


def test_a_whole_percentile_stays_a_number() -> None:
    body = body_of("InferenceService")
    assert parsed(body).body()["spec"]["slo"]["targets"] == [{"metric": "ttft", "percentile": 95, "milliseconds": 400}]


def test_what_is_created_has_no_status_and_only_the_metadata_that_was_given() -> None:
    whole = parsed({**body_of("InferenceService"), "status": {"replicas": 3}})
    assert whole.status.replicas == 3
    assert "status" not in whole.body()
    assert whole.body()["metadata"] == {"name": "chat"}


def test_a_profile_measured_twice_is_refused_since_nobody_knows_which_to_trust() -> None:
    body = body_of("ModelProfile")
    point = body["spec"]["points"][0]
    again = {**point, "tpotMilliseconds": "14"}
    found = parse(ModelProfile, {**body, "spec": {**body["spec"], "points": [point, again]}})
    assert isinstance(found, Invalid)
    assert "points: got two for A100-80GB 3g.40gb with 1 processes at 8" in found.message


@pytest.mark.parametrize("path", ["chat.yaml", "vision.yaml", "replay.yaml", "profiles"])
def test_the_examples_are_valid(repository: Path, path: str) -> None:
    folder = repository / "examples" / path
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]
    kinds = {kind.__name__: kind for kind in crds.KINDS}
    bodies = [body for file in files for body in yaml.safe_load_all(file.read_text()) if body["kind"] in kinds]
    assert bodies
    assert [found for body in bodies if isinstance(found := parse(kinds[body["kind"]], body), Invalid)] == []
