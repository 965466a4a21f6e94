"""TrafficReplays with ``engine: twin``: the same spec, schedule and report, and nothing is sent."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from cynosure.errors import BadInput, Unavailable
from cynosure.model.service import ServiceKey
from cynosure.reconcile.replays.simulations import Play

from loadgen.outcomes import Outcomes
from loadgen.schedule import Schedule
from tests.fakes.objects import Body
from tests.fakes.waiting import eventually
from tests.reconcile.conftest import POLICIES, SERVICES, Cluster, inference_service
from tests.reconcile.test_replays import JOBS, MAPS, REPLAYS, Stage, outcomes, replay, staged


@dataclass
class ToldTwin:
    """Answers at once, or when it is allowed to; ``error`` instead of an answer."""

    error: Exception | None = None
    refusal: Exception | None = None
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    given: list[tuple[Schedule, int]] = field(default_factory=list)
    cancelled: int = 0

    def __call__(self, keys: Sequence[ServiceKey]) -> Play:
        if self.refusal:
            raise self.refusal
        return lambda schedule, seed: self._played(len(keys), schedule, seed)

    async def _played(self, services: int, schedule: Schedule, seed: int) -> list[Outcomes]:
        self.given.append((schedule, seed))
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error:
            raise self.error
        return [unsent(outcomes(schedule, ttft=0.1 + n, broken=2 * n)) for n in range(services)]


def unsent(told: Outcomes) -> Outcomes:
    told.lag_seconds[:] = np.nan
    return told


@pytest.fixture
def twin() -> ToldTwin:
    return ToldTwin()


@pytest.fixture
async def stage(cluster: Cluster, twin: ToldTwin) -> AsyncIterator[Stage]:
    cluster.add(SERVICES, inference_service())
    async with staged(cluster, twin=twin) as found:
        yield found


async def ended(stage: Stage, twin: ToldTwin) -> None:
    twin.may_end.set()
    await asyncio.sleep(0)
    await stage.rounds(3)


async def test_what_the_twin_gets_is_what_the_jobs_would_send(stage: Stage, twin: ToldTwin) -> None:
    await stage.applied("sent", seed=5)
    await stage.applied("simulated", seed=5, engine="twin")
    await eventually(lambda: bool(twin.given))

    data = stage.cluster.get(MAPS, "sent-schedule")["binaryData"]["schedule.bin"]
    ((schedule, seed),) = twin.given
    assert seed == 5
    assert schedule.to_bytes() == base64.b64decode(data)
    assert stage.cluster.names(JOBS) == ["sent-replay-1"], "nothing is sent by the other"
    assert stage.condition("Started", "simulated") == ("True", "Simulating")
    assert stage.condition("Complete", "simulated") == ("Unknown", "Simulating")
    assert stage.status("simulated")["progress"] == {"scheduled": len(schedule)}


async def test_its_status_is_that_of_one_that_was_sent_and_says_that_it_is_simulated(
    stage: Stage, twin: ToldTwin
) -> None:
    await stage.applied(engine="twin")
    await ended(stage, twin)

    status = stage.status()
    count = len(twin.given[0][0])
    assert stage.condition("Complete") == ("True", "Simulated")
    assert stage.message().startswith(f"in the twin: chat: simulated {count} of {count}")
    assert status["progress"] == {"scheduled": count, "sent": count, "succeeded": count, "failed": 0}
    assert status["verdict"] == {"met": True, "attainment": "1"}
    assert "fidelity" not in status, "nobody knows how well it would have been sent"
    assert stage.report()["verdict"]["attainment_interval_95"][0] < 1
    assert {"startedAt", "finishedAt", "report"} <= status.keys()
    assert not stage.cluster.names(JOBS)


async def test_two_services_are_compared(stage: Stage, twin: ToldTwin) -> None:
    stage.cluster.add(SERVICES, inference_service("search"))
    await stage.applied(engine="twin", targets=[{"service": "chat"}, {"service": "search"}])
    await ended(stage, twin)

    first, second = stage.status()["comparison"]
    assert (first["target"], second["target"]) == ("chat", "search")
    assert (first["verdict"]["met"], second["verdict"]["met"]) == (True, False)
    assert stage.report()["comparison"]["decided"] == "first"


async def test_a_cancelled_or_deleted_one_is_simulated_no_longer(stage: Stage, twin: ToldTwin) -> None:
    await stage.applied(engine="twin")
    stage.cluster.edit(REPLAYS, "monday", {"spec": {"cancel": True}})
    await stage.rounds()
    assert stage.condition("Complete") == ("False", "Cancelled")
    await stage.applied("tuesday", engine="twin")
    await eventually(lambda: len(twin.given) == 2)
    stage.cluster.server.storage.delete((REPLAYS, "shop", "tuesday"))
    await stage.rounds()
    await eventually(lambda: twin.cancelled == 2)


async def test_one_waits_for_the_other(stage: Stage, twin: ToldTwin) -> None:
    await stage.applied(engine="twin")
    await stage.applied("tuesday", engine="twin")
    assert stage.condition("Complete", "tuesday") == ("Unknown", "Simulating")
    assert len(twin.given) == 1
    await ended(stage, twin)
    await stage.rounds()
    assert stage.condition("Complete", "tuesday") == ("True", "Simulated")


async def test_without_an_answer_there_is_no_verdict(stage: Stage, twin: ToldTwin) -> None:
    twin.error = Unavailable("the twin had no answer within 600 s")
    await stage.applied(engine="twin")
    await ended(stage, twin)

    assert stage.condition("Complete") == ("False", "SimulationFailed")
    assert "had no answer within 600 s" in stage.message()
    assert not {"verdict", "report", "fidelity"} & stage.status().keys()


async def test_another_operator_begins_anew_what_was_lost_with_the_first(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with staged(cluster, twin=ToldTwin()) as first:
        await first.applied(engine="twin")
        begun = first.status()["startedAt"]
        first.replays._simulations.keep(())
    twin = ToldTwin()
    async with staged(cluster, twin=twin) as second:
        second.now += 30
        await second.rounds()
        await ended(second, twin)
        assert second.condition("Complete") == ("True", "Simulated")
        assert second.status()["startedAt"] == begun


async def test_an_adopted_deployment_has_no_address_and_can_be_simulated(stage: Stage, twin: ToldTwin) -> None:
    adopting = inference_service("theirs", workloadRef={"kind": "Deployment", "name": "vllm"})
    del adopting["spec"]["engine"]
    stage.cluster.add(SERVICES, adopting)
    await stage.applied("sent", targets=[{"service": "theirs"}])
    await stage.applied(engine="twin", targets=[{"service": "theirs"}])

    assert stage.condition("Started", "sent") == ("False", "NotSupported")
    assert stage.condition("Started") == ("True", "Simulating")


@pytest.mark.parametrize(
    ("spec", "refusal", "reason", "said"),
    [
        ({"targets": [{"url": "http://10.0.0.9:8000"}]}, None, "NotSupported", "the twin knows services"),
        ({"targets": [{"service": "nobody"}]}, None, "TargetMissing", "InferenceService nobody"),
        ({}, BadInput("shop/chat: is a job with a deadline"), "NotSupported", "engine: twin: shop/chat: is a job"),
    ],
)
async def test_what_cannot_be_simulated_says_why(
    stage: Stage, twin: ToldTwin, spec: Body, refusal: Exception | None, reason: str, said: str
) -> None:
    twin.refusal = refusal
    await stage.applied(engine="twin", **spec)
    assert stage.condition("Started") == ("False", reason)
    assert said in stage.message("Started")
    assert not twin.given


async def test_too_large_a_load_is_refused_with_what_would_fit(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with staged(cluster, twin=ToldTwin(), REPLAY_SIMULATION_REQUESTS="100") as stage:
        await stage.applied(engine="twin")
        assert stage.condition("TraceFound") == ("False", "TraceTooLarge")
        assert "limit: CYNOSURE_REPLAY_SIMULATION_REQUESTS, which is 100" in stage.message("TraceFound")


async def test_under_the_emergency_stop_none_begins(stage: Stage, twin: ToldTwin) -> None:
    head = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "AutomationPolicy", "metadata": {"name": "default"}}
    stage.cluster.add(POLICIES, {**head, "spec": {"stop": True}})
    await stage.applied(engine="twin")
    assert stage.condition("Started") == ("False", "Stopped")
    assert not twin.given


async def test_before_the_first_pass_it_waits(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    async with staged(cluster) as stage:
        await stage.applied(engine="twin")
        assert "conditions" not in stage.status(), "it is not known yet where the service stands"


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_the_twin_itself_takes_the_services_where_the_last_pass_saw_them(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    cluster.add(SERVICES, inference_service("slow", scale={"min": 1, "max": 1}))
    async with staged(cluster) as stage:
        await stage.operator.until_still()
        targets: Any = [{"service": "chat"}, {"service": "slow"}]
        for name, seed in (("monday", 1), ("again", 1), ("other", 2)):
            cluster.add(REPLAYS, replay(name, engine="twin", targets=targets, seed=seed, durationSeconds=300))
        await stage.rounds()
        while any(stage.condition("Complete", name)[0] == "Unknown" for name in ("monday", "again", "other")):
            await stage.rounds(1)
            await asyncio.sleep(0.1)
        said = {name: stage.message(name=name) for name in ("monday", "again", "other")}
        assert stage.condition("Complete") == ("True", "Simulated")
        assert [target["target"] for target in stage.status()["comparison"]] == ["chat", "slow"]
        assert said["monday"] == said["again"] != said["other"]
        assert stage.report()["engine"] == "twin"
        assert stage.report()["ttft_ms"]["p95"] > 0
