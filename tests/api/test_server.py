"""On a real API server: what is refused and accepted, and what the sub-resources do."""

import copy
import subprocess

import pytest

from tests.api.cases import BadCase, bad_cases, bases, good_objects, label
from tests.api.server import Body, Server

pytestmark = pytest.mark.api_server

CASES = bad_cases()


def inside(body: Body, namespace: str) -> Body:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


def base(kind: str, namespace: str) -> Body:
    return inside(next(body for body in bases() if body["kind"] == kind), namespace)


@pytest.mark.parametrize("case", [case for case in CASES if case.update is None], ids=str)
def test_a_bad_object_is_refused_for_its_field(case: BadCase, admin: Server) -> None:
    answer = admin.create(case.body, dry_run=True)
    assert answer.status == 422, answer.body
    assert named(case, answer.causes), answer.causes


@pytest.mark.parametrize("case", [case for case in CASES if case.update is not None], ids=str)
def test_a_bad_change_is_refused_for_its_field(case: BadCase, admin: Server, namespace: str) -> None:
    created = admin.create(inside(case.body, namespace))
    assert created.status == 201, created.message
    if case.status:
        assert admin.merge(created.body, {"status": case.status}, "/status").status == 200
    assert case.update is not None
    stored = admin.get(created.body).body
    stamped = {key: stored["spec"][key] for key in ("requestedBy", "approver") if key in stored["spec"]}
    changed = {**case.update, "metadata": stored["metadata"], "spec": stamped | case.update["spec"]}
    answer = admin.replace(changed)
    assert answer.status == 422, answer.body
    assert named(case, answer.causes), answer.causes


def named(case: BadCase, causes: list[Body]) -> bool:
    wanted = (case.field, case.reason)
    return any((c["field"], c["reason"]) == wanted and case.message in c["message"] for c in causes)


@pytest.mark.parametrize("body", [*good_objects(), *bases()], ids=label)
def test_a_good_object_is_accepted(body: Body, admin: Server) -> None:
    answer = admin.apply(body, "test", dry_run=True)
    assert answer.status in (200, 201), answer.message


def test_defaults_are_stored_where_a_person_sees_them(admin: Server, namespace: str) -> None:
    stored = admin.create(base("InferenceService", namespace)).body
    assert stored["spec"]["scale"] == {"min": 1, "max": 8, "replicas": 0, "zeroAfterSeconds": 600, "schedules": []}
    assert stored["spec"]["mode"] == "Automatic"
    assert "status" not in stored


def test_status_is_dropped_on_create_and_by_a_change_of_the_spec(admin: Server, namespace: str) -> None:
    claimed = {"phase": "Verified", "approvedBy": "mallory"}
    created = admin.create({**base("ScalingIntent", namespace), "status": claimed}).body
    assert "status" not in created
    merged = admin.merge(created, {"status": claimed})
    assert merged.status == 200
    assert "status" not in merged.body


def test_the_text_of_an_intent_stays_and_its_answers_grow(admin: Server, namespace: str) -> None:
    intent = base("ScalingIntent", namespace)
    intent["spec"] = {"text": "scale chat"}
    created = admin.create(intent).body
    assert admin.merge(created, {"spec": {"answers": ["to three"]}}).status == 200
    assert admin.merge(created, {"spec": {"answers": ["to three", "yes"]}}).status == 200
    assert admin.merge(created, {"spec": {"approval": "Automatic"}}).status == 200


def test_a_replay_that_runs_can_only_be_cancelled(admin: Server, namespace: str) -> None:
    created = admin.create(base("TrafficReplay", namespace)).body
    assert admin.merge(created, {"spec": {"seed": 7}}).status == 200, "not started yet"
    assert admin.merge(created, {"status": {"startedAt": "2026-06-01T08:00:00Z"}}, "/status").status == 200
    assert admin.merge(created, {"spec": {"seed": 8}}).status == 422
    assert admin.merge(created, {"spec": {"cancel": True, "ttlSecondsAfterFinished": 5}}).status == 200


def test_scale_starts_automatic_and_pins(admin: Server, namespace: str) -> None:
    service = admin.create(base("InferenceService", namespace)).body
    scale = admin.get(service, "/scale").body
    assert scale["spec"] == {}, "0, which means automatic"
    pinned = admin.replace_scale(service, scale, 3)
    assert pinned.status == 200, pinned.message
    assert admin.get(service).body["spec"]["scale"]["replicas"] == 3
    assert admin.replace_scale(service, admin.get(service, "/scale").body, 0).status == 200
    assert admin.get(service).body["spec"]["scale"]["replicas"] == 0


def test_scale_refuses_what_the_limits_refuse(admin: Server, namespace: str) -> None:
    service = admin.create(base("InferenceService", namespace)).body
    answer = admin.replace_scale(service, admin.get(service, "/scale").body, 20)
    assert answer.status == 422
    assert "got 20; limit: scale.min to scale.max, 1 to 8; use 0 for automatic" in answer.message


def test_scale_shows_what_the_operator_says(admin: Server, namespace: str) -> None:
    service = admin.create(base("InferenceService", namespace)).body
    status = {"replicas": 2, "readyReplicas": 1, "selector": "cynosure.dev/service=chat"}
    assert admin.merge(service, {"status": status}, "/status").status == 200
    assert admin.get(service, "/scale").body["status"] == {"replicas": 2, "selector": "cynosure.dev/service=chat"}


def test_two_managers_apply_conditions_side_by_side(admin: Server, namespace: str) -> None:
    service = admin.create(base("InferenceService", namespace)).body
    for manager, kind in (("cynosure", "Ready"), ("probe", "MetricsAvailable")):
        answer = admin.apply(with_condition(service, kind, "True"), manager, "/status", force=False)
        assert answer.status == 200, answer.message
    assert conditions(admin, service) == {"Ready": "True", "MetricsAvailable": "True"}
    assert admin.apply(with_condition(service, "Ready", "False"), "cynosure", "/status", force=False).status == 200
    assert conditions(admin, service) == {"Ready": "False", "MetricsAvailable": "True"}
    conflict = admin.apply(with_condition(service, "Ready", "True"), "probe", "/status", force=False)
    assert conflict.status == 409
    assert 'conflict with "cynosure"' in conflict.message


def with_condition(service: Body, kind: str, status: str) -> Body:
    told = {"type": kind, "status": status, "reason": "Tested", "lastTransitionTime": "2026-06-01T08:00:00Z"}
    metadata = {key: service["metadata"][key] for key in ("name", "namespace")}
    return {
        "apiVersion": service["apiVersion"],
        "kind": service["kind"],
        "metadata": metadata,
        "status": {"conditions": [told]},
    }


def conditions(admin: Server, service: Body) -> dict[str, str]:
    return {c["type"]: c["status"] for c in admin.get(service).body["status"]["conditions"]}


def test_targets_merge_by_metric_and_percentile(admin: Server, namespace: str) -> None:
    service = base("InferenceService", namespace)
    assert admin.apply(service, "team-a").status == 201
    other = copy.deepcopy(service)
    other["spec"] = {"slo": {"targets": [{"metric": "ttft", "percentile": "99.9", "milliseconds": 900}]}}
    assert admin.apply(other, "team-b").status == 200
    targets = admin.get(service).body["spec"]["slo"]["targets"]
    assert [(t["metric"], t["percentile"], t["milliseconds"]) for t in targets] == [
        ("ttft", 95, 400),
        ("ttft", "99.9", 900),
    ]


def test_kubectl_shows_all_kinds_by_their_category(admin: Server, namespace: str) -> None:
    for kind in ("InferenceService", "ScalingIntent", "IntentApproval", "TrafficReplay"):
        assert admin.create(base(kind, namespace)).status == 201
    shown = kubectl(admin, "get", "cynosure", "--namespace", namespace)
    for name in ("inferenceservice", "scalingintent", "intentapproval", "trafficreplay"):
        assert f"{name}.cynosure.dev/" in shown
    header = kubectl(admin, "get", "csvc", "--namespace", namespace, "-o", "wide").splitlines()[0]
    columns = "NAME READY REASON REPLICAS AVAILABLE PARTITION AGE DESIRED PINNED MODE SLO WHY MESSAGE"
    assert " ".join(header.split()) == columns


def test_kubectl_explains_a_default(admin: Server) -> None:
    shown = kubectl(admin, "explain", "inferenceservices.spec.scale.replicas", "--api-version", "cynosure.dev/v1alpha1")
    assert "0 = automatic; N > 0 pins N." in shown


def kubectl(admin: Server, *arguments: str) -> str:
    from testbed.programs import program

    command = [program("kubectl"), "--kubeconfig", str(admin.kubeconfig), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
