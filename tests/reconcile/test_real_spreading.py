"""Replicas are spread and kept apart on a real API server: by plan and scheduler, and with the operator away."""

from collections import Counter
from typing import Any

import pytest
from cynosure.kube.port import NODES, PODS, Body

from tests.fakes.prometheus import FakePrometheus, Traffic
from tests.reconcile.real import Real, until
from tests.reconcile.test_real_api_server import operator, port, prometheus, real  # noqa: F401

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(180)]

HOST = "kubernetes.io/hostname"


async def pods(real: Real) -> list[Body]:  # noqa: F811
    return list((await real.api.list(PODS, namespace=real.namespace)).items)


async def nodes_of(real: Real, service: str) -> Counter[str]:  # noqa: F811
    """The nodes that its pods are bound to."""
    ours = [pod for pod in await pods(real) if pod["metadata"]["labels"]["cynosure.dev/service"] == service]
    return Counter(pod["spec"].get("nodeName", "") for pod in ours)


async def gpu_nodes(real: Real) -> int:  # noqa: F811
    return len((await real.api.list(NODES)).items)


async def test_replicas_stand_evenly_on_all_nodes(
    real: Real,  # noqa: F811
    operator: Any,  # noqa: F811
) -> None:
    count = await gpu_nodes(real)
    await real.add(scale={"min": 2 * count, "max": 2 * count}, spread=[{"topologyKey": HOST}])

    async def even() -> bool:
        return set((await nodes_of(real, "chat")).values()) == {2}

    async with operator():
        await until(even, f"two replicas on each of {count} nodes")
        assert len(await nodes_of(real, "chat")) == count


async def test_one_replica_more_than_nodes_is_not_made_and_the_rule_is_named(
    real: Real,  # noqa: F811
    operator: Any,  # noqa: F811
    prometheus: FakePrometheus,  # noqa: F811
) -> None:
    count = await gpu_nodes(real)
    await real.add(scale={"min": count + 1, "max": count + 1}, antiAffinity=[{"topologyKey": HOST}])
    prometheus.traffic[real.namespace, "vision"] = Traffic()

    async def apart() -> bool:
        return set((await nodes_of(real, "chat")).values()) == {1} and len(await nodes_of(real, "chat")) == count

    async def said() -> bool:
        return "replicas apart by node leaves no room" in (await real.condition("Placed"))[2]

    async with operator():
        await until(apart, f"one replica on each of {count} nodes")
        await until(said, "the condition names the rule")
        victim = (await pods(real))[0]["metadata"]
    await real.api.delete(PODS, victim["name"], namespace=real.namespace)

    async def replaced() -> bool:
        names = {pod["metadata"]["name"] for pod in await pods(real)}
        return victim["name"] not in names and await apart()

    await until(replaced, "its successor on the same node, without an operator")
