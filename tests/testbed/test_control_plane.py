"""A control plane without kubelets, as other tests use it."""

import pytest

from testbed import lifecycle
from testbed.api import Api, ApiError, answers
from testbed.cluster import Cluster
from testbed.control_plane import restart_api_server
from testbed.processes import kill, pid_of
from testbed.progress import timed_progress

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(200)]


def test_it_survives_a_crash_of_the_api_server(api_server: Cluster) -> None:
    before = pid_of(api_server, "kube-apiserver")
    restart_api_server(api_server)
    assert pid_of(api_server, "kube-apiserver") != before
    with Api(api_server) as api:
        assert len(api.get("/api/v1/nodes")["items"]) == len(api_server.nodes)


def test_people_have_names_groups_and_no_rights(api_server: Cluster) -> None:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    with Api(api_server, "alice") as alice:
        who = alice.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)["status"]["userInfo"]
        assert (who["username"], "cynosure-users" in who["groups"]) == ("alice", True)
        with pytest.raises(ApiError) as refusal:
            alice.get("/api/v1/namespaces/default/pods")
    assert refusal.value.status == 403


def test_a_second_one_stands_beside_it_and_goes_alone(api_server: Cluster) -> None:
    name = f"{api_server.name}-b"
    try:
        second = lifecycle.up(name, timed_progress(), kubelets=False)
        with Api(second) as api:
            api.create("/api/v1/namespaces", {"metadata": {"name": "only-there"}})
    finally:
        lifecycle.down(name, timed_progress())
    assert lifecycle.status(name) is None
    assert answers(api_server)
    assert not answers(api_server, "/api/v1/namespaces/only-there")


def test_up_mends_what_is_missing(api_server: Cluster) -> None:
    kill(api_server, "kube-scheduler")
    assert pid_of(api_server, "kube-scheduler") is None
    lifecycle.up(api_server.name, timed_progress(), kubelets=False)
    status = lifecycle.status(api_server.name)
    assert status is not None
    assert status["ready"]
    assert pid_of(api_server, "kube-scheduler") is not None
