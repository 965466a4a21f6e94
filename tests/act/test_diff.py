"""Nothing is written when nothing differs; what others added is no difference, what they changed is."""

from copy import deepcopy
from typing import Any

import pytest
from cynosure.act import manifests
from cynosure.act.diff import differs, holds, with_replicas
from cynosure.settings import WorkloadSettings
from hypothesis import given
from hypothesis import strategies as st

from tests.act.conftest import work

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_everything_holds_in_itself(document: Any) -> None:
    assert holds(document, deepcopy(document))


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3), st.dictionaries(st.text(max_size=3), JSON, max_size=3))
def test_what_others_add_is_no_difference(desired: dict[str, Any], extra: dict[str, Any]) -> None:
    assert holds(desired, {**extra, **desired})


@pytest.mark.parametrize(
    ("desired", "observed"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": {"b": 1}}, {"a": {}}),
        ([{"name": "x", "v": 1}], [{"name": "x", "v": 2}]),
        ([1, 2], [1]),
        ({"cpu": "100m"}, {"cpu": "200m"}),
    ],
)
def test_changes_are_found(desired: Any, observed: Any) -> None:
    assert not holds(desired, observed)


@pytest.mark.parametrize(
    ("one", "other"), [("1000m", "1"), ("1Gi", "1024Mi"), ("0.5", "500m"), (1, "1")], ids=lambda value: str(value)
)
def test_quantities_are_numbers(one: Any, other: Any) -> None:
    assert holds({"limit": one}, {"limit": other})


def test_named_items_may_stand_in_another_order() -> None:
    assert holds([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "x"}, {"name": "a", "more": 1}])


def test_a_changed_wish_differs_even_where_it_only_takes_away(settings: WorkloadSettings) -> None:
    observed = manifests.deployment(work(), "2g.20gb", "A100-80GB", settings)
    observed["spec"]["template"]["spec"]["tolerations"] = []
    desired = manifests.deployment(work(), "2g.20gb", "A100-80GB", settings)
    assert not differs(desired, observed)
    desired["metadata"]["annotations"]["cynosure.dev/applied"] = "another"
    assert differs(desired, observed)


OURS = {"manager": "cynosure", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
SCALED = {"manager": "cynosure", "operation": "Update", "subresource": "scale", "fieldsV1": OURS["fieldsV1"]}


@pytest.mark.parametrize(
    ("managers", "expected"),
    [(None, 2), ([OURS], 5), ([SCALED], None)],
    ids=["new: as decided", "our apply owns it: as it is", "/scale owns it: left out"],
)
def test_who_owns_replicas_decides_whether_they_are_applied(managers: Any, expected: int | None) -> None:
    observed = managers and {"metadata": {"managedFields": managers}, "spec": {"replicas": 5}}
    assert with_replicas({"spec": {}}, observed, 2)["spec"].get("replicas") == expected
