"""What Cynosure relies on of an API server. The same tests run against the fake, in seconds, and against a real one."""

import asyncio
from typing import Any

import pytest
from cynosure.errors import Conflict, NotFound, Refused
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.ownership import applied_replicas, owners_of_replicas
from cynosure.kube.port import CONFIG_MAPS, DEPLOYMENTS, Body, EventType, Resource


def config_map(name: str, namespace: str, labels: dict[str, str] | None = None, **data: str) -> Body:
    metadata: Body = {"name": name, "namespace": namespace, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(namespace: str, **spec: Any) -> Body:
    labels = {"app": "web"}
    container = {"name": "engine", "image": "localhost/none:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    metadata = {"name": "web", "namespace": namespace}
    whole = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": whole}


async def kubectl_scale(api: HttpKubeApi, namespace: str, replicas: int) -> None:
    """As another field manager, which the port on purpose cannot be."""
    path = DEPLOYMENTS.path(namespace, "web", "scale")
    patch = {"spec": {"replicas": replicas}}
    await api._send("PATCH", path, {"fieldManager": "kubectl"}, patch, "application/merge-patch+json")


async def test_an_object_that_is_not_there_is_not_found(api: HttpKubeApi, namespace: str) -> None:
    with pytest.raises(NotFound, match="not found"):
        await api.get(CONFIG_MAPS, "nothing", namespace)


async def test_a_kind_that_is_not_there_is_not_found(api: HttpKubeApi, namespace: str) -> None:
    with pytest.raises(NotFound):
        await api.list(Resource("nothing.example", "v1", "nothings"))


async def test_the_log_of_a_pod_that_is_not_there_is_not_found(api: HttpKubeApi, namespace: str) -> None:
    with pytest.raises(NotFound, match="not found"):
        await api.log("nothing", namespace)


async def test_creating_twice_is_a_conflict_without_owners(api: HttpKubeApi, namespace: str) -> None:
    await api.create(CONFIG_MAPS, config_map("one", namespace))
    with pytest.raises(Conflict, match="already exists") as refusal:
        await api.create(CONFIG_MAPS, config_map("one", namespace))
    assert refusal.value.owners == ()


async def test_a_list_has_all_pages_and_only_what_is_selected(api: HttpKubeApi, namespace: str) -> None:
    for index in range(7):  # the page has three
        labels = {"half": "even" if index % 2 == 0 else "odd"}
        await api.create(CONFIG_MAPS, config_map(f"map-{index}", namespace, labels))
    everything = await api.list(CONFIG_MAPS, namespace=namespace)
    even = await api.list(CONFIG_MAPS, namespace=namespace, label_selector="half=even")
    names = {body["metadata"]["name"] for body in everything.items}
    assert {f"map-{index}" for index in range(7)} <= names
    assert [body["metadata"]["name"] for body in even.items] == ["map-0", "map-2", "map-4", "map-6"]


async def test_a_watch_goes_on_after_a_list_without_a_gap(api: HttpKubeApi, namespace: str) -> None:
    listing = await api.list(CONFIG_MAPS)
    await api.create(CONFIG_MAPS, config_map("one", namespace, {"watched": namespace}))
    await api.patch(CONFIG_MAPS, "one", {"data": {"a": "1"}}, namespace=namespace)
    await api.delete(CONFIG_MAPS, "one", namespace=namespace)
    seen = []
    async with asyncio.timeout(5):
        selector = f"watched={namespace}"
        async for event in api.watch(CONFIG_MAPS, listing.resource_version, label_selector=selector):
            if event.type is not EventType.BOOKMARK:
                seen.append(event.type)
            if event.type is EventType.DELETED:
                break
    assert seen == [EventType.ADDED, EventType.MODIFIED, EventType.DELETED]


async def test_a_stale_resource_version_is_a_conflict(api: HttpKubeApi, namespace: str) -> None:
    old = await api.create(CONFIG_MAPS, config_map("one", namespace))
    await api.patch(CONFIG_MAPS, "one", {"data": {"a": "1"}}, namespace=namespace)
    stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "data": {"a": "2"}}
    with pytest.raises(Conflict, match="modified"):
        await api.patch(CONFIG_MAPS, "one", stale, namespace=namespace)


async def test_applying_the_same_again_changes_nothing(api: HttpKubeApi, namespace: str) -> None:
    first = await api.apply(CONFIG_MAPS, config_map("one", namespace, a="1"))
    second = await api.apply(CONFIG_MAPS, config_map("one", namespace, a="1"))
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_field_that_is_applied_no_more_goes_away(api: HttpKubeApi, namespace: str) -> None:
    await api.apply(CONFIG_MAPS, config_map("one", namespace, a="1", b="2"))
    assert (await api.apply(CONFIG_MAPS, config_map("one", namespace, a="1")))["data"] == {"a": "1"}


async def test_a_field_of_somebody_else_is_a_conflict_that_names_them(api: HttpKubeApi, namespace: str) -> None:
    await api.apply(DEPLOYMENTS, deployment(namespace, replicas=2))
    await kubectl_scale(api, namespace, 5)
    with pytest.raises(Conflict) as refusal:
        await api.apply(DEPLOYMENTS, deployment(namespace, replicas=3))
    assert refusal.value.owners == ("kubectl",)


async def test_kubectl_scale_shows_in_the_managed_fields(api: HttpKubeApi, namespace: str) -> None:
    created = await api.apply(DEPLOYMENTS, deployment(namespace, replicas=2))
    assert owners_of_replicas(created) == ()
    assert applied_replicas(created)
    await kubectl_scale(api, namespace, 5)
    scaled = await api.get(DEPLOYMENTS, "web", namespace)
    assert owners_of_replicas(scaled) == ("kubectl scale",)
    assert not applied_replicas(scaled)


async def test_a_sole_owner_that_drops_replicas_resets_them_to_one(api: HttpKubeApi, namespace: str) -> None:
    await api.apply(DEPLOYMENTS, deployment(namespace, replicas=4))
    assert (await api.apply(DEPLOYMENTS, deployment(namespace)))["spec"]["replicas"] == 1


async def test_replicas_that_scale_has_set_survive_an_apply_without_them(api: HttpKubeApi, namespace: str) -> None:
    await api.apply(DEPLOYMENTS, deployment(namespace, replicas=2))
    patch = {"spec": {"replicas": 6}}  # of whatever version: Kubernetes' own controller writes too
    scale = await api.patch(DEPLOYMENTS, "web", patch, namespace=namespace, subresource="scale")
    applied = await api.apply(DEPLOYMENTS, deployment(namespace))
    assert (scale["spec"]["replicas"], applied["spec"]["replicas"]) == (6, 6)
    assert owners_of_replicas(applied) == ()


async def test_scaling_with_a_stale_version_is_a_conflict(api: HttpKubeApi, namespace: str) -> None:
    created = await api.apply(DEPLOYMENTS, deployment(namespace, replicas=2))
    await kubectl_scale(api, namespace, 5)
    patch = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}, "spec": {"replicas": 6}}
    with pytest.raises(Conflict):
        await api.patch(DEPLOYMENTS, "web", patch, namespace=namespace, subresource="scale")


async def test_a_dry_run_changes_nothing(api: HttpKubeApi, namespace: str) -> None:
    await api.create(CONFIG_MAPS, config_map("one", namespace), dry_run=True)
    with pytest.raises(NotFound):
        await api.get(CONFIG_MAPS, "one", namespace)


async def test_deleting_what_is_gone_is_no_error(api: HttpKubeApi, namespace: str) -> None:
    await api.delete(CONFIG_MAPS, "nothing", namespace=namespace)


async def test_deleting_another_object_of_the_same_name_is_a_conflict(api: HttpKubeApi, namespace: str) -> None:
    await api.create(CONFIG_MAPS, config_map("one", namespace))
    with pytest.raises(Conflict):
        await api.delete(CONFIG_MAPS, "one", namespace=namespace, uid="00000000-0000-0000-0000-000000000000")


async def test_an_impossible_object_is_refused(api: HttpKubeApi, namespace: str, real_only: None) -> None:
    body = deployment(namespace)
    body["spec"]["selector"] = {"matchLabels": {"app": "another"}}
    with pytest.raises(Refused, match="selector"):
        await api.apply(DEPLOYMENTS, body)
