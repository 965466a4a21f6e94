"""Passes over a whole cluster: what stands afterwards, and how little is written for it."""

import pytest

from tests.fakes import hollow
from tests.reconcile.conftest import SERVICES, Cluster, inference_service, operating


async def test_a_service_gets_its_children_and_says_so(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
    assert cluster.replicas() == {"chat-2g-20gb": 2}
    assert cluster.names(("", "v1", "services")) == ["chat"]
    assert cluster.names(("policy", "v1", "poddisruptionbudgets")) == ["chat"]
    assert cluster.names(hollow.TEMPLATES) == ["chat-2g-20gb"]
    assert cluster.condition("Ready")[:2] == ("True", "Serving")
    status = cluster.get(SERVICES)["status"]
    assert (status["replicas"], status["readyReplicas"], len(status["layout"])) == (2, 2, 2)
    assert status["decision"]["option"]["partition"] == "2g.20gb"


async def test_every_child_goes_with_its_service(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
    uid = cluster.get(SERVICES)["metadata"]["uid"]
    children = [b for kind in (hollow.DEPLOYMENTS, hollow.TEMPLATES) for b in cluster.server.storage.of(kind)]
    assert children
    assert all(body["metadata"]["ownerReferences"][0]["uid"] == uid for body in children)
    assert "finalizers" not in cluster.get(SERVICES)["metadata"]
    cluster.server.storage.delete((SERVICES, "shop", "chat"))  # no operator runs
    assert cluster.replicas() == {}


async def test_a_restarted_operator_writes_nothing_when_nothing_differs(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
    cluster.server.writes.clear()
    async with operating(cluster) as operator:
        await operator.once()
    # The profile's ConfigMap may not be listed, so it is applied once by each process; applying it changes nothing.
    assert [path for _, path in cluster.child_writes()] == ["/api/v1/namespaces/shop/configmaps/chat-profile"]


async def test_nothing_is_planned_before_every_cache_is_synced(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    cluster.server.faults.refuse = lambda method, path: 503 if path.endswith("/pods") else None
    async with operating(cluster) as operator:
        await operator.signals.refresh()
        await operator.loop.once()
        assert operator.loop.latest is None
        assert cluster.replicas() == {}
        cluster.server.faults.refuse = lambda method, path: None
        await operator.until_still()
    assert cluster.replicas() == {"chat-2g-20gb": 2}


async def test_a_late_watch_does_not_make_it_write_twice(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.caught_up()
        await operator.signals.refresh()
        cluster.server.faults.silent_watches = True
        await operator.loop.once()
        cluster.child_writes()
        await operator.loop.once()
        assert [w for w in cluster.child_writes() if "nodes" not in w[1]] == []


async def test_more_load_makes_more_replicas_and_less_load_fewer(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service(scale={"min": 1, "max": 8}))
    traffic = cluster.prometheus.traffic["shop", "chat"]
    async with operating(cluster) as operator:
        await operator.until_still()
        low = cluster.replicas()["chat-2g-20gb"]
        traffic.rps = 12.0
        await operator.until_still()
        high = cluster.replicas()["chat-2g-20gb"]
    assert low < high


async def test_a_change_of_the_partition_makes_before_it_breaks(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
        cluster.edit(SERVICES, "chat", {"spec": {"partitions": {"allowed": ["3g.40gb"]}}})
        await operator.once()
        assert cluster.replicas()["chat-2g-20gb"] == 2  # until the new ones serve
        await operator.once()
        assert cluster.replicas()["chat-2g-20gb"] == 2
        cluster.settle()
        await operator.until_still()
    assert list(cluster.replicas()) == ["chat-3g-40gb"]
    assert cluster.names(hollow.TEMPLATES) == ["chat-3g-40gb"]


async def test_an_invalid_service_says_why_and_the_others_go_on(cluster: Cluster) -> None:
    broken = inference_service("broken", scale={"min": 5, "max": 2})
    cluster.add(SERVICES, broken)
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
    status, reason, message = cluster.condition("Ready", "broken")
    assert (status, reason) == ("False", "SpecInvalid")
    assert "scale.min: got 5" in message
    assert cluster.replicas() == {"chat-2g-20gb": 2}


async def test_a_service_that_cannot_fit_says_what_is_missing_and_the_others_go_on(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    huge = inference_service("huge", scale={"min": 9, "max": 9}, partitions={"allowed": ["7g.80gb"]})
    cluster.add(SERVICES, huge)
    async with operating(cluster) as operator:
        await operator.until_still(passes=20)
    status, reason, message = cluster.condition("Placed", "huge")
    assert (status, reason) == ("False", "NoRoom")
    assert "7g.80gb" in message
    assert cluster.condition("Ready")[0] == "True"


@pytest.mark.parametrize("mode", ["Paused", "Advisory"])
async def test_a_service_that_is_held_is_shown_and_not_touched(cluster: Cluster, mode: str) -> None:
    cluster.add(SERVICES, inference_service(mode=mode))
    async with operating(cluster) as operator:
        await operator.until_still()
    assert cluster.replicas() == {}
    assert cluster.condition("Ready")[1] == mode


async def test_a_foreign_object_of_the_same_name_is_left_alone(cluster: Cluster) -> None:
    spec = {"selector": {"app": "somebody"}}
    cluster.add(("", "v1", "services"), {"metadata": {"name": "chat", "namespace": "shop"}, "spec": spec})
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        for _ in range(3):
            await operator.once()
            cluster.settle()
    assert cluster.get(("", "v1", "services"))["spec"] == spec
    assert cluster.condition("ConflictFree")[:2] == ("False", "FieldOwned")
    assert cluster.replicas() == {"chat-2g-20gb": 2}  # the rest goes on
