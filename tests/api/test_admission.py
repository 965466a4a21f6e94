"""On a real API server: names are stamped and cannot be forged, and roles keep asking and approving apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import chart_files
from tests.api.server import Answer, Body, Server, eventually

pytestmark = pytest.mark.api_server

DIGEST = "sha256:" + 64 * "0"


def intent(namespace: str, **spec: object) -> Body:
    return _object("ScalingIntent", namespace, {"text": "double chat", **spec})


def approval(namespace: str, **spec: object) -> Body:
    return _object("IntentApproval", namespace, {"intent": "a", "planDigest": DIGEST, "decision": "Approved", **spec})


def _object(kind: str, namespace: str, spec: Body) -> Body:
    metadata = {"name": "a", "namespace": namespace}
    return {"apiVersion": "cynosure.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def refused(answer: Answer, *parts: str) -> None:
    assert answer.status == 403, answer.body
    for part in parts:
        assert part in answer.message


def test_who_asks_is_stamped(alice: Server, namespace: str) -> None:
    assert alice.create(intent(namespace)).body["spec"]["requestedBy"] == "alice"


def test_who_approves_is_stamped(bob: Server, namespace: str) -> None:
    assert bob.create(approval(namespace)).body["spec"]["approver"] == "bob"


def test_a_person_may_write_their_own_name(alice: Server, bob: Server, namespace: str) -> None:
    assert alice.create(intent(namespace, requestedBy="alice")).status == 201
    assert bob.create(approval(namespace, approver="bob")).status == 201


def test_a_forged_name_is_refused(alice: Server, bob: Server, namespace: str) -> None:
    asked = alice.create(intent(namespace, requestedBy="bob"))
    refused(asked, "spec.requestedBy: got bob; limit: your own user name; use alice")
    approved = bob.create(approval(namespace, approver="alice"))
    refused(approved, "spec.approver: got alice; limit: your own user name; use bob")


def test_not_even_an_administrator_asks_in_another_name(admin: Server, namespace: str) -> None:
    refused(admin.create(intent(namespace, requestedBy="alice")), "use admin")


def test_applying_again_keeps_the_name(alice: Server, namespace: str) -> None:
    assert alice.apply(intent(namespace), "kubectl").status == 201
    again = alice.apply(intent(namespace), "kubectl")
    assert again.status == 200, again.message
    assert again.body["spec"]["requestedBy"] == "alice"


def test_nobody_answers_in_the_name_of_another(admin: Server, alice: Server, namespace: str) -> None:
    created = alice.create(intent(namespace)).body
    answer = admin.merge(created, {"spec": {"answers": ["yes, everything"]}})
    refused(answer, "got a change by admin; limit: only alice may change it")
    assert alice.merge(created, {"spec": {"answers": ["yes"]}}).status == 200


def test_the_status_and_labels_of_an_intent_are_not_its_spec(admin: Server, alice: Server, namespace: str) -> None:
    created = alice.create(intent(namespace)).body
    assert admin.merge(created, {"metadata": {"labels": {"team": "shop"}}}).status == 200
    assert admin.merge(created, {"status": {"phase": "Planned"}}, "/status").status == 200


def test_a_name_cannot_be_changed_or_removed_later(alice: Server, bob: Server, namespace: str) -> None:
    created = alice.create(intent(namespace)).body
    for change in ("bob", None):
        assert alice.merge(created, {"spec": {"requestedBy": change}}).status in (403, 422)
    decided = bob.create(approval(namespace)).body
    refused(bob.merge(decided, {"spec": {"approver": "alice"}}), "cannot patch")


def test_asking_gives_no_right_to_approve_and_the_reverse(alice: Server, bob: Server, namespace: str) -> None:
    refused(alice.create(approval(namespace)), 'cannot create resource "intentapprovals"')
    refused(bob.create(intent(namespace)), 'cannot create resource "scalingintents"')


def test_a_bad_object_is_still_told_its_own_fault(alice: Server, namespace: str) -> None:
    answer = alice.create(intent(namespace, answers=["fine", True]))
    assert answer.status == 422
    assert "spec.answers[1] in body must be of type string" in answer.message


@pytest.fixture
def without_stamping(admin: Server, repository: Path) -> Iterator[None]:
    """As on a server that does not know mutating policies."""
    bodies = [b for b in chart_files(repository, "admission") if b["kind"] == "MutatingAdmissionPolicyBinding"]
    for body in bodies:
        admin.delete(body)
    probe = intent("default")
    eventually(lambda: admin.create(probe, dry_run=True).status == 403, "nothing is stamped")
    eventually(lambda: admin.create(approval("default"), dry_run=True).status == 403, "nothing is stamped")
    yield
    for body in bodies:
        admin.apply(body, "test")
    eventually(lambda: admin.create(probe, dry_run=True).status == 201, "names are stamped again")
    eventually(lambda: admin.create(approval("default"), dry_run=True).status == 201, "names are stamped again")


@pytest.mark.usefixtures("without_stamping")
def test_without_stamping_a_name_must_be_written_and_true(alice: Server, bob: Server, namespace: str) -> None:
    refused(alice.create(intent(namespace)), "got nobody", "use alice")
    refused(alice.create(intent(namespace, requestedBy="bob")), "got bob", "use alice")
    refused(bob.create(approval(namespace, approver="alice")), "got alice", "use bob")
    assert alice.create(intent(namespace, requestedBy="alice")).status == 201
    assert bob.create(approval(namespace, approver="bob")).status == 201
