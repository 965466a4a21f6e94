"""Asking and approving on a real API server: who may do what is decided by RBAC, admission and the lifecycle."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cynosure import intent_command
from cynosure.cli import main
from cynosure.intents.verification import LatencyEvidence, Range
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials
from cynosure.model.bounds import Bounds
from cynosure.model.plan import Plan
from cynosure.model.service import ServiceKey, Target
from cynosure.model.signals import Absent
from cynosure.plan import Tuning, plan_cluster
from cynosure.reconcile.lifecycle import Lifecycle, by_language
from cynosure.settings import KubernetesSettings

from tests.api.conftest import admin, alice, bob, namespace, people  # noqa: F401
from tests.api.server import Answer, Body, Server
from tests.builders.snapshots import CHAT, forecast, observation, service, snapshot

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(180)]

API = "cynosure.dev/v1alpha1"


class Silent:
    async def latency(self, service: ServiceKey, target: Target, since: float, until: float) -> LatencyEvidence:
        return LatencyEvidence(((float("inf"), 0.0),))

    async def extremes(self, service: ServiceKey | None, metric: str, since: float, until: float) -> Range | Absent:
        return Range(3, 3, 1, 1)


def what_if(bounds: Bounds) -> Plan:
    return plan_cluster(snapshot(observation(2, of=service(max_replicas=8))), {CHAT: forecast(4.0)}, bounds, Tuning())


def rounds(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, count: int = 3) -> None:
    """The operator, for a moment."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))

    async def run() -> None:
        async with HttpKubeApi(load_credentials(), KubernetesSettings()) as api:
            life = Lifecycle(api, by_language(time.time), lambda: what_if, Silent(), time.time)
            for _ in range(count):
                await life.round()
                await life.drafts.settle()

    asyncio.run(run())


Operate = Callable[[], None]


@pytest.fixture
def operate(admin: Server, monkeypatch: pytest.MonkeyPatch) -> Operate:  # noqa: F811
    return lambda: rounds(admin.kubeconfig, monkeypatch)


@pytest.fixture
def shop(admin: Server, namespace: str) -> str:  # noqa: F811
    spec = {
        "model": {"name": "llm", "profile": "llm"},
        "engine": {"kind": "emulated"},
        "slo": {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 500}]},
    }
    assert admin.create(manifest("InferenceService", namespace, "chat", spec)).status == 201
    return namespace


def manifest(kind: str, where: str, name: str, spec: Body) -> Body:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": where}, "spec": spec}


def ask(who: Server, where: str, name: str, **spec: Any) -> Answer:
    return who.create(manifest("ScalingIntent", where, name, spec))


def approve(who: Server, where: str, intent: str, digest: str, **spec: Any) -> Answer:
    whole = {"intent": intent, "planDigest": digest, "decision": "Approved", **spec}
    return who.create(manifest("IntentApproval", where, f"{intent}-{time.monotonic_ns()}", whole))


def status(admin: Server, where: str, name: str) -> Body:  # noqa: F811
    return dict(admin.get(manifest("ScalingIntent", where, name, {})).body.get("status", {}))


def condition(admin: Server, where: str, name: str, kind: str) -> tuple[str, str]:  # noqa: F811
    conditions = status(admin, where, name).get("conditions", [])
    return next(((c["status"], c["reason"]) for c in conditions if c["type"] == kind), ("", ""))


def pinned(admin: Server, where: str) -> int:  # noqa: F811
    body = admin.get(manifest("InferenceService", where, "chat", {})).body
    return int(body["spec"]["scale"]["replicas"])


def test_nobody_asks_in_another_name(alice: Server, shop: str) -> None:  # noqa: F811
    assert ask(alice, shop, "forged", text="pause chat", requestedBy="bob").status == 403


def test_asking_and_approving_are_apart(alice: Server, bob: Server, shop: str) -> None:  # noqa: F811
    assert ask(bob, shop, "by-bob", text="pause chat").status == 403
    assert ask(alice, shop, "by-alice", text="pause chat").status == 201
    assert approve(alice, shop, "by-alice", "sha256:" + "0" * 64).status == 403


def test_nobody_writes_a_status_but_the_operator(alice: Server, shop: str) -> None:  # noqa: F811
    ask(alice, shop, "sly", text="pause chat")
    change = {"status": {"conditions": [], "phase": "Approved"}}
    assert alice.merge(manifest("ScalingIntent", shop, "sly", {}), change, "/status").status == 403


def test_a_stale_digest_and_the_own_approval_do_not_count(admin: Server, shop: str, operate: Operate) -> None:  # noqa: F811
    """The administrator may create both kinds; that the requester approves is then the operator's to refuse."""
    assert ask(admin, shop, "own", text="scale chat to 3 replicas").status == 201
    operate()
    digest = status(admin, shop, "own")["plan"]["digest"]
    assert approve(admin, shop, "own", "sha256:" + "0" * 64).status == 201
    operate()
    assert condition(admin, shop, "own", "Approved") == ("False", "DigestStale")
    assert approve(admin, shop, "own", digest).status == 201
    operate()
    assert condition(admin, shop, "own", "Approved") == ("False", "SelfApproval")
    assert pinned(admin, shop) == 0


def test_from_a_sentence_to_its_undo_by_the_command_line(
    admin: Server,  # noqa: F811
    alice: Server,  # noqa: F811
    bob: Server,  # noqa: F811
    shop: str,
    operate: Operate,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(intent_command, "PLAN_SECONDS", 0.0)

    def cynosure(who: Server, *arguments: str) -> int:
        return main([*arguments, "--kubeconfig", str(who.kubeconfig), "-n", shop])

    assert ask(alice, shop, "three", text="scale chat to 3 replicas").status == 201
    operate()
    assert cynosure(alice, "approve", "three") != 0
    assert "forbidden" in capsys.readouterr().err
    assert cynosure(bob, "approve", "three", "--digest", status(admin, shop, "three")["plan"]["digest"]) == 0
    operate()
    assert condition(admin, shop, "three", "Applied") == ("True", "InForce")
    assert pinned(admin, shop) == 3
    assert cynosure(bob, "explain", "chat", "--json") == 0
    cynosure(alice, "undo", "three")
    operate()
    items = admin.request("GET", f"/apis/{API}/namespaces/{shop}/scalingintents").body["items"]
    (undo,) = [item["metadata"]["name"] for item in items if item["metadata"]["name"] != "three"]
    assert cynosure(bob, "approve", undo) == 0
    operate()
    assert status(admin, shop, "three")["phase"] == "Undone"
    assert pinned(admin, shop) == 0
    assert cynosure(bob, "plan", "three") == 0
    assert cynosure(bob, "history", "chat") == 0
    assert "intent three Undone, by alice, approved by bob: scale chat to 3 replicas" in capsys.readouterr().out
    assert cynosure(alice, "stop") == 1, "the stop is the administrators'"
    assert "forbidden" in capsys.readouterr().err
    assert cynosure(bob, "intents") == 0
    assert "three  Undone  alice" in capsys.readouterr().out
