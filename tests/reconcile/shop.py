"""The lifecycle of intents in this process: a fake API server, the real grammar, the real planner."""

import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest
from cynosure.intents.verification import LatencyEvidence, Range, Window
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import Credentials
from cynosure.model.bounds import Bounds
from cynosure.model.gpu import GpuClass
from cynosure.model.plan import Plan
from cynosure.model.service import ServiceKey, Target
from cynosure.model.signals import AbsenceReason, Absent
from cynosure.plan import Tuning, plan_cluster
from cynosure.reconcile.lifecycle import Lifecycle, Timing, by_language
from cynosure.settings import KubernetesSettings

from tests.builders.snapshots import A100, CHAT, forecast, observation, service, snapshot
from tests.fakes import api_server
from tests.fakes.api_server import FakeApiServer
from tests.fakes.objects import Body, merged, update

SERVICES = ("cynosure.dev", "v1alpha1", "inferenceservices")
INTENTS = ("cynosure.dev", "v1alpha1", "scalingintents")
APPROVALS = ("cynosure.dev", "v1alpha1", "intentapprovals")
POLICIES = ("cynosure.dev", "v1alpha1", "automationpolicies")
PERSON = ("kubectl", "Update", "")
QUICK = KubernetesSettings(requests_per_second=10_000, burst=10_000)
START = 4_000_000_000.0
"""After the creation times that the server stamps, which are of the real clock."""


@dataclass
class Evidence:
    """What live metrics say in a test."""

    within: float | None = 1.0
    """Share of 1000 requests that meet any latency; None: there are no metrics."""
    range: Range | Absent = field(default_factory=lambda: Absent(AbsenceReason.MISSING, "nothing seen"))

    async def latency(
        self, service: ServiceKey, target: Target, since: float, until: float
    ) -> LatencyEvidence | Absent:
        if self.within is None:
            return Absent(AbsenceReason.MISSING, "no series")
        return LatencyEvidence(((target.milliseconds, 1000 * self.within), (float("inf"), 1000)))

    async def extremes(self, service: ServiceKey | None, metric: str, since: float, until: float) -> Range | Absent:
        return self.range


class Killed(BaseException):
    """The operator dies before its next write."""


class Mortal:
    """A KubeApi that dies instead of making write number ``dies_at``."""

    def __init__(self, api: HttpKubeApi, dies_at: int) -> None:
        self._api, self._left = api, dies_at

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._api, name)
        if name not in ("apply", "patch", "create", "delete"):
            return method

        async def write(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise Killed
            return await method(*args, **kwargs)

        return write


@dataclass
class Shop:
    server: FakeApiServer
    api: HttpKubeApi
    evidence: Evidence = field(default_factory=Evidence)
    now: float = START
    life: Lifecycle = field(init=False)
    names: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    prices: dict[str, float] = field(default_factory=dict)
    """Of a whole GPU, by currency."""

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, api: Any = None) -> None:
        self.life = Lifecycle(
            api or self.api,
            by_language(lambda: self.now),
            lambda: self.what_if,
            self.evidence,
            lambda: self.now,
            Timing(window=Window(grace_seconds=30, length_seconds=60)),
        )

    def what_if(self, bounds: Bounds) -> Plan:
        classes = MappingProxyType({A100: GpuClass(A100, self.prices)})
        here = snapshot(observation(2, of=service(max_replicas=8)), classes=classes)
        return plan_cluster(here, {CHAT: forecast(4.0)}, bounds, Tuning())

    def add(self, kind: tuple[str, str, str], name: str, spec: Body, namespace: str = "shop") -> str:
        kinds = {SERVICES: "InferenceService", INTENTS: "ScalingIntent", APPROVALS: "IntentApproval"}
        body = {
            "apiVersion": "cynosure.dev/v1alpha1",
            "kind": kinds.get(kind, "AutomationPolicy"),
            "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
            "spec": spec,
        }
        self.server.storage.create((kind, namespace, name), body, PERSON)
        return name

    def ask(self, text: str | None = None, **spec: Any) -> str:
        what = {"text": text} if text is not None else {}
        return self.add(INTENTS, f"ask-{next(self.names)}", {"requestedBy": "alice", **what, **spec})

    def approve(self, intent: str, approver: str = "bob", decision: str = "Approved", digest: str = "") -> str:
        chosen = digest or self.status(intent)["plan"]["digest"]
        spec = {"intent": intent, "planDigest": chosen, "decision": decision, "approver": approver}
        return self.add(APPROVALS, f"{decision.lower()}-{next(self.names)}", spec)

    def policy(self, **spec: Any) -> None:
        self.add(POLICIES, "default", spec, namespace="")

    def edit_policy(self, **spec: Any) -> None:
        place = (POLICIES, "", "default")
        self.server.storage.write(place, PERSON, lambda old: update(old, PERSON, merged(old.body, {"spec": spec})))

    def edit_intent(self, name: str, spec: Body) -> None:
        place = (INTENTS, "shop", name)
        self.server.storage.write(place, PERSON, lambda old: update(old, PERSON, merged(old.body, {"spec": spec})))

    def edit(self, patch: Body, name: str = "chat") -> None:
        self.server.storage.write(
            (SERVICES, "shop", name), PERSON, lambda old: update(old, PERSON, merged(old.body, patch))
        )

    async def rounds(self, seconds: float = 1.0) -> None:
        """Enough for everything that can happen now; then time passes."""
        for _ in range(3):
            await self.life.round()
            await self.life.drafts.settle()
        self.now += seconds

    def status(self, intent: str) -> Body:
        found: Body = self.server.storage.objects[INTENTS, "shop", intent].body.get("status", {})
        return found

    def phase(self, intent: str) -> str:
        return str(self.status(intent).get("phase"))

    def condition(self, name: str, kind: str, of: tuple[str, str, str] = INTENTS) -> tuple[str, str]:
        conditions = self.server.storage.objects[of, "shop", name].body.get("status", {}).get("conditions", [])
        return next(((c["status"], c["reason"]) for c in conditions if c["type"] == kind), ("", ""))

    def pinned(self) -> int:
        return int(self.server.storage.objects[SERVICES, "shop", "chat"].body["spec"]["scale"].get("replicas", 0))

    def mode(self) -> str:
        return str(self.server.storage.objects[SERVICES, "shop", "chat"].body["spec"].get("mode", "Automatic"))

    def partitions(self) -> list[str]:
        spec = self.server.storage.objects[SERVICES, "shop", "chat"].body["spec"]
        return list(spec.get("partitions", {}).get("allowed", []))

    async def applied(self, text: str, **spec: Any) -> str:
        name = self.ask(text, **spec)
        await self.rounds()
        self.approve(name)
        await self.rounds()
        assert self.condition(name, "Applied") == ("True", "InForce"), self.status(name)
        return name


@pytest.fixture
async def shop(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    monkeypatch.setattr(api_server, "_GROUPS", api_server._GROUPS | {"admissionregistration.k8s.io"})
    async with FakeApiServer() as server, HttpKubeApi(Credentials(server.url), QUICK) as api:
        found = Shop(server, api)
        found.add(
            SERVICES,
            "chat",
            {
                "model": {"name": "llm", "profile": "llm"},
                "engine": {"kind": "emulated"},
                "slo": {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 500}]},
                "scale": {"min": 1, "max": 8, "replicas": 0},
            },
        )
        for name in ("cynosure-requested-by", "cynosure-approver"):
            for plural, spec in (
                ("validatingadmissionpolicies", {"failurePolicy": "Fail"}),
                ("validatingadmissionpolicybindings", {"policyName": name, "validationActions": ["Deny"]}),
            ):
                key = (("admissionregistration.k8s.io", "v1", plural), "", name)
                server.storage.create(key, {"metadata": {"name": name}, "spec": spec}, PERSON)
        yield found
