"""TrafficReplays whose users wait, give up, try again and differ: from the spec to the pods, and back to the report."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cynosure.api import TrafficReplay
from cynosure.api.conditions import Reason
from cynosure.reconcile.replays.hindrance import Hindered
from cynosure.reconcile.replays.users import with_users

from loadgen.mix import Lengths, RequestClass
from loadgen.retries import Retries
from loadgen.schedule import Kind, Schedule
from loadgen.slo import Slo
from loadgen.travel import to_line
from tests.fakes.objects import Body
from tests.loadgen.builders import evenly
from tests.loadgen.server import TinyServer, serving
from tests.reconcile.conftest import SERVICES, Cluster, inference_service
from tests.reconcile.test_replays import MAPS, Stage, outcomes, printed, replay, staged

CHAT: Body = {
    "name": "chat",
    "weight": 70,
    "inputTokens": {"p50": 300, "p95": 1500},
    "outputTokens": {"p50": 2, "p95": 4},
    "targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 50}],
}
LONG: Body = {"name": "documents", "weight": 30, "inputTokens": {"p50": 9000, "p95": 9000}}
USERS: Body = {
    "patience": {"meanMilliseconds": 200, "distribution": "fixed"},
    "retries": {"most": 2, "backoffMilliseconds": 100, "budgetShare": "0.5"},
    "mix": [CHAT, {**LONG, "outputTokens": {"p50": 3, "p95": 3}}],
}


@pytest.fixture
async def stage(cluster: Cluster) -> AsyncIterator[Stage]:
    cluster.add(SERVICES, inference_service())
    async with staged(cluster) as found:
        yield found


async def test_the_pods_get_the_users_with_the_schedule(stage: Stage) -> None:
    await stage.applied(seed=7, **USERS)
    schedule = stage.schedule()
    assert schedule.retries == Retries(2, 0.1, 0.5, seed=7)
    assert set(schedule.patience_seconds.tolist()) == {0.2}
    chat = RequestClass("chat", 70, Lengths(300, 1500), Lengths(2, 4), Slo.parse("ttft_p95_ms=50"))
    assert schedule.classes == (chat, RequestClass("documents", 30, Lengths(9000, 9000), Lengths(3, 3)))
    assert set(schedule.input_tokens[schedule.request_class == 1].tolist()) == {9000}


async def test_users_change_neither_when_nor_how_many(stage: Stage) -> None:
    await stage.applied("plain", seed=7)
    await stage.applied(seed=7, **USERS)
    assert stage.status("plain")["progress"] == stage.status()["progress"]


async def test_regions_have_the_same_days_at_other_hours(stage: Stage) -> None:
    regions = [{"weight": 1, "utcOffsetMinutes": 0}, {"weight": 1, "utcOffsetMinutes": 720}]
    day, shaped = (
        {"cut": {"startSeconds": 432000, "durationSeconds": 86400}},
        [{"compress": "1440"}, {"scaleToPeakRps": "50"}],
    )
    await stage.applied("plain", transforms=[day, *shaped], durationSeconds=60)
    await stage.applied(transforms=[day, {"regions": regions}, *shaped], durationSeconds=60)
    halves = [np.histogram(schedule.send_at_seconds, [0, 30, 60])[0] for schedule in schedules(stage)]
    plain, spread = (abs(first - second) / (first + second) for first, second in halves)
    assert plain > 0.1, "a day has a busier half"
    assert spread < 0.1 * plain


def schedules(stage: Stage) -> list[Schedule]:
    maps = [stage.cluster.get(MAPS, f"{name}-schedule")["binaryData"]["schedule.bin"] for name in ("plain", "monday")]
    return [Schedule.from_bytes(base64.b64decode(data), "a test") for data in maps]


async def test_each_class_is_told_by_what_it_was_promised(stage: Stage) -> None:
    await stage.applied(slo={"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 1000}]}, **USERS)
    schedule = stage.schedule()
    told = replace(outcomes(schedule), classes=schedule.classes, request_class=schedule.request_class)
    stage.runs(1, to_line(told), phase="Succeeded")
    stage.ends()
    await stage.rounds()
    documents = float(np.mean(schedule.request_class == 1))
    assert stage.status()["verdict"] == {"met": False, "attainment": f"{round(documents, 6):g}"}
    assert "chat 0.00%, documents 100.00%" in stage.message()
    assert stage.report()["classes"]["documents"]["verdict"]["met"]


def test_images_have_no_mix_of_lengths() -> None:
    asked = TrafficReplay.model_validate(replay(**USERS))
    with pytest.raises(Hindered, match="leave it out") as error:
        with_users(evenly(3, 1.0, kind=Kind.CLASSIFICATION), asked)
    assert error.value.reason is Reason.TRACE_INVALID


@pytest.mark.slow
async def test_users_of_two_pods_go_away_from_a_server_that_keeps_them_waiting(stage: Stage, tmp_path: Path) -> None:
    """The command of each pod is run here, as a process, against a server that answers too late."""
    stage.now = time.time() - 26.0
    short = [{"compress": "604800"}, {"scaleToPeakRps": "40"}]
    await stage.applied(workers=2, durationSeconds=1, transforms=short, **USERS)
    file = tmp_path / "schedule.bin"
    file.write_bytes(stage.schedule().to_bytes())
    command = " ".join(stage.job()["spec"]["template"]["spec"]["containers"][0]["command"][3:])
    async with serving(TinyServer(prefill_seconds=1.0)) as server:
        here = command.replace("/schedule/schedule.bin", str(file))
        here = here.replace("http://chat.shop.svc:8000/v1/completions", server.url)
        logs = await asyncio.gather(*(printed(here.replace("$(JOB_COMPLETION_INDEX)", str(n))) for n in range(2)))
    stage.runs(1, *logs, phase="Succeeded")
    stage.ends()
    await stage.rounds()
    report, scheduled = stage.report(), len(stage.schedule())
    assert report["abandoned"] == report["offered"] == scheduled
    assert report["failures"] == {"abandoned": scheduled}
    assert sum(each["abandoned"] for each in report["classes"].values()) == scheduled
