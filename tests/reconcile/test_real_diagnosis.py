"""A diagnosis on a real API server: the operator asks as its service account, and another person approves."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.cli import main
from cynosure.kube.port import HORIZONTAL_POD_AUTOSCALERS, INFERENCE_SERVICES, SCALING_INTENTS, Body

from tests.api.conftest import admin, binding, bob, people  # noqa: F401
from tests.api.server import Server
from tests.fakes.prometheus import FakePrometheus
from tests.reconcile.real import Real, until
from tests.reconcile.test_real_api_server import operator, port, prometheus, real  # noqa: F401

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(180)]

QUICK = {"CYNOSURE_DIAGNOSIS_SECONDS": "0.4", "CYNOSURE_DIAGNOSIS_WINDOW_SECONDS": "8"}
RBAC = "rbac.authorization.k8s.io"


@pytest.fixture
def account(admin: Server, real: Real, tmp_path: Path) -> Iterator[Path]:  # noqa: F811
    """The kubeconfig of the operator's service account, which has the chart's role and no other."""
    path = f"/api/v1/namespaces/{real.namespace}/serviceaccounts"
    assert admin.request("POST", path, {"metadata": {"name": "cynosure"}}).status == 201
    token = admin.request("POST", f"{path}/cynosure/token", {"spec": {"expirationSeconds": 3600}}).body["status"][
        "token"
    ]
    bound = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": real.namespace},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cynosure-operator"},
        "subjects": [{"kind": "ServiceAccount", "name": "cynosure", "namespace": real.namespace}],
    }
    bindings = f"/apis/{RBAC}/v1/clusterrolebindings"
    assert admin.request("POST", bindings, bound).status == 201
    config = yaml.safe_load(real.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    file = tmp_path / "operator.kubeconfig"
    file.write_text(yaml.safe_dump(config))
    yield file
    admin.request("DELETE", f"{bindings}/{real.namespace}")


async def drafts(real: Real) -> list[Body]:  # noqa: F811
    return list((await real.api.list(SCALING_INTENTS, namespace=real.namespace)).items)


async def test_too_small_a_maximum_is_found_proposed_approved_by_somebody_else_and_raised(
    real: Real,  # noqa: F811
    operator: Any,  # noqa: F811
    prometheus: FakePrometheus,  # noqa: F811
    admin: Server,  # noqa: F811
    bob: Server,  # noqa: F811
    account: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert admin.create(binding(real.namespace, "bob", "cynosure-approver")).status == 201
    await real.add(scale={"min": 1, "max": 2})
    traffic = prometheus.traffic[real.namespace, "chat"]

    async def serves() -> bool:
        return (await real.ready()).get("chat-2g-20gb", 0) >= 1

    async def found() -> bool:
        traffic.waiting += 20.0
        status, _, message = await real.condition("FaultFree")
        return status == "False" and message.startswith("MaxTooSmall: ")

    async def planned() -> bool:
        return any(draft.get("status", {}).get("phase") == "Planned" for draft in await drafts(real))

    async def raised() -> bool:
        service = await real.api.get(INFERENCE_SERVICES, "chat", real.namespace)
        return bool(service["spec"]["scale"]["max"] > 2) and (await real.replicas())["chat-2g-20gb"] > 2

    async def holds() -> bool:
        return all("expires" not in draft["spec"] for draft in await drafts(real))

    async with operator(KUBECONFIG=str(account), **QUICK):
        await until(serves, "it serves")
        traffic.rps = 30.0
        await until(found, "the cause found")
        await until(planned, "a draft with a plan")
        (draft,) = await drafts(real)
        assert draft["spec"]["requestedBy"] == f"system:serviceaccount:{real.namespace}:cynosure"
        assert draft["status"]["directives"][0]["max"] > 2
        name = draft["metadata"]["name"]
        assert await _cynosure(bob, real, "explain", "chat") == 0
        told = capsys.readouterr().out
        assert told.startswith("QueueGrowing, because MaxTooSmall")
        assert f"kubectl cynosure approve {name}" in told
        assert await _cynosure(bob, real, "approve", name) == 0
        await until(raised, "the maximum raised, and replicas added")
        await until(holds, "what is approved does not expire")
        assert [d["metadata"]["name"] for d in await drafts(real)] == [name]
    events = admin.request("GET", f"/apis/events.k8s.io/v1/namespaces/{real.namespace}/events").body["items"]
    assert [event["reason"] for event in events].count("MaxTooSmall") == 1


async def _cynosure(who: Server, real: Real, *arguments: str) -> int:  # noqa: F811
    return await asyncio.to_thread(main, [*arguments, "--kubeconfig", str(who.kubeconfig), "-n", real.namespace])


async def test_an_autoscaler_beside_a_service_is_found_and_nobody_asks_for_its_deletion(
    real: Real,  # noqa: F811
    operator: Any,  # noqa: F811
    admin: Server,  # noqa: F811
    account: Path,
) -> None:
    await real.add()

    async def serves() -> bool:
        return await real.ready() == {"chat-2g-20gb": 2}

    async def found() -> bool:
        return (await real.condition("FaultFree"))[2].startswith("SecondAutoscaler: HorizontalPodAutoscaler rival")

    async def well() -> bool:
        return (await real.condition("FaultFree"))[:2] == ("True", "NoFaultFound")

    async with operator(KUBECONFIG=str(account), **QUICK):
        await until(serves, "two replicas serve")
        await until(well, "nothing is wrong")
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat-2g-20gb"}
        spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 3}
        rival = {"metadata": {"name": "rival", "namespace": real.namespace}, "spec": spec}
        kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
        await real.api.create(HORIZONTAL_POD_AUTOSCALERS, {**kind, **rival})
        await until(found, "the autoscaler found")
        assert await drafts(real) == []
        await real.api.delete(HORIZONTAL_POD_AUTOSCALERS, "rival", namespace=real.namespace)
        await until(well, "nothing is wrong any more")
