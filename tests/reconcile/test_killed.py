"""The operator dies after each of its writes in turn: another one reaches the same end, with nothing twice or left."""

import contextlib
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.fakes import hollow
from tests.fakes.credentials import client
from tests.fakes.dying import Dying, Killed
from tests.reconcile.conftest import SERVICES, Cluster, inference_service, operating

pytestmark = pytest.mark.slow

KINDS = (
    hollow.DEPLOYMENTS,
    hollow.PODS,
    hollow.TEMPLATES,
    ("", "v1", "services"),
    ("", "v1", "configmaps"),
    ("policy", "v1", "poddisruptionbudgets"),
)


def state(cluster: Cluster) -> dict[str, Any]:
    """What there is, but for the random ends of pod names."""
    found = {kind[2]: cluster.names(kind) for kind in KINDS if kind is not hollow.PODS}
    pods = [pod["metadata"]["labels"]["fake/deployment"] for pod in cluster.server.storage.of(hollow.PODS)]
    labels = [sorted(node["metadata"]["labels"]) for node in cluster.server.storage.of(hollow.NODES)]
    decision = cluster.get(SERVICES)["status"]["decision"]
    return {**found, "pods": sorted(pods), "replicas": cluster.replicas(), "labels": labels, "why": decision["option"]}


async def die_after(cluster: Cluster, writes: int) -> bool:
    """Whether the operator died before it had nothing more to write."""
    async with client(cluster.server.url) as api, operating(cluster, Dying(api, writes)) as operator:
        try:
            await operator.until_still()
        except BaseExceptionGroup as group:
            if not group.subgroup(Killed):
                raise
            return True
        except Killed:
            return True
    return False


def change_nothing(cluster: Cluster) -> None:
    """The first deployment of a service."""


def scale_up(cluster: Cluster) -> None:
    cluster.edit(SERVICES, "chat", {"spec": {"scale": {"min": 4}}})


def scale_down(cluster: Cluster) -> None:
    cluster.edit(SERVICES, "chat", {"spec": {"scale": {"min": 1, "max": 1}}})


def change_partition(cluster: Cluster) -> None:
    cluster.edit(SERVICES, "chat", {"spec": {"partitions": {"allowed": ["3g.40gb"]}}})


@pytest.mark.parametrize("change", [change_nothing, scale_up, scale_down, change_partition])
@pytest.mark.timeout(120)
async def test_killed_between_any_two_writes(cluster: Cluster, change: Callable[[Cluster], None]) -> None:
    cluster.add(SERVICES, inference_service())
    if change is not change_nothing:
        async with operating(cluster) as operator:
            await operator.until_still()
    before = remembered(cluster)
    change(cluster)
    async with operating(cluster) as operator:
        await operator.until_still()
    wanted, deaths = state(cluster), 0
    for writes in range(1, 40):
        restore(cluster, before)
        change(cluster)
        died = await die_after(cluster, writes)
        async with operating(cluster) as operator:
            cluster.settle()
            await operator.until_still()
        assert state(cluster) == wanted, f"died after write {writes}"
        deaths += died
        if not died:
            break
    assert deaths >= 2, "the change must take several writes, or nothing was tried"


def remembered(cluster: Cluster) -> Any:
    return deepcopy(cluster.server.storage.objects)


def restore(cluster: Cluster, objects: Any) -> None:
    """The cluster as it was, for those who look from now on."""
    storage = cluster.server.storage
    storage.objects = deepcopy(objects)
    storage.version += 1
    cluster.server.compact()


async def test_a_killed_operator_leaves_everything_serving_and_deletable(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    with contextlib.suppress(BaseExceptionGroup):
        await die_after(cluster, 8)
    cluster.settle()
    pods = cluster.names(hollow.PODS)
    cluster.settle()
    assert cluster.names(hollow.PODS) == pods
    cluster.server.storage.delete((SERVICES, "shop", "chat"))
    cluster.settle()
    assert [name for kind in KINDS for name in cluster.names(kind)] == []
