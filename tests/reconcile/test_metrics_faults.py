"""Prometheus fails under load: nothing is taken away, the condition says why, and recovery is no jump."""

import asyncio

import pytest

from tests.fakes.prometheus import Fault
from tests.reconcile.conftest import SERVICES, Cluster, inference_service, operating

FAULTS = {
    Fault.DOWN: "PrometheusError",
    Fault.ERROR: "PrometheusError",
    Fault.HANGING: "PrometheusError",
    Fault.NAN: "MetricsNaN",
    Fault.STALE: "MetricsStale",
    Fault.MISSING: "MetricsMissing",
}


SLOW = {Fault.HANGING}
"""Waits for a time-out."""


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(fault, reason, id=fault.value, marks=[pytest.mark.slow] if fault in SLOW else [])
        for fault, reason in FAULTS.items()
    ],
)
async def test_absence_is_never_zero(cluster: Cluster, fault: Fault, reason: str) -> None:
    cluster.add(SERVICES, inference_service(scale={"min": 1, "max": 8}))
    traffic = cluster.prometheus.traffic["shop", "chat"]
    traffic.rps = 12.0
    async with operating(cluster) as operator:
        await operator.until_still()
        loaded = cluster.replicas()
        assert loaded["chat-2g-20gb"] > 1
        assert cluster.condition("MetricsAvailable")[:2] == ("True", "MetricsFound")

        cluster.prometheus.fault = fault
        for _ in range(3):
            await operator.once()
            cluster.settle()
        assert cluster.replicas() == loaded
        assert cluster.condition("MetricsAvailable")[:2] == ("False", reason)

        cluster.prometheus.fault = Fault.NONE
        for _ in range(3):
            await operator.once()
            cluster.settle()
        assert cluster.replicas() == loaded
        assert cluster.condition("MetricsAvailable")[:2] == ("True", "MetricsFound")


async def test_a_restart_during_the_outage_changes_nothing(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service(scale={"min": 1, "max": 8}))
    cluster.prometheus.traffic["shop", "chat"].rps = 12.0
    async with operating(cluster) as operator:
        await operator.until_still()
    loaded = cluster.replicas()
    cluster.prometheus.fault = Fault.DOWN
    async with operating(cluster) as operator:
        for _ in range(3):
            await operator.once()
            cluster.settle()
    assert cluster.replicas() == loaded


async def test_pods_that_are_not_scraped_are_not_idle(cluster: Cluster) -> None:
    """A pod whose scrape fails takes its share of the load out of every sum."""
    cluster.add(SERVICES, inference_service(scale={"min": 1, "max": 8}))
    traffic = cluster.prometheus.traffic["shop", "chat"]
    traffic.rps, traffic.pods = 12.0, 9.0
    async with operating(cluster, STALE_AFTER_SECONDS="0.2") as operator:
        await operator.until_still()
        loaded = cluster.replicas()
        await asyncio.sleep(0.25)  # a pod that has just got ready need not be in the metrics yet
        traffic.rps, traffic.pods = 1.0, 1.0
        for _ in range(3):
            await operator.once()
            cluster.settle()
    assert cluster.replicas() == loaded
    status, reason, message = cluster.condition("MetricsAvailable")
    assert (status, reason) == ("False", "MetricsMissing")
    assert "ready pods of shop/chat report metrics" in message
