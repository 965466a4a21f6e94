"""An operator in this process, with an API server and a Prometheus that do what the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.act.publish import Publisher
from cynosure.act.write import Writer
from cynosure.api.inference_status import FindingStatus
from cynosure.app import planner
from cynosure.clock import system_clock
from cynosure.kube.caches import Caches
from cynosure.kube.port import KubeApi
from cynosure.model.service import ServiceKey
from cynosure.observe.prometheus import Prometheus
from cynosure.observe.signals import Signals
from cynosure.observe.world import World
from cynosure.reconcile.limits import Limits
from cynosure.reconcile.loop import Hands, Loop, Senses
from cynosure.reconcile.wakeup import Wakeup
from cynosure.settings import Settings, read_settings
from cynosure.telemetry import Telemetry

from tests.fakes import hollow
from tests.fakes.api_server import FakeApiServer
from tests.fakes.credentials import client
from tests.fakes.objects import Body, merged
from tests.fakes.objects import update as updated
from tests.fakes.prometheus import FakePrometheus, Traffic
from tests.fakes.storage import Kind
from tests.fakes.waiting import eventually
from tests.reconcile.shop import shop  # noqa: F401

SERVICES: Kind = ("cynosure.dev", "v1alpha1", "inferenceservices")
PROFILES: Kind = ("cynosure.dev", "v1alpha1", "modelprofiles")
POLICIES: Kind = ("cynosure.dev", "v1alpha1", "automationpolicies")
Findings = Callable[[], Mapping[ServiceKey, tuple[FindingStatus, ...]]]
PERSON = ("kubectl", "Update", "")


def settings(prometheus_url: str, **changes: str) -> Settings:
    """Compressed time: what takes minutes elsewhere takes tenths of seconds."""
    quick = {
        "PROMETHEUS_URL": prometheus_url,
        "QUERY_SECONDS": "0.5",
        "STATUS_SECONDS": "0.001",
        "STABILISATION_SECONDS": "0",
        "SETTLE_SECONDS": "0",
        "RESYNC_SECONDS": "0.5",
    }
    return read_settings({f"CYNOSURE_{name}": value for name, value in {**quick, **changes}.items()})


def inference_service(name: str = "chat", **spec: Any) -> Body:
    whole = {
        "model": {"name": name, "profile": "opt-1.3b"},
        "engine": {"kind": "emulated"},
        "slo": {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 800}]},
        "scale": {"min": 2, "max": 8},
        "partitions": {"allowed": ["2g.20gb"]},
        **spec,
    }
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "cynosure.dev/v1alpha1", "kind": "InferenceService", "metadata": metadata, "spec": whole}


@dataclass
class Cluster:
    """The world outside of the operator."""

    server: FakeApiServer
    prometheus: FakePrometheus

    def add(self, kind: Kind, body: Body) -> None:
        metadata = body["metadata"]
        self.server.storage.create((kind, metadata.get("namespace", ""), metadata["name"]), body, PERSON)

    def edit(self, kind: Kind, name: str, patch: Mapping[str, Any], *, manager: tuple[str, str, str] = PERSON) -> None:
        key = (kind, "shop", name)
        self.server.storage.write(key, manager, lambda old: updated(old, manager, merged(old.body, patch)))

    def get(self, kind: Kind, name: str = "chat") -> Body:
        return self.server.storage.objects[kind, "shop", name].shown()

    def names(self, kind: Kind) -> list[str]:
        return [body["metadata"]["name"] for body in self.server.storage.of(kind)]

    def replicas(self) -> dict[str, int]:
        return {d["metadata"]["name"]: d["spec"]["replicas"] for d in self.server.storage.of(hollow.DEPLOYMENTS)}

    def condition(self, kind: str, name: str = "chat") -> tuple[str, str, str]:
        conditions = self.get(SERVICES, name).get("status", {}).get("conditions", [])
        return next(((c["status"], c["reason"], c["message"]) for c in conditions if c["type"] == kind), ("", "", ""))

    def settle(self) -> None:
        hollow.settle(self.server.storage)

    def child_writes(self) -> list[tuple[str, str]]:
        """Writes since the last call, without status and events, which are no children."""
        found = [w for w in self.server.writes if not w[1].endswith("/status") and "/events" not in w[1]]
        self.server.writes.clear()
        return found


@pytest.fixture
async def cluster(repository: Path) -> AsyncIterator[Cluster]:
    async with FakeApiServer() as server, FakePrometheus() as prometheus:
        found = Cluster(server, prometheus)
        hollow.add_node(server.storage, "n1", 2)
        hollow.add_node(server.storage, "n2", 2)
        spec = yaml.safe_load((repository / "examples/profiles/opt-1.3b.yaml").read_text())
        profile = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "ModelProfile", "metadata": {"name": "opt-1.3b"}}
        found.add(PROFILES, {**profile, "spec": spec.get("spec", spec)})
        prometheus.traffic["shop", "chat"] = Traffic()
        yield found


@dataclass
class Operator:
    loop: Loop
    signals: Signals
    caches: Caches
    cluster: Cluster

    async def once(self) -> None:
        """A pass over everything that has happened until now."""
        await self.caught_up()
        await self.signals.refresh()
        await self.loop.once()

    async def until_still(self, *, passes: int = 12) -> None:
        """Passes, and what the cluster makes of them, until nothing is written any more."""
        for _ in range(passes):
            before = len(self.cluster.server.writes)
            await self.once()
            self.cluster.settle()
            if len(self.cluster.server.writes) == before:
                return
        raise AssertionError(f"still writing after {passes} passes: {self.cluster.server.writes[-6:]}")

    async def caught_up(self) -> None:
        """Until the informers have seen every object as it is."""
        await eventually(lambda: self.caches.synced)
        storage = self.cluster.server.storage
        stores = list(self.caches._informers.values())

        def level() -> bool:
            return all(int(informer._version or 0) >= storage.version for informer in stores)

        await eventually(level)


@asynccontextmanager
async def operating(
    cluster: Cluster, api: KubeApi | None = None, *, findings: Findings = dict, **changes: str
) -> AsyncIterator[Operator]:
    """Another process, as far as the cluster can tell: it remembers nothing of the last one."""
    chosen = settings(cluster.prometheus.url, **changes)
    async with client(cluster.server.url) as own:
        wake = Wakeup[str](idle=0.01, longest=0.1, resync=0.5)
        caches = Caches(own, lambda resource, key: wake.fire(key.name))
        signals = Signals(Prometheus(chosen.prometheus), chosen.prometheus, system_clock, lambda: world.targets())
        world = World(caches, signals, chosen, system_clock)
        senses = Senses(caches, world, dict, Limits(caches, system_clock).in_force, findings)
        port = api or own
        publisher = Publisher(port, caches, system_clock, status_seconds=chosen.loop.status_seconds, reporter="test")
        hands = Hands(port, Writer(port, caches, chosen.workload), publisher)
        loop = Loop(senses, hands, planner(chosen), wake, chosen, Telemetry())
        watching = asyncio.create_task(caches.run())
        try:
            yield Operator(loop, signals, caches, cluster)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
