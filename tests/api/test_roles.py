"""The roles of the chart give what is needed, and asking stays apart from approving."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.api import crds

Rule = dict[str, list[str]]


@pytest.fixture(scope="module")
def roles(repository: Path) -> dict[str, list[Rule]]:
    folder = repository / "charts" / "cynosure" / "files" / "rbac"
    documents: list[Any] = [role for path in folder.glob("*.yaml") for role in yaml.safe_load_all(path.read_text())]
    return {role["metadata"]["name"]: role["rules"] for role in documents}


def allowed(rules: list[Rule], resource: str) -> set[str]:
    return {verb for rule in rules if resource in rule["resources"] for verb in rule["verbs"]}


def test_asking_and_approving_are_apart(roles: dict[str, list[Rule]]) -> None:
    assert "create" in allowed(roles["cynosure-asker"], "scalingintents")
    assert "create" not in allowed(roles["cynosure-asker"], "intentapprovals")
    assert "create" in allowed(roles["cynosure-approver"], "intentapprovals")
    assert allowed(roles["cynosure-approver"], "scalingintents") == {"get", "list", "watch"}


def test_a_decision_cannot_be_taken_back_by_who_made_it(roles: dict[str, list[Rule]]) -> None:
    assert allowed(roles["cynosure-approver"], "intentapprovals").isdisjoint({"update", "patch", "delete"})


def test_who_may_load_a_service_can_neither_ask_nor_approve(roles: dict[str, list[Rule]]) -> None:
    tester = roles["cynosure-tester"]
    assert "create" in allowed(tester, "trafficreplays")
    assert allowed(tester, "scalingintents") == allowed(tester, "intentapprovals") == {"get", "list", "watch"}
    assert "create" not in allowed(roles["cynosure-asker"], "trafficreplays")


@pytest.mark.parametrize(
    "role", ["cynosure-asker", "cynosure-approver", "cynosure-tester", "cynosure-viewer", "cynosure-operator"]
)
def test_everybody_sees_every_kind(roles: dict[str, list[Rule]], role: str) -> None:
    for kind in crds.KINDS:
        assert {"get", "list", "watch"} <= allowed(roles[role], kind.naming.plural), kind.__name__


def test_the_operator_proposes_and_approves_nothing(roles: dict[str, list[Rule]]) -> None:
    operator = roles["cynosure-operator"]
    assert allowed(operator, "scalingintents") == {"get", "list", "watch", "create", "patch"}
    for plural in ("intentapprovals", "automationpolicies"):
        assert allowed(operator, plural) == {"get", "list", "watch"}


def test_the_operator_makes_changes_and_deletes_services_and_replaces_none(roles: dict[str, list[Rule]]) -> None:
    wanted = {"get", "list", "watch", "create", "patch", "delete"}
    assert allowed(roles["cynosure-operator"], "inferenceservices") == wanted


def test_the_operator_sends_replays_and_neither_makes_nor_changes_any(roles: dict[str, list[Rule]]) -> None:
    operator = roles["cynosure-operator"]
    assert allowed(operator, "trafficreplays") == {"get", "list", "watch", "delete"}
    assert allowed(operator, "jobs") == {"get", "create", "patch", "delete"}
    assert allowed(operator, "pods/log") == {"get"}
    assert "list" not in allowed(operator, "configmaps")


def test_the_operator_writes_every_status(roles: dict[str, list[Rule]]) -> None:
    for kind in crds.KINDS:
        assert "patch" in allowed(roles["cynosure-operator"], f"{kind.naming.plural}/status")


def test_nobody_has_a_wildcard_secrets_or_exec(roles: dict[str, list[Rule]]) -> None:
    for name, rules in roles.items():
        for rule in rules:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"], name
            assert {"secrets", "pods/exec", "pods/attach"}.isdisjoint(rule["resources"]), name


def test_the_operator_takes_no_lease_but_its_own(roles: dict[str, list[Rule]]) -> None:
    rules = [rule for rule in roles["cynosure-operator"] if "leases" in rule["resources"]]
    assert all(rule["verbs"] == ["create"] or rule.get("resourceNames") == ["cynosure"] for rule in rules)
