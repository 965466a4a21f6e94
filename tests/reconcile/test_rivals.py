"""Others who scale the same things: named in a condition, never fought."""

from tests.fakes import hollow
from tests.fakes.objects import Body
from tests.reconcile.conftest import SERVICES, Cluster, inference_service, operating

HPAS = ("autoscaling", "v2", "horizontalpodautoscalers")
SCALE = ("kubectl", "Update", "scale")


def autoscaler(kind: str, name: str) -> Body:
    target = {"apiVersion": "apps/v1", "kind": kind, "name": name}
    return {"metadata": {"name": "rival", "namespace": "shop"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3}}


async def test_kubectl_scale_is_named_and_not_fought(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
        cluster.edit(hollow.DEPLOYMENTS, "chat-2g-20gb", {"spec": {"replicas": 5}}, manager=SCALE)
        for _ in range(4):
            await operator.once()
            cluster.settle()
    assert cluster.replicas() == {"chat-2g-20gb": 5}
    status, reason, message = cluster.condition("ConflictFree")
    assert (status, reason) == ("False", "ReplicasOwned")
    assert "kubectl scale" in message


async def test_replicas_that_are_given_back_are_decided_again(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
        cluster.edit(hollow.DEPLOYMENTS, "chat-2g-20gb", {"spec": {"replicas": 1}}, manager=SCALE)
        await operator.once()
        stored = cluster.server.storage.objects[hollow.DEPLOYMENTS, "shop", "chat-2g-20gb"]
        del stored.owned[SCALE]
        cluster.edit(hollow.DEPLOYMENTS, "chat-2g-20gb", {"metadata": {"annotations": {"touched": "yes"}}})
        await operator.until_still()
    assert cluster.replicas() == {"chat-2g-20gb": 2}
    assert cluster.condition("ConflictFree")[0] == "True"


async def test_an_autoscaler_on_the_deployment_is_named_and_not_fought(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
        cluster.add(HPAS, autoscaler("Deployment", "chat-2g-20gb"))
        cluster.prometheus.traffic["shop", "chat"].rps = 12.0
        for _ in range(4):
            await operator.once()
            cluster.settle()
    assert cluster.replicas() == {"chat-2g-20gb": 2}
    status, reason, message = cluster.condition("ConflictFree")
    assert (status, reason) == ("False", "SecondAutoscaler")
    assert "rival" in message


async def test_an_autoscaler_on_the_service_itself_is_named(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    cluster.add(HPAS, autoscaler("InferenceService", "chat"))
    async with operating(cluster) as operator:
        await operator.until_still()
    assert cluster.condition("ConflictFree")[:2] == ("False", "SecondAutoscaler")
    assert cluster.replicas() == {"chat-2g-20gb": 2}


async def test_kubectl_scale_of_the_service_pins(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
        cluster.edit(SERVICES, "chat", {"spec": {"scale": {"replicas": 4}}}, manager=SCALE)
        await operator.until_still()
        assert cluster.replicas() == {"chat-2g-20gb": 4}
        assert cluster.condition("ConflictFree")[0] == "True"


async def test_a_changed_field_of_a_child_is_named_and_left(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with operating(cluster) as operator:
        await operator.until_still()
        strategy = {"spec": {"strategy": {"type": "Recreate"}}}
        cluster.edit(hollow.DEPLOYMENTS, "chat-2g-20gb", strategy)
        for _ in range(3):
            await operator.once()
            cluster.settle()
    assert cluster.get(hollow.DEPLOYMENTS, "chat-2g-20gb")["spec"]["strategy"]["type"] == "Recreate"
    assert cluster.condition("ConflictFree")[:2] == ("False", "FieldOwned")
    assert "kubectl" in cluster.condition("ConflictFree")[2]


async def test_an_adopted_deployment_gets_replicas_and_nothing_else(cluster: Cluster) -> None:
    labels = {"app": "web"}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {}},
    }
    deployment = {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}
    cluster.add(hollow.DEPLOYMENTS, deployment)
    body = inference_service(workloadRef={"kind": "Deployment", "name": "web"}, scale={"min": 3, "max": 8})
    del body["spec"]["engine"]
    cluster.add(SERVICES, body)
    async with operating(cluster) as operator:
        for _ in range(2):
            await operator.once()
    assert cluster.replicas() == {"web": 3}
    kept = cluster.get(hollow.DEPLOYMENTS, "web")
    assert kept["spec"]["template"] == spec["template"]
    assert "ownerReferences" not in kept["metadata"]
