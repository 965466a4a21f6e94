"""Services that intents make and delete on a real API server, with no more rights than the chart gives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cynosure.errors import NotFound
from cynosure.kube.credentials import load_credentials
from cynosure.kube.port import AUTOMATION_POLICIES, INFERENCE_SERVICES, PODS, SCALING_INTENTS, Body

from tests.api.conftest import admin, binding, bob, people  # noqa: F401
from tests.api.server import Server
from tests.fakes.process import Process, revived, running
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.proxy import BESIDE, proxied
from tests.reconcile.real import Real, until
from tests.reconcile.test_real_api_server import operator, port, prometheus, real  # noqa: F401
from tests.reconcile.test_real_diagnosis import account  # noqa: F401

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(240)]

API = "cynosure.dev/v1alpha1"
QUICK = {"CYNOSURE_VERIFY_GRACE_SECONDS": "1", "CYNOSURE_VERIFY_WINDOW_SECONDS": "2"}


class Intents:
    """Alice's part is the test's; bob approves."""

    def __init__(self, real: Real, bob: Server) -> None:  # noqa: F811
        self._real, self._bob = real, bob

    async def ask(self, name: str, text: str) -> Body:
        body = {"apiVersion": API, "kind": "ScalingIntent", "metadata": self._named(name), "spec": {"text": text}}
        await self._real.api.create(SCALING_INTENTS, body)
        await until(partial(self.is_, name, "Planned"), f"a plan for {text}")
        return dict((await self.status(name))["plan"])

    async def agree(self, name: str, text: str) -> Body:
        plan = await self.ask(name, text)
        self.approve(name, plan["digest"])
        return plan

    def approve(self, name: str, digest: str) -> None:
        spec = {"intent": name, "planDigest": digest, "decision": "Approved"}
        body = {"apiVersion": API, "kind": "IntentApproval", "metadata": self._named(f"{name}-yes"), "spec": spec}
        answer = self._bob.create(body)
        assert answer.status == 201, answer.message

    async def status(self, name: str) -> Body:
        found = await self._real.api.get(SCALING_INTENTS, name, self._real.namespace)
        return dict(found.get("status", {}))

    async def is_(self, name: str, phase: str) -> bool:
        return bool((await self.status(name)).get("phase") == phase)

    def _named(self, name: str) -> Body:
        return {"name": name, "namespace": self._real.namespace}


@pytest.fixture
def intents(real: Real, admin: Server, bob: Server) -> Intents:  # noqa: F811
    assert admin.create(binding(real.namespace, "bob", "cynosure-approver")).status == 201
    return Intents(real, bob)


@pytest.fixture
async def grace_seconds(real: Real) -> AsyncIterator[int]:  # noqa: F811
    """Short, in the one policy of the cluster."""
    body = {"apiVersion": API, "kind": "AutomationPolicy", "metadata": {"name": "default"}}
    await real.api.apply(AUTOMATION_POLICIES, {**body, "spec": {"deleteGraceSeconds": 4}}, force=True)
    yield 4
    await real.api.delete(AUTOMATION_POLICIES, "default")


async def in_force(intents: Intents) -> bool:
    """Verified or not: what a process has seen of the replicas dies with it."""
    return await intents.is_("deploy-1", "Applied") or await intents.is_("deploy-1", "Verified")


async def uid(real: Real, name: str) -> str | None:  # noqa: F811
    try:
        return str((await real.api.get(INFERENCE_SERVICES, name, real.namespace))["metadata"]["uid"])
    except NotFound:
        return None


async def serves(real: Real, name: str) -> bool:  # noqa: F811
    return any(ready >= 1 for child, ready in (await real.ready()).items() if child.startswith(f"{name}-"))


async def gone(real: Real, name: str) -> bool:  # noqa: F811
    return await uid(real, name) is None and not [pod for pod in await real.names(PODS) if pod.startswith(f"{name}-")]


async def test_a_service_is_made_deleted_kept_and_made_anew_by_sentences(
    real: Real,  # noqa: F811
    operator: Any,  # noqa: F811
    account: Path,  # noqa: F811
    intents: Intents,
    grace_seconds: int,
) -> None:
    await real.add(scale={"min": 1, "max": 2})
    async with operator(KUBECONFIG=str(account), **QUICK) as process:
        await until(partial(serves, real, "chat"), "chat serves")
        plan = await intents.agree("deploy-1", "deploy opt-1.3b called assistant with at most 2 replicas")
        assert {line["path"] for line in plan["diff"]} == {"spec.engine", "spec.model", "spec.scale", "spec.slo"}
        await until(partial(serves, real, "assistant"), "assistant serves")
        await until(partial(intents.is_, "deploy-1", "Verified"), "verified")
        first = await uid(real, "assistant")

        await intents.agree("drop", "delete assistant")
        await until(partial(intents.is_, "drop", "Applied"), "the time of grace runs")
        await intents.agree("keep", "undo")
        await until(partial(intents.is_, "drop", "Undone"), "undone in time")
        await asyncio.sleep(grace_seconds + 2)
        assert await uid(real, "assistant") == first, "untouched"

        await intents.agree("drop-again", "delete assistant")
        await until(partial(intents.is_, "drop-again", "Verified"), "deleted")
        await until(partial(gone, real, "assistant"), "gone with its pods")
        assert await serves(real, "chat"), "the other one serves on"

        await intents.agree("back", "undo intent drop-again")
        await until(partial(serves, real, "assistant"), "assistant serves again")
        assert await uid(real, "assistant") not in (None, first)
        await intents.agree("unmake", "undo intent deploy-1")
        await until(partial(gone, real, "assistant"), "taken back, as nobody has changed it")
        assert "unexpected" not in process.log.read_text()
        assert "forbidden" not in process.log.read_text()


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("grace_seconds")
async def test_killed_after_each_write_of_a_deployment_and_of_a_deletion(
    real: Real,  # noqa: F811
    prometheus: FakePrometheus,  # noqa: F811
    operator: Any,  # noqa: F811
    port: int,  # noqa: F811
    tmp_path: Path,
    intents: Intents,
    record_property: Callable[[str, object], None],
) -> None:
    await real.add(scale={"min": 1, "max": 2})
    await real.add("old", scale={"min": 1, "max": 2})
    async with operator(CYNOSURE_IDENTITY="same-pod"):
        await until(partial(serves, real, "old"), "both serve")
        made = await intents.ask("deploy-1", "deploy opt-1.3b called assistant with at most 2 replicas")
        dropped = await intents.ask("drop", "delete old")
    intents.approve("deploy-1", made["digest"])
    intents.approve("drop", dropped["digest"])
    processes: list[Process] = []
    deaths: list[str] = []

    def written(method: str, path: str) -> None:
        about = path.rpartition(f"/{real.namespace}/")[2].partition("?")[0]
        is_service = about.startswith("inferenceservices") and not about.endswith("/status")
        is_step = is_service or about.startswith("scalingintents/")
        if is_step and deaths.count(about) < 3:  # each process begins with statuses that are a little different
            deaths.append(about)
            processes[-1].kill()

    settings = {"CYNOSURE_LEASE_NAMESPACE": real.namespace, "CYNOSURE_IDENTITY": "same-pod", **QUICK}
    async with proxied(load_credentials(), written, tmp_path, ignored=BESIDE) as kubeconfig:

        def start(number: int) -> AbstractAsyncContextManager[Process]:
            return running(kubeconfig, prometheus.url, port + number, tmp_path / f"{number}.log", settings)

        async def over() -> bool:
            return await in_force(intents) and await intents.is_("drop", "Verified")

        await revived(start, over, processes, most=59, seconds=10)
    assert {about.partition("?")[0] for about in deaths} >= {"inferenceservices", "inferenceservices/old"}, deaths
    record_property("processes killed in one deployment and one deletion", len(deaths))
    async with operator(70, CYNOSURE_IDENTITY="same-pod", **QUICK):
        await until(partial(in_force, intents), "made")
        await until(partial(gone, real, "old"), "deleted")
        await until(partial(serves, real, "assistant"), "assistant serves")
        body = await real.api.get(INFERENCE_SERVICES, "assistant", real.namespace)
        assert body["metadata"]["generation"] == 1
        assert await real.names(INFERENCE_SERVICES) == ["assistant", "chat"]
