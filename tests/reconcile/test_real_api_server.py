"""The operator as a process, on a real API server with real controllers and scheduler."""

import asyncio
import json
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.api import crds
from cynosure.errors import Refused, Unavailable
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials
from cynosure.kube.port import (
    CONFIG_MAPS,
    HORIZONTAL_POD_AUTOSCALERS,
    INFERENCE_SERVICES,
    JOBS,
    LEASES,
    MODEL_PROFILES,
    PODS,
    TRAFFIC_REPLAYS,
    Gone,
)

from testbed.control_plane import restart_api_server
from tests.fakes.credentials import QUICK
from tests.fakes.process import Process, running
from tests.fakes.prometheus import FakePrometheus, Fault, Traffic
from tests.fakes.proxy import proxied
from tests.reconcile.real import NAMESPACES, Real, install, until

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(180)]


OUTAGE_SECONDS = float(os.environ.get("CYNOSURE_TEST_OUTAGE_SECONDS", "4"))
"""Several stabilisation windows of these tests' compressed time; 300 is what an outage of 5 minutes is."""


@pytest.fixture
async def real(api_server: Any, repository: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Real]:
    kubeconfig = Path(api_server.kubeconfig("admin"))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    async with HttpKubeApi(load_credentials(), QUICK) as api:
        await install(api, crds.manifests())
        spec = yaml.safe_load((repository / "examples/profiles/opt-1.3b.yaml").read_text())
        profile = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "ModelProfile", "metadata": {"name": "opt-1.3b"}}
        await api.apply(MODEL_PROFILES, {**profile, "spec": spec.get("spec", spec)}, force=True)
        name = f"operator-{uuid.uuid4().hex[:6]}"
        await api.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        found = Real(api, name, kubeconfig)
        yield found
        for service in await found.names(INFERENCE_SERVICES):
            await api.delete(INFERENCE_SERVICES, service, namespace=name)
        await api.delete(NAMESPACES, name)


@pytest.fixture
async def prometheus(real: Real) -> AsyncIterator[FakePrometheus]:
    async with FakePrometheus() as server:
        server.traffic[real.namespace, "chat"] = Traffic()
        yield server


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def operator(real: Real, prometheus: FakePrometheus, port: int, tmp_path: Path) -> Any:
    """Starts it; its lease is the test's own."""

    def start(number: int = 0, **settings: str) -> Any:
        chosen = {"CYNOSURE_LEASE_NAMESPACE": real.namespace, **settings}
        log = tmp_path / f"operator-{number}.log"
        return running(real.kubeconfig, prometheus.url, port + number, log, chosen)

    return start


async def wanted(real: Real, replicas: dict[str, int]) -> bool:
    return await real.replicas() == replicas


async def serving(real: Real, replicas: dict[str, int]) -> bool:
    return await real.ready() == replicas and await wanted(real, replicas)


async def test_a_service_serves_and_its_children_go_with_it(real: Real, operator: Any) -> None:
    await real.add()
    async with operator() as process:
        await until(lambda: serving(real, {"chat-2g-20gb": 2}), "two replicas serve")

        async def said() -> bool:
            return (await real.condition("Ready"))[:2] == ("True", "Serving")

        await until(said, "the status says so")
        body = await real.api.get(INFERENCE_SERVICES, "chat", real.namespace)
        assert len(body["status"]["layout"]) == 2
        assert "finalizers" not in body["metadata"]
        assert 'cynosure_decisions_total{action="ScaleUp"' in await process.text("/metrics")
    pods = await real.names(PODS)
    await asyncio.sleep(1)
    assert await real.names(PODS) == pods, "pods serve on without an operator"
    await real.api.delete(INFERENCE_SERVICES, "chat", namespace=real.namespace)

    async def gone() -> bool:
        return not any((await real.children()).values())

    await until(gone, "everything gone, without an operator")


async def test_one_spec_is_simulated_with_a_verdict_by_its_seed_and_nothing_is_sent(real: Real, operator: Any) -> None:
    await real.add()
    await real.add("narrow", scale={"min": 1, "max": 1})
    body = yaml.safe_load((Path(__file__).parents[2] / "examples/replay.yaml").read_text())
    targets = [{"service": "chat"}, {"service": "narrow"}]
    changes = {"one": {"seed": 7}, "again": {"seed": 7}, "other": {"seed": 8}, "both": {"targets": targets}}

    async def status(name: str) -> Any:
        return (await real.api.get(TRAFFIC_REPLAYS, name, real.namespace))["status"]

    async def report(name: str) -> Any:
        found = await real.api.get(CONFIG_MAPS, (await status(name))["report"], real.namespace)
        return json.loads(found["data"]["report.json"])

    async def ended() -> bool:
        return all(["finishedAt" in await status(name) for name in changes])

    async with operator():
        await until(lambda: serving(real, {"chat-2g-20gb": 2, "narrow-2g-20gb": 1}), "both serve")
        for name, change in changes.items():
            spec = {**body["spec"], "engine": "twin", **change}
            metadata = {"name": name, "namespace": real.namespace}
            await real.api.create(TRAFFIC_REPLAYS, {**body, "metadata": metadata, "spec": spec})
        await until(ended, "all simulated", seconds=90)
    complete = {name: (await status(name))["conditions"] for name in changes}
    assert {c["reason"] for found in complete.values() for c in found if c["type"] == "Complete"} == {"Simulated"}
    one, again, other, both = [await report(name) for name in changes]
    assert one == again
    assert one["latency_ms"] != other["latency_ms"]
    assert one["verdict"]["attainment"] > 0.9
    assert both["comparison"]["decided"] == "first", "one replica is too few for this peak"
    assert len((await status("both"))["comparison"]) == 2
    assert "fidelity" not in await status("one")
    assert not await real.names(JOBS)


async def test_a_replay_gets_its_job_keeps_its_spec_and_is_cancelled(real: Real, operator: Any) -> None:
    """Pods are objects only here, so nothing is sent; what the server takes and refuses is real."""
    await real.add()
    body = yaml.safe_load((Path(__file__).parents[2] / "examples/replay.yaml").read_text())
    metadata = {"name": "day", "namespace": real.namespace}
    await real.api.create(TRAFFIC_REPLAYS, {**body, "metadata": metadata})

    async def says(kind: str, status: str, reason: str) -> bool:
        found = await real.api.get(TRAFFIC_REPLAYS, "day", real.namespace)
        conditions = {c["type"]: (c["status"], c["reason"]) for c in found["status"]["conditions"]}
        return conditions.get(kind) == (status, reason)

    async with operator():
        await until(lambda: says("Started", "True", "Sending"), "the Job made")
        job = await real.api.get(JOBS, "day-replay-1", real.namespace)
        assert job["spec"]["backoffLimitPerIndex"] == 0
        with pytest.raises(Refused, match="only cancel and ttlSecondsAfterFinished change"):
            await real.api.patch(TRAFFIC_REPLAYS, "day", {"spec": {"seed": 8}}, namespace=real.namespace)
        await real.api.patch(TRAFFIC_REPLAYS, "day", {"spec": {"cancel": True}}, namespace=real.namespace)
        await until(lambda: says("Complete", "False", "Cancelled"), "cancelled")

        async def without_job() -> bool:
            return "day-replay-1" not in await real.names(JOBS)

        await until(without_job, "the Job gone")
    await real.api.delete(TRAFFIC_REPLAYS, "day", namespace=real.namespace)

    async def gone() -> bool:
        return "day-schedule" not in await real.names(CONFIG_MAPS)

    await until(gone, "its children gone, without an operator")


async def test_killed_again_and_again_it_ends_where_it_should(real: Real, operator: Any) -> None:
    await real.add()
    for round_, seconds in enumerate((1.3, 1.5, 1.7, 1.9, 2.1, 2.3)):
        async with operator(CYNOSURE_IDENTITY="same-pod") as process:
            await asyncio.sleep(seconds)
            process.kill()
        await real.edit({"scale": {"min": 2 + round_ % 2}})
    async with operator(CYNOSURE_IDENTITY="same-pod"):
        await until(lambda: serving(real, {"chat-2g-20gb": 3}), "three replicas serve")
        children = await real.children()
    assert len(children["pods"]) == 3
    assert [len(children[kind]) for kind in ("deployments", "resourceclaimtemplates", "services")] == [1, 1, 1]


@pytest.mark.timeout(400)
async def test_killed_after_each_of_its_writes(
    real: Real, prometheus: FakePrometheus, port: int, tmp_path: Path
) -> None:
    """Every process lives until it has done a write that none before it has."""
    writes: list[str] = []
    processes: list[Process] = []

    def written(method: str, path: str) -> None:
        write = f"{method} {path}"
        if write not in writes:  # each process begins by applying the profile again
            writes.append(write)
            processes[-1].kill()

    async def settled(wanted: dict[str, int]) -> bool:
        return await serving(real, wanted) and (await real.condition("Ready"))[0] == "True"

    async def until_settled(wanted: dict[str, int], kubeconfig: Path) -> int:
        writes.clear()
        settings = {"CYNOSURE_LEASE_NAMESPACE": real.namespace, "CYNOSURE_IDENTITY": "same-pod"}
        for number in range(60):
            log = tmp_path / f"{number}.log"
            async with running(kubeconfig, prometheus.url, port, log, settings) as process:
                processes.append(process)
                stays = asyncio.create_task(until(lambda: settled(wanted), f"{wanted} serve"))
                dies = asyncio.create_task(process.child.wait())
                await asyncio.wait({stays, dies}, return_when=asyncio.FIRST_COMPLETED)
                if stays.done():
                    await stays
                    return number
                stays.cancel()
        raise AssertionError(f"not settled after {writes}")

    await real.add()
    async with proxied(load_credentials(), written, tmp_path) as kubeconfig:
        deaths = await until_settled({"chat-2g-20gb": 2}, kubeconfig)
        assert deaths >= 6, writes
        await real.edit({"partitions": {"allowed": ["3g.40gb"]}})
        deaths = await until_settled({"chat-3g-40gb": 2}, kubeconfig)
        assert deaths >= 4, writes
    children = await real.children()
    kinds = ("pods", "deployments", "resourceclaimtemplates", "services")
    assert [len(children[kind]) for kind in kinds] == [2, 1, 1, 1]


async def test_the_api_server_restarts(real: Real, operator: Any, api_server: Any) -> None:
    await real.add()
    async with operator(CYNOSURE_LEASE_SECONDS="60") as process:
        await until(lambda: serving(real, {"chat-2g-20gb": 2}), "two replicas serve")
        before = (await real.api.list(CONFIG_MAPS)).resource_version
        await asyncio.to_thread(restart_api_server, api_server)
        await real.edit({"scale": {"min": 4}})
        await until(lambda: wanted(real, {"chat-2g-20gb": 4}), "what changed after the restart is seen", 60)
        # Kubernetes' own controllers come back from their back-offs in their own time.
        await until(lambda: serving(real, {"chat-2g-20gb": 4}), "four replicas serve", 150)
        assert process.child.returncode is None
        with pytest.raises((Gone, Unavailable)):  # what the informers were told, and got over
            await _drain(real, before)


async def _drain(real: Real, version: str) -> None:
    async for _ in real.api.watch(CONFIG_MAPS, version):
        pass


async def test_kubectl_scale_is_named_and_not_fought(real: Real, operator: Any) -> None:
    await real.add()
    async with operator():
        await until(lambda: serving(real, {"chat-2g-20gb": 2}), "two replicas serve")
        await real.kubectl_scale("chat-2g-20gb", 5)

        async def named() -> bool:
            status, reason, message = await real.condition("ConflictFree")
            return (status, reason) == ("False", "ReplicasOwned") and "kubectl scale" in message

        await until(named, "kubectl is named")
        await asyncio.sleep(3)
        assert await real.replicas() == {"chat-2g-20gb": 5}


async def test_an_autoscaler_is_named_and_not_fought(real: Real, operator: Any, prometheus: FakePrometheus) -> None:
    await real.add()
    async with operator():
        await until(lambda: serving(real, {"chat-2g-20gb": 2}), "two replicas serve")
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat-2g-20gb"}
        hpa = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "rival", "namespace": real.namespace},
            "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 3},
        }
        await real.api.create(HORIZONTAL_POD_AUTOSCALERS, hpa)

        async def named() -> bool:
            status, reason, message = await real.condition("ConflictFree")
            return (status, reason) == ("False", "SecondAutoscaler") and "rival" in message

        await until(named, "the autoscaler is named")
        prometheus.traffic[real.namespace, "chat"].rps = 20.0
        await asyncio.sleep(3)
        assert await real.replicas() == {"chat-2g-20gb": 2}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.DOWN, "PrometheusError"),
        (Fault.ERROR, "PrometheusError"),
        (Fault.NAN, "MetricsNaN"),
        (Fault.STALE, "MetricsStale"),
    ],
    ids=["stopped", "5xx", "NaN", "stale"],
)
@pytest.mark.timeout(180 + OUTAGE_SECONDS)
async def test_absence_is_never_zero(
    real: Real, operator: Any, prometheus: FakePrometheus, fault: Fault, reason: str
) -> None:
    await real.add(scale={"min": 1, "max": 6})
    prometheus.traffic[real.namespace, "chat"] = Traffic(rps=10.0, pods=6.0)

    async def is_(wanted: tuple[str, str]) -> bool:
        return (await real.condition("MetricsAvailable"))[:2] == wanted

    async with operator():
        await until(lambda: is_(("True", "MetricsFound")), "metrics are there")

        async def loaded() -> bool:
            return (await real.replicas()).get("chat-2g-20gb", 0) > 1

        await until(loaded, "the load has replicas")
        await asyncio.sleep(3)
        before = await real.replicas()
        prometheus.fault = fault
        await until(lambda: is_(("False", reason)), "the condition says why")
        prometheus.traffic[real.namespace, "chat"].rps = 1.0  # nobody can know
        await _stays(real, before, OUTAGE_SECONDS)
        prometheus.traffic[real.namespace, "chat"].rps = 10.0
        prometheus.fault = Fault.NONE
        await until(lambda: is_(("True", "MetricsFound")), "metrics are back")
        await asyncio.sleep(2)
        assert await real.replicas() == before


async def _stays(real: Real, replicas: dict[str, int], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        assert await real.replicas() == replicas
        await asyncio.sleep(0.5)


async def test_of_two_replicas_one_acts_and_the_other_follows_its_death(real: Real, operator: Any) -> None:
    await real.add()
    async with operator(0) as one, operator(1) as two:

        async def one_leads() -> bool:
            return sorted([await one.leads(), await two.leads()]) == [False, True]

        await until(one_leads, "one of the two leads")
        await until(lambda: serving(real, {"chat-2g-20gb": 2}), "two replicas serve")
        leader, other = (one, two) if await one.leads() else (two, one)
        assert 'cynosure_passes_total{outcome="done"}' not in await other.text("/metrics")
        leader.kill()
        await until(other.leads, "the other one leads")
        await real.edit({"scale": {"min": 3}})
        await until(lambda: serving(real, {"chat-2g-20gb": 3}), "the other one acts")
        lease = await real.api.get(LEASES, "cynosure", real.namespace)
        assert lease["spec"]["leaseTransitions"] == 2


async def test_sigterm_gives_the_lease_back_and_ends_with_0(real: Real, operator: Any) -> None:
    async with operator() as process:
        await until(process.leads, "it leads")
    assert process.child.returncode == 0, process.log.read_text()[-2000:]
    lease = await real.api.get(LEASES, "cynosure", real.namespace)
    assert lease["spec"].get("holderIdentity", "") == ""


async def test_what_cannot_fit_says_so_and_the_others_serve(real: Real, operator: Any) -> None:
    await real.add("huge", scale={"min": 30, "max": 30}, partitions={"allowed": ["7g.80gb"]})
    await real.add()
    async with operator():
        await until(lambda: _some_serve(real), "the other one serves")

        async def said() -> bool:
            status, reason, message = await real.condition("Placed", "huge")
            return (status, reason) == ("False", "NoRoom") and "7g.80gb" in message

        await until(said, "the huge one says what is missing")


async def _some_serve(real: Real) -> bool:
    return (await real.ready()).get("chat-2g-20gb") == 2


async def test_every_line_of_the_log_is_json_without_secrets(real: Real, operator: Any) -> None:
    await real.add()
    secret = "do-not-log-me"
    headers = json.dumps({"Authorization": f"Bearer {secret}"})
    async with operator(CYNOSURE_PROMETHEUS_HEADERS=headers, CYNOSURE_LOG_LEVEL="DEBUG") as process:
        await until(lambda: serving(real, {"chat-2g-20gb": 2}), "two replicas serve")
    text = process.log.read_text()
    assert secret not in text
    assert all(json.loads(line)["level"] for line in text.splitlines())
