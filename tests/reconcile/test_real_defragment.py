"""A defragmentation on a real API server: real scheduler, real claims, and an operator that can be killed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cynosure.kube.credentials import load_credentials
from cynosure.kube.port import INFERENCE_SERVICES, PODS, SCALING_INTENTS, Body

from tests.api.conftest import admin, binding, bob, people  # noqa: F401
from tests.api.server import Server
from tests.fakes.process import Process, revived, running
from tests.fakes.prometheus import FakePrometheus, Traffic
from tests.fakes.proxy import BESIDE, proxied
from tests.reconcile.real import Real, until
from tests.reconcile.test_real_api_server import operator, port, prometheus, real  # noqa: F401
from tests.reconcile.test_real_diagnosis import _cynosure, account  # noqa: F401

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(180)]


async def make_holes(real: Real, prometheus: FakePrometheus, process: Process, *names: str) -> None:  # noqa: F811
    """Each service on a GPU of its own, as those that stood beside it are gone: a 2g takes a third of a GPU."""
    for name in ("fill", *names):
        prometheus.traffic[real.namespace, name] = Traffic()
    await real.add("fill", scale={"min": 2, "max": 2})
    for count, name in enumerate(names, start=1):
        await until(partial(_ready, real, "fill", 2 * count), f"fill has {2 * count}")
        await real.add(name, scale={"min": 1, "max": 2})
        await until(partial(_ready, real, name, 1), f"{name} serves")
        if count < len(names):
            await real.edit({"scale": {"min": 2 * count + 2, "max": 2 * count + 2}}, "fill")
    await real.api.delete(INFERENCE_SERVICES, "fill", namespace=real.namespace)

    async def gone() -> bool:
        return len(await real.names(PODS)) == len(names)

    await until(gone, "the pods beside them are gone")

    async def apart() -> bool:
        seen = [line for line in (await process.text("/metrics")).splitlines() if _is_placed(line, real.namespace)]
        return len(seen) == len(names) == len(await gpus(real))

    # Pods are ready, or gone, before a pass has seen it; an intent is planned over what the last pass saw.
    await until(apart, f"{names} on a GPU each in what the last pass saw, and in the statuses")


def _is_placed(line: str, namespace: str) -> bool:
    return line.startswith("cynosure_gpu_partitions{") and f'exported_namespace="{namespace}"' in line


async def _ready(real: Real, name: str, count: int) -> bool:  # noqa: F811
    return (await real.ready()).get(f"{name}-2g-20gb") == count


async def gpus(real: Real) -> set[str]:  # noqa: F811
    """The GPUs in use, as the statuses of the services say."""
    bodies = (await real.api.list(INFERENCE_SERVICES, namespace=real.namespace)).items
    return {place["gpu"] for body in bodies for place in body.get("status", {}).get("layout", [])}


async def intent(real: Real, name: str = "tidy") -> Body:  # noqa: F811
    return await real.api.get(SCALING_INTENTS, name, real.namespace)


async def phase(real: Real, wanted: str, name: str = "tidy") -> bool:  # noqa: F811
    return bool((await intent(real, name)).get("status", {}).get("phase") == wanted)


async def ask(real: Real) -> Body:  # noqa: F811
    metadata = {"name": "tidy", "namespace": real.namespace}
    body = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "ScalingIntent", "metadata": metadata}
    await real.api.create(SCALING_INTENTS, {**body, "spec": {"text": "defragment"}})
    try:
        await until(lambda: phase(real, "Planned"), "a plan")
    except AssertionError as error:
        raise AssertionError(f"{error}: {(await intent(real)).get('status')}") from error
    return dict((await intent(real))["status"]["plan"])


def approve(who: Server, real: Real, digest: str, name: str = "tidy") -> None:  # noqa: F811
    spec = {"intent": name, "planDigest": digest, "decision": "Approved"}
    metadata = {"name": f"{name}-yes", "namespace": real.namespace}
    body = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "IntentApproval", "metadata": metadata, "spec": spec}
    assert who.create(body).status == 201


@asynccontextmanager
async def watched_floor(real: Real) -> AsyncIterator[dict[str, int]]:  # noqa: F811
    """The fewest ready replicas of each Deployment, looked at as often as the server answers."""
    least: dict[str, int] = {}

    async def watch() -> None:
        while True:
            for name, ready in (await real.ready()).items():
                least[name] = min(ready, least.get(name, ready))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(watch())
    try:
        yield least
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_services_that_left_holes_are_packed_with_the_consent_of_another_person(
    real: Real,  # noqa: F811
    prometheus: FakePrometheus,  # noqa: F811
    operator: Any,  # noqa: F811
    admin: Server,  # noqa: F811
    bob: Server,  # noqa: F811
    record_property: Callable[[str, object], None],
) -> None:
    assert admin.create(binding(real.namespace, "bob", "cynosure-approver")).status == 201
    async with operator() as process:
        await make_holes(real, prometheus, process, "chat", "vision", "code")
        plan = await ask(real)
        assert len(plan["moves"]) == 2
        assert len(plan["frees"]) == 2
        before = await real.names(PODS)
        await asyncio.sleep(2)
        assert await real.names(PODS) == before, "nothing moves without consent"
        async with watched_floor(real) as least:
            approve(bob, real, plan["digest"])
            seconds = await until(lambda: phase(real, "Verified"), "verified", 60)
        assert least == {"chat-2g-20gb": 1, "vision-2g-20gb": 1, "code-2g-20gb": 1}
        assert await real.replicas() == least
        (kept,) = await gpus(real)
        assert kept == plan["moves"][0]["toGpu"]
        assert len(set(before) & set(await real.names(PODS))) == 1, "what stays is not touched"
        record_property("seconds for two moves", f"{seconds:.1f}")
        assert "unexpected" not in process.log.read_text()


async def test_holes_that_last_are_proposed_by_the_operator_and_packed_once_a_person_agrees(
    real: Real,  # noqa: F811
    prometheus: FakePrometheus,  # noqa: F811
    operator: Any,  # noqa: F811
    admin: Server,  # noqa: F811
    bob: Server,  # noqa: F811
    account: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    assert admin.create(binding(real.namespace, "bob", "cynosure-approver")).status == 201

    async def drafts() -> list[str]:
        found = (await real.api.list(SCALING_INTENTS, namespace=real.namespace)).items
        return [body["metadata"]["name"] for body in found]

    async def planned() -> bool:
        return any([await phase(real, "Planned", name) for name in await drafts()])

    lasting = {"CYNOSURE_DIAGNOSIS_SECONDS": "0.4", "CYNOSURE_FRAGMENTED_SECONDS": "3"}
    async with operator() as before:
        await make_holes(real, prometheus, before, "chat", "vision")
    async with operator(KUBECONFIG=str(account), **lasting) as process:
        seconds = await until(planned, "a draft with a plan")
        assert seconds >= 3, "holes have to last"
        (name,) = await drafts()
        draft = await intent(real, name)
        assert draft["spec"]["requestedBy"] == f"system:serviceaccount:{real.namespace}:cynosure"
        assert draft["spec"]["directives"] == [{"verb": "defragment", "namespace": real.namespace}]
        plan = draft["status"]["plan"]
        assert plan["message"].startswith("Frees 1 of 2 GPUs by 1 moves")

        async def told() -> bool:
            said = [(await real.condition("FaultFree", service))[2] for service in ("chat", "vision")]
            return any(message.startswith("GPUsFragmented: ") for message in said)

        await until(told, "the finding at a service that would be moved")
        for service in ("chat", "vision"):
            assert await _cynosure(bob, real, "explain", service) == 0
        assert f"drafted: kubectl cynosure approve {name}" in capsys.readouterr().out
        async with watched_floor(real) as least:
            approve(bob, real, plan["digest"], name)
            await until(lambda: phase(real, "Verified", name), "verified", 60)
        assert least == {"chat-2g-20gb": 1, "vision-2g-20gb": 1}
        assert await _one_gpu(real)
        await asyncio.sleep(2)
        assert await drafts() == [name], "nothing is left to gain, and nobody is asked again"
        assert "unexpected" not in process.log.read_text()
    record_property("seconds from the first look to a plan", f"{seconds:.1f}")


@pytest.mark.timeout(400)
async def test_killed_after_each_write_of_a_defragmentation(
    real: Real,  # noqa: F811
    prometheus: FakePrometheus,  # noqa: F811
    operator: Any,  # noqa: F811
    port: int,  # noqa: F811
    tmp_path: Path,
    admin: Server,  # noqa: F811
    bob: Server,  # noqa: F811
    record_property: Callable[[str, object], None],
) -> None:
    assert admin.create(binding(real.namespace, "bob", "cynosure-approver")).status == 201
    async with operator(CYNOSURE_IDENTITY="same-pod") as process:
        await make_holes(real, prometheus, process, "chat", "vision")
        plan = await ask(real)
    approve(bob, real, plan["digest"])
    processes: list[Process] = []
    writes: list[str] = []
    deaths: list[str] = []

    def written(method: str, path: str) -> None:
        writes.append(f"{method} {path}")
        if writes.count(writes[-1]) <= 4:  # each process begins with statuses that are a little different
            deaths.append(writes[-1])
            processes[-1].kill()

    settings = {"CYNOSURE_LEASE_NAMESPACE": real.namespace, "CYNOSURE_IDENTITY": "same-pod"}
    way = proxied(load_credentials(), written, tmp_path, ignored=(*BESIDE, "/services", "/poddisruptionbudgets"))
    async with way as kubeconfig, watched_floor(real) as least:

        def start(number: int) -> AbstractAsyncContextManager[Process]:
            return running(kubeconfig, prometheus.url, port + number, tmp_path / f"{number}.log", settings)

        await revived(start, lambda: phase(real, "Verified"), processes, most=79, seconds=12)
    record_property("processes killed in one defragmentation", len(deaths))
    assert len(deaths) >= 15, deaths
    async with operator(70, CYNOSURE_IDENTITY="same-pod"):
        await until(lambda: phase(real, "Verified"), "verified")
        await until(lambda: _one_gpu(real), "on one GPU")
        assert await real.replicas() == {"chat-2g-20gb": 1, "vision-2g-20gb": 1}
    assert least == {"chat-2g-20gb": 1, "vision-2g-20gb": 1}
    assert len(await real.names(PODS)) == 2


async def _one_gpu(real: Real) -> bool:  # noqa: F811
    return len(await gpus(real)) == 1
