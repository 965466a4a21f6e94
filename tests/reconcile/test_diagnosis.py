"""From a cluster to findings, to a draft, and to what becomes of it: a fake API server, everything else is real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cynosure.api import InferenceService, ScalingIntent
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.directive import Directive
from cynosure.clock import system_clock
from cynosure.observe.attainment import Attainment
from cynosure.observe.prometheus import Prometheus
from cynosure.plan import plan_cluster
from cynosure.reconcile.diagnosis import Diagnosis, Knowledge, facts
from cynosure.reconcile.diagnosis.gauges import gpu_readings, series_of
from cynosure.reconcile.diagnosis.proposals import is_worth_asking
from cynosure.reconcile.result import PassResult
from cynosure.service_command import explained
from cynosure.settings import DiagnosisSettings, ForecastSettings

from tests.builders.snapshots import CHAT
from tests.fakes.credentials import client
from tests.fakes.objects import Body
from tests.fakes.prometheus import FakePrometheus, Fault
from tests.reconcile.conftest import PERSON, SERVICES, Cluster, Operator, inference_service, operating, settings

INTENTS = ("cynosure.dev", "v1alpha1", "scalingintents")
EVENTS = ("events.k8s.io", "v1", "events")
PODS = ("", "v1", "pods")
LOOK_SECONDS = 30.0
"""Between two looks, of the diagnosis's own time; each is a real pass."""


@dataclass
class Watched:
    """An operator whose diagnosis looks after each pass."""

    operator: Operator
    diagnosis: Diagnosis
    cluster: Cluster
    looks: int = 0

    def latest(self) -> PassResult | None:
        """The last pass, as late as its number says."""
        seen = self.operator.loop.latest
        if seen is None:
            return None
        late = seen.snapshot.now_seconds + LOOK_SECONDS * self.looks
        return replace(seen, snapshot=replace(seen.snapshot, now_seconds=late))

    async def look(self, rounds: int = 24, *, queue_grows: bool = False) -> None:
        """So many passes; each finds an eighth more requests in the queue, if it grows."""
        for _ in range(rounds):
            self.looks += 1
            traffic = self.cluster.prometheus.traffic["shop", "chat"]
            traffic.waiting = 1.125 * traffic.waiting + 2 if queue_grows else 0.0
            await self.operator.once()
            self.cluster.settle()
            await self.diagnosis.round()
        await self.operator.once()

    def drafts(self) -> list[Body]:
        return list(self.cluster.server.storage.of(INTENTS))

    def findings(self) -> list[Body]:
        return list(self.cluster.get(SERVICES).get("status", {}).get("findings", []))


@asynccontextmanager
async def watching(cluster: Cluster) -> AsyncIterator[Watched]:
    found: list[Watched] = []
    latest = lambda: found[0].diagnosis.latest()  # noqa: E731
    async with client(cluster.server.url) as api, operating(cluster, findings=latest) as operator:
        prometheus = Prometheus(settings(cluster.prometheus.url).prometheus)
        attainment = Attainment(prometheus, ForecastSettings(), system_clock, dict)
        know = Knowledge(
            lambda: found[0].latest(),
            operator.caches,
            prometheus,
            attainment,
            lambda key: None,
            plan_cluster,
            AutomationPolicySpec,
        )
        found.append(Watched(operator, Diagnosis(api, know, DiagnosisSettings()), cluster))
        yield found[0]


async def overloaded(cluster: Cluster, watched: Watched) -> None:
    """Far more than two replicas serve, and the queue grows."""
    cluster.add(SERVICES, inference_service(scale={"min": 1, "max": 2}))
    await watched.operator.until_still()
    cluster.prometheus.traffic["shop", "chat"].rps = 30.0
    await watched.look(queue_grows=True)


@pytest.mark.slow
async def test_too_small_a_maximum_becomes_a_finding_an_event_and_one_draft(cluster: Cluster) -> None:
    async with watching(cluster) as watched:
        await overloaded(cluster, watched)
        status, reason, message = cluster.condition("FaultFree")
        assert (status, reason) == ("False", "CauseFound")
        assert message.startswith("MaxTooSmall: ")
        (draft,) = watched.drafts()
        assert draft["spec"]["approval"] == "Manual"
        assert draft["spec"]["directives"][0]["verb"] == "scale"
        assert draft["spec"]["directives"][0]["max"] > 2
        reasons = [event["reason"] for event in cluster.server.storage.of(EVENTS)]
        assert reasons.count("MaxTooSmall") == 1
        found = {"service": "shop/chat", "decision": None, "conditions": [], "bounds": {}}
        findings = [{**finding, "intent": draft["metadata"]["name"]} for finding in watched.findings()]
        text = explained({**found, "findings": findings})
        assert text.startswith("QueueGrowing, because MaxTooSmall")
        assert f"kubectl cynosure approve {draft['metadata']['name']}" in text


@pytest.mark.slow
async def test_what_a_person_has_denied_is_not_proposed_again(cluster: Cluster) -> None:
    async with watching(cluster) as watched:
        await overloaded(cluster, watched)
        (draft,) = watched.drafts()
        denied = {
            "type": "Approved",
            "status": "False",
            "reason": "Denied",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        answer = {"status": {"phase": "Denied", "conditions": [denied]}}
        cluster.edit(INTENTS, draft["metadata"]["name"], answer, manager=PERSON)
        await watched.look(queue_grows=True)
        assert watched.findings()[0]["cause"] == "MaxTooSmall"
        assert [d["metadata"]["name"] for d in watched.drafts()] == [draft["metadata"]["name"]]


@pytest.mark.slow
async def test_a_draft_that_somebody_deleted_is_not_made_again_at_once(cluster: Cluster) -> None:
    async with watching(cluster) as watched:
        await overloaded(cluster, watched)
        (draft,) = watched.drafts()
        cluster.server.storage.delete((INTENTS, "shop", draft["metadata"]["name"]))
        await watched.look(queue_grows=True)
        assert watched.findings()[0]["cause"] == "MaxTooSmall"
        assert watched.drafts() == []


@pytest.mark.slow
async def test_an_image_that_is_not_there_is_told_and_not_drafted(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with watching(cluster) as watched:
        await watched.operator.until_still()
        pod = next(iter(cluster.server.storage.of(PODS)))
        waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}}
        broken = {"status": {"conditions": [], "containerStatuses": [{"name": "engine", "state": waiting}]}}
        cluster.edit(PODS, pod["metadata"]["name"], broken)
        for _ in range(2):
            await watched.operator.once()
            await watched.diagnosis.round()
        await watched.operator.once()
        (finding,) = watched.findings()
        assert (finding["cause"], finding["field"]) == ("ImageUnavailable", "spec.engine.image")
        assert watched.drafts() == []


@pytest.mark.slow
async def test_a_service_that_is_well_says_so_once_it_was_watched_for_a_while(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with watching(cluster) as watched:
        await watched.operator.until_still()
        await watched.look(1)
        assert cluster.condition("FaultFree") == ("", "", "")
        await watched.look(10)
        assert cluster.condition("FaultFree")[:2] == ("True", "NoFaultFound")
        assert watched.drafts() == []


async def test_without_prometheus_nothing_else_is_claimed() -> None:
    async with FakePrometheus() as server:
        server.fault = Fault.ERROR
        prometheus = Prometheus(settings(server.url).prometheus)
        assert await gpu_readings(prometheus) == {}
        assert await series_of(prometheus, CHAT) is None


def intent(phase: str, **directive: Any) -> ScalingIntent:
    directives = [{"verb": "scale", "service": "chat", **directive}]
    return ScalingIntent.model_validate(
        {"metadata": {"name": "d", "namespace": "shop"}, "spec": {"directives": directives}, "status": {"phase": phase}}
    )


@pytest.mark.parametrize(
    ("earlier", "worth"),
    [
        ([], True),
        ([intent("Planned", max=10)], False),
        ([intent("Planned", max=4)], False),
        ([intent("Denied", max=10)], False),
        ([intent("Denied", max=6)], True),
        ([intent("Undone", max=9)], False),
        ([intent("Expired", max=10)], True),
        ([intent("Verified", max=4)], True),
        ([intent("Denied", max=10), intent("Expired", max=10)], False),
    ],
    ids=[
        "first",
        "open",
        "open and less",
        "denied",
        "far more now",
        "undone",
        "undecided",
        "in force",
        "denied before",
    ],
)
def test_once_is_enough(earlier: list[ScalingIntent], worth: bool) -> None:
    asked = Directive.model_validate({"verb": "scale", "service": "chat", "max": 10})
    assert is_worth_asking(asked, earlier) is worth


def test_a_pod_is_read_as_it_is() -> None:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    container = {
        "name": "engine",
        "restartCount": 2,
        "lastState": ended,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    }
    sidecar = {"name": "proxy", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
    body = {"metadata": {"name": "chat-0"}, "status": {"containerStatuses": [sidecar, container]}}
    pod = facts.pod_of(body)
    assert (pod.ended, pod.exit_code, pod.restarts, pod.waiting) == ("OOMKilled", 137, 2, "CrashLoopBackOff")
    assert not pod.is_ready


@pytest.mark.parametrize(
    ("arguments", "batch"),
    [(["--max-num-seqs", "8"], 8), (["--max-num-seqs=8", "--max-num-seqs=4"], 4), (["--model", "8"], None), ([], None)],
    ids=["apart", "the last counts", "another", "none"],
)
def test_the_batch_limit_of_an_engine_is_read(arguments: list[str], batch: int | None) -> None:
    container = {"name": "engine", "args": arguments, "resources": {"limits": {"memory": "512Mi"}}}
    body = {
        "metadata": {"name": "chat", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    engine = facts.engine_of([body], InferenceService.model_validate(inference_service()))
    assert engine is not None
    assert (engine.max_batch, engine.memory_limit_gib, engine.has_readiness_probe) == (batch, 0.5, False)
