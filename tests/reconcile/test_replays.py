"""TrafficReplays on their way through a cluster: a fake API server, the real load generator's schedules and reports."""

import asyncio
import base64
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cynosure.app import simulator
from cynosure.errors import Fatal
from cynosure.kube.fence import Fenced
from cynosure.kube.port import KubeApi
from cynosure.observe.prometheus import Prometheus
from cynosure.reconcile.replays import Replays, workers
from cynosure.reconcile.replays.simulations import Twin

from loadgen.outcomes import Outcomes, Status
from loadgen.schedule import Schedule
from loadgen.travel import to_line
from tests.fakes.credentials import client
from tests.fakes.dying import Dying, Killed
from tests.fakes.objects import Body
from tests.fakes.prometheus import Fault
from tests.loadgen.builders import evenly
from tests.loadgen.server import TinyServer, serving
from tests.reconcile.conftest import POLICIES, SERVICES, Cluster, Operator, inference_service, operating, settings

REPLAYS = ("cynosure.dev", "v1alpha1", "trafficreplays")
JOBS = ("batch", "v1", "jobs")
PODS = ("", "v1", "pods")
MAPS = ("", "v1", "configmaps")
CONTROLLER = ("kube-controller-manager", "Update", "status")
WEEK = "azure-llm-2024-code-week"
START = 2_000_000_000.0
SHORT: Body = {
    "targets": [{"service": "chat"}],
    "trace": {"name": WEEK},
    "transforms": [{"compress": "1440"}, {"scaleToPeakRps": "5"}],
    "durationSeconds": 60,
}


def replay(name: str = "monday", **spec: Any) -> Body:
    metadata = {"name": name, "namespace": "shop"}
    return {**_HEAD, "metadata": metadata, "spec": {**SHORT, **spec}}


_HEAD = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "TrafficReplay"}


def outcomes(schedule: Schedule, *, ttft: float = 0.1, broken: int = 0) -> Outcomes:
    """All was sent at its time; the first ``broken`` were refused."""
    every = np.ones(len(schedule))
    status = np.zeros(len(schedule), dtype=np.int64)
    status[:broken] = 503
    due = schedule.send_at_seconds
    counts = 10 * np.ones(len(schedule), dtype=np.int64)
    end, target = schedule.duration_seconds, {"completion": "http://chat"}
    return Outcomes(
        due, 0 * every, ttft * every, 0.3 * every, counts, schedule.kind, status, end, "builtin", target, {}
    )


@dataclass
class Stage:
    cluster: Cluster
    operator: Operator
    replays: Replays
    now: float = START

    async def rounds(self, count: int = 2) -> None:
        for _ in range(count):
            await self.operator.caught_up()
            await self.replays.round()

    async def applied(self, name: str = "monday", **spec: Any) -> None:
        self.cluster.add(REPLAYS, replay(name, **spec))
        await self.rounds()

    def status(self, name: str = "monday") -> Body:
        found: Body = self.cluster.get(REPLAYS, name).get("status", {})
        return found

    def condition(self, kind: str, name: str = "monday") -> tuple[str, str]:
        conditions = self.status(name).get("conditions", [])
        return next(((c["status"], c["reason"]) for c in conditions if c["type"] == kind), ("", ""))

    def message(self, kind: str = "Complete", name: str = "monday") -> str:
        return next(str(c["message"]) for c in self.status(name)["conditions"] if c["type"] == kind)

    def job(self, number: int = 1) -> Body:
        return self.cluster.get(JOBS, f"monday-replay-{number}")

    def schedule(self) -> Schedule:
        data = self.cluster.get(MAPS, "monday-schedule")["binaryData"]["schedule.bin"]
        return Schedule.from_bytes(base64.b64decode(data), "test")

    def report(self) -> Body:
        found: Body = json.loads(self.cluster.get(MAPS, "monday-report")["data"]["report.json"])
        return found

    def runs(self, number: int = 1, *logs: str | None, **status: Any) -> None:
        """Pods of a Job with what they print; None: a pod that is gone."""
        job = self.job(number)["metadata"]
        for index, log in enumerate(logs):
            if log is None:
                continue
            name = f"{job['name']}-{index}"
            labels = {"batch.kubernetes.io/job-name": job["name"]}
            labels["batch.kubernetes.io/job-completion-index"] = str(index)
            metadata = {"name": name, "namespace": "shop", "labels": labels}
            owner = {"kind": "Job", "name": job["name"], "uid": job["uid"], "controller": True}
            self.cluster.add(PODS, {"metadata": {**metadata, "ownerReferences": [owner]}, "status": status})
            self.cluster.server.logs["shop", name] = log

    def ends(self, number: int = 1, kind: str = "Complete", **said: str) -> None:
        condition = {"type": kind, "status": "True", "lastTransitionTime": "2033-05-18T03:40:00Z", **said}
        self.cluster.edit(JOBS, f"monday-replay-{number}", {"status": {"conditions": [condition]}}, manager=CONTROLLER)

    async def finished(self, number: int = 1, **what: Any) -> None:
        self.runs(number, "starting\n" + to_line(outcomes(self.schedule(), **what)) + "\n", phase="Succeeded")
        self.ends(number)


@asynccontextmanager
async def staged(
    cluster: Cluster,
    wrap: Callable[[KubeApi], KubeApi] = lambda api: api,
    twin: Twin | None = None,
    **changes: str,
) -> AsyncIterator[Stage]:
    """Another process, as far as the cluster can tell."""
    chosen = settings(cluster.prometheus.url, STEP_SECONDS="10", RATE_WINDOW_SECONDS="10", **changes)
    async with operating(cluster) as operator, client(cluster.server.url) as api:
        found = Stage(cluster, operator, None)  # type: ignore[arg-type]
        metrics, chosen_twin = Prometheus(chosen.prometheus), twin or simulator(lambda: operator.loop.latest, chosen)
        found.replays = Replays(wrap(api), operator.caches, metrics, chosen_twin, lambda: found.now, chosen)
        yield found


@pytest.fixture
async def stage(cluster: Cluster) -> AsyncIterator[Stage]:
    cluster.add(SERVICES, inference_service())
    async with staged(cluster) as found:
        yield found


async def test_one_that_is_applied_becomes_a_schedule_and_a_job(stage: Stage) -> None:
    await stage.applied(workers=2)
    assert stage.condition("TraceFound") == ("True", "TraceRead")
    assert stage.condition("Started") == ("True", "Sending")
    assert stage.condition("Complete") == ("Unknown", "Sending")
    assert stage.status()["startedAt"] == "2033-05-18T03:33:50Z", "all pods must run by then"
    assert stage.status()["progress"] == {"scheduled": len(stage.schedule())}, "what is not known is not zero"
    job = stage.job()
    uid = stage.cluster.get(REPLAYS, "monday")["metadata"]["uid"]
    for child in (job, stage.cluster.get(MAPS, "monday-schedule")):
        assert child["metadata"]["ownerReferences"][0]["uid"] == uid
    assert (job["spec"]["completions"], job["spec"]["completionMode"]) == (2, "Indexed")
    assert "ttlSecondsAfterFinished" not in job["spec"], "its pods hold what nobody else knows"
    pod = job["spec"]["template"]["spec"]
    command = " ".join(pod["containers"][0]["command"])
    assert "--target http://chat.shop.svc:8000/v1/completions --start-at 2000000030.000" in command
    assert "--prompt count" in command
    assert "--model chat" in command
    assert pod["volumes"][0]["configMap"]["name"] == "monday-schedule"
    assert stage.schedule().duration_seconds == 60


async def test_what_is_written_is_valid(stage: Stage) -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    await stage.applied(workers=2)
    for body in (stage.job(), stage.cluster.get(MAPS, "monday-schedule")):
        validate({**body, "metadata": {**body["metadata"], "managedFields": []}}, "1.36", strict=True)


async def test_one_that_finished_has_a_verdict_and_a_report_and_goes_after_its_time(stage: Stage) -> None:
    await stage.applied(ttlSecondsAfterFinished=600)
    sent = len(stage.schedule())
    await stage.finished(broken=3)
    stage.now += 400
    await stage.rounds()
    status = stage.status()
    assert stage.condition("Complete") == ("True", "Finished")
    assert status["progress"] == {"scheduled": sent, "sent": sent, "succeeded": sent - 3, "failed": 3}
    assert status["verdict"] == {"met": True, "attainment": f"{round((sent - 3) / sent, 6):g}"}
    assert status["fidelity"] == {"rateRmse": "0", "rateWape": "0", "sendLagMillisecondsP99": "0"}
    assert status["finishedAt"] == "2033-05-18T03:40:00Z"
    assert (status["report"], stage.report()["succeeded"]) == ("monday-report", sent - 3)
    assert "partial" not in stage.report()
    stage.now += 600
    await stage.rounds()
    for kind in (REPLAYS, JOBS, PODS, MAPS):
        assert not [name for name in stage.cluster.names(kind) if "monday" in name]


@pytest.mark.slow
async def test_the_program_in_its_pods_takes_what_they_are_given(stage: Stage, tmp_path: Path) -> None:
    """The command of each pod is run here, as a process, against a server that answers."""
    stage.now = time.time() - 26.0  # the pods have the lead time to start, and this test has not
    await stage.applied(workers=2, durationSeconds=1, transforms=[{"compress": "604800"}, {"scaleToPeakRps": "40"}])
    file = tmp_path / "schedule.bin"
    file.write_bytes(stage.schedule().to_bytes())
    command = " ".join(stage.job()["spec"]["template"]["spec"]["containers"][0]["command"][3:])
    command = command.replace("/schedule/schedule.bin", str(file))
    async with serving(TinyServer()) as server:
        here = command.replace("http://chat.shop.svc:8000/v1/completions", server.url)
        logs = await asyncio.gather(*(printed(here.replace("$(JOB_COMPLETION_INDEX)", str(n))) for n in range(2)))
        stage.runs(1, *logs, phase="Succeeded")
        stage.ends()
        await stage.rounds()
        assert stage.condition("Complete") == ("True", "Finished"), stage.message()
        assert stage.status()["progress"]["sent"] == len(server.bodies) == len(stage.schedule())


async def printed(arguments: str) -> str:
    command = (sys.executable, "-m", "loadgen.job", *arguments.split())
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0].decode()


async def test_the_verdict_is_about_its_own_slo_where_it_has_one(stage: Stage) -> None:
    slow = {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 50}]}
    await stage.applied(slo=slow)
    await stage.finished()
    await stage.rounds()
    assert stage.status()["verdict"] == {"met": False, "attainment": "0"}
    assert "ttft_p95_ms=50 missed" in stage.message()


async def test_errors_beyond_what_the_slo_allows_miss_it(stage: Stage) -> None:
    targets = [{"metric": "ttft", "percentile": 50, "milliseconds": 500}]
    await stage.applied(slo={"targets": targets, "errorRatePercent": "1"})
    await stage.finished(broken=len(stage.schedule()) // 4)
    await stage.rounds()
    assert stage.status()["verdict"]["met"] is False


async def test_one_that_is_cancelled_says_how_far_it_came(stage: Stage) -> None:
    await stage.applied()
    half = outcomes(stage.schedule())
    half.status[len(half.status) // 2 :] = Status.UNSENT
    stage.runs(1, to_line(half))
    stage.cluster.edit(REPLAYS, "monday", {"spec": {"cancel": True}})
    await stage.rounds()
    assert not stage.cluster.names(JOBS)
    assert stage.condition("Complete") == ("False", "Cancelled")
    assert stage.condition("Started") == ("True", "Cancelled")
    assert stage.status()["progress"]["sent"] == len(half.status) // 2
    assert "verdict" not in stage.status()
    assert stage.report()["partial"] == {"missing": [], "cancelled": True}


async def test_one_that_is_cancelled_before_its_pods_ran_names_what_is_not_known(stage: Stage) -> None:
    await stage.applied(workers=2)
    stage.cluster.edit(REPLAYS, "monday", {"spec": {"cancel": True}})
    await stage.rounds()
    assert stage.condition("Complete") == ("False", "Cancelled")
    assert "worker 0: had no pod yet" in stage.message()
    assert "sent" not in stage.status()["progress"]
    assert "report" not in stage.status()


async def test_one_that_is_cancelled_at_once_never_starts(stage: Stage) -> None:
    await stage.applied(cancel=True)
    assert stage.condition("Started") == ("False", "Cancelled")
    assert not stage.cluster.names(JOBS)


async def test_a_cancellation_after_the_end_changes_nothing_of_the_verdict(stage: Stage) -> None:
    await stage.applied()
    await stage.finished()
    stage.cluster.edit(REPLAYS, "monday", {"spec": {"cancel": True}})
    await stage.rounds()
    assert stage.condition("Complete") == ("True", "Finished")


async def test_an_evicted_worker_makes_the_report_partial(stage: Stage) -> None:
    await stage.applied(workers=2)
    stage.runs(1, to_line(outcomes(stage.schedule().shard(0, 2))), phase="Succeeded")
    stage.runs(1, None, "sent 3", phase="Failed", reason="Evicted", message="The node was low on memory")
    stage.ends(kind="Failed", reason="FailedIndexes", message="Job has failed indexes")
    await stage.rounds()
    assert stage.condition("Complete") == ("False", "WorkerFailed")
    assert "Evicted: The node was low on memory" in stage.message()
    known = len(stage.schedule().shard(0, 2))
    assert stage.status()["progress"]["sent"] == known
    assert not {"verdict", "fidelity"} & stage.status().keys(), "who is missing is not missing by chance"
    assert len(stage.report()["partial"]["missing"]) == 1


async def test_workers_that_never_ran_are_not_a_replay_without_requests(stage: Stage) -> None:
    await stage.applied()
    stage.ends(kind="Failed", reason="DeadlineExceeded", message="Job was active longer than specified deadline")
    await stage.rounds()
    assert stage.condition("Complete") == ("False", "WorkerFailed")
    assert "DeadlineExceeded" in stage.message()
    assert stage.status()["progress"] == {"scheduled": len(stage.schedule())}


async def test_a_log_that_cannot_be_read_yet_is_waited_for_and_not_for_ever(stage: Stage) -> None:
    await stage.applied()
    await stage.finished()
    stage.cluster.server.faults.refuse = lambda method, path: 502 if path.endswith("/log") else None
    stage.now += 400
    await stage.rounds()
    assert stage.condition("Complete") == ("Unknown", "Sending")
    stage.now += workers.PATIENCE_SECONDS
    await stage.rounds()
    assert stage.condition("Complete") == ("False", "WorkerFailed")
    assert "its log cannot be read" in stage.message()


async def test_what_was_not_sent_in_time_is_said(stage: Stage) -> None:
    await stage.applied()
    late = outcomes(stage.schedule())
    late.status[:5] = Status.UNSENT
    stage.runs(1, to_line(late), phase="Failed")
    stage.ends(kind="Failed", reason="FailedIndexes", message="Job has failed indexes")
    await stage.rounds()
    assert stage.condition("Complete") == ("True", "Finished")
    assert "5 were not sent in time" in stage.message()


async def test_pods_of_others_tell_nothing(stage: Stage) -> None:
    await stage.applied()
    stage.runs(1, to_line(outcomes(stage.schedule())))
    edit = {"metadata": {"ownerReferences": [{"kind": "Job", "name": "x", "uid": "somebody"}]}}
    stage.cluster.edit(PODS, "monday-replay-1-0", edit)
    stage.ends()
    await stage.rounds()
    assert stage.condition("Complete") == ("False", "WorkerFailed")


async def test_two_targets_get_the_same_schedule_and_are_compared(stage: Stage) -> None:
    stage.cluster.add(SERVICES, inference_service("rival"))
    await stage.applied(targets=[{"service": "chat"}, {"service": "rival"}])
    assert stage.job(1)["spec"]["template"]["spec"]["volumes"] == stage.job(2)["spec"]["template"]["spec"]["volumes"]
    assert stage.status()["progress"]["scheduled"] == 2 * len(stage.schedule())
    await stage.finished(1)
    await stage.rounds()
    assert stage.condition("Complete") == ("Unknown", "Sending"), "the other one still sends"
    await stage.finished(2, ttft=2.0)
    await stage.rounds()
    chat, rival = stage.status()["comparison"]
    assert (chat["target"], chat["verdict"]["met"], chat["ttftMillisecondsP95"]) == ("chat", True, "100")
    assert (rival["target"], rival["verdict"]["met"], rival["ttftMillisecondsP95"]) == ("rival", False, "2000")
    assert stage.report()["comparison"]["decided"] == "first"
    assert stage.report()["versus"]["target"] == "rival"


@pytest.mark.parametrize(
    ("spec", "condition", "reason", "says"),
    [
        ({"trace": {"name": "azure-llm-2024-code-weak"}}, "TraceFound", "TraceMissing", f"nearest, name: {WEEK}"),
        ({"trace": {"name": "burstgpt"}}, "TraceFound", "TraceMissing", "published elsewhere"),
        ({"trace": {"configMap": "none"}}, "TraceFound", "TraceMissing", "there is no ConfigMap none"),
        ({"transforms": [{"cut": {"startSeconds": 10**9, "durationSeconds": 1}}]}, "TraceFound", "TraceInvalid", ""),
        ({"durationSeconds": 604800, "transforms": [{"multiply": "0.01"}]}, "TraceFound", "TraceInvalid", "compress"),
        ({"targets": [{"service": "nobody"}]}, "Started", "TargetMissing", "InferenceService nobody"),
        ({"targets": [{"url": "http://example.com/v1"}]}, "Started", "TargetNotAllowed", "CYNOSURE_REPLAY_HOSTS"),
        ({"engine": "k6"}, "Started", "NotSupported", "use engine: builtin"),
        (
            {"trace": {"persistentVolumeClaim": {"claimName": "data", "path": "a.csv"}}},
            "TraceFound",
            "NotSupported",
            "use configMap",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value else None,
)
async def test_what_cannot_be_sent_says_why_and_what_works(
    stage: Stage, spec: Body, condition: str, reason: str, says: str
) -> None:
    await stage.applied(**spec)
    assert stage.condition(condition) == stage.condition("Complete") == ("False", reason)
    assert says in stage.message()
    assert not stage.cluster.names(JOBS)
    assert "startedAt" not in stage.status()


async def test_a_schedule_that_is_too_large_says_what_would_fit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.manifests.MOST_CONFIG_MAP_BYTES", 400)
    await stage.applied()
    assert stage.condition("TraceFound") == ("False", "TraceTooLarge")
    assert "shorten it to" in stage.message()
    assert not stage.cluster.names(JOBS)
    monkeypatch.undo()
    await stage.rounds()
    assert stage.condition("TraceFound") == ("False", "TraceTooLarge"), "the same spec is not built again and again"
    stage.cluster.edit(REPLAYS, "monday", {"spec": {"seed": 2}})
    await stage.rounds()
    assert stage.condition("Started") == ("True", "Sending")


async def test_under_the_emergency_stop_none_starts(stage: Stage) -> None:
    policy = {**_HEAD, "kind": "AutomationPolicy", "metadata": {"name": "default"}, "spec": {"stop": True}}
    stage.cluster.add(POLICIES, policy)
    await stage.applied()
    assert stage.condition("Started") == ("False", "Stopped")
    stage.cluster.server.storage.delete((POLICIES, "", "default"))
    await stage.rounds()
    assert stage.condition("Started") == ("True", "Sending")


async def test_a_target_that_comes_later_is_found(stage: Stage) -> None:
    await stage.applied(targets=[{"service": "late"}])
    stage.cluster.add(SERVICES, inference_service("late"))
    await stage.rounds()
    assert stage.condition("Started") == ("True", "Sending")


async def test_an_address_inside_the_allow_list_gets_load(cluster: Cluster) -> None:
    async with staged(cluster, REPLAY_HOSTS="other.example, llm.example") as stage:
        await stage.applied(targets=[{"url": "https://llm.example/v1"}])
        command = " ".join(stage.job()["spec"]["template"]["spec"]["containers"][0]["command"])
        assert "--target https://llm.example/v1/completions" in command
        assert "--allow-target llm.example" in command


async def test_a_schedule_of_a_config_map_is_sent_as_it_is_up_to_the_end(stage: Stage) -> None:
    data = {"day.bin": base64.b64encode(evenly(100, 100.0).to_bytes()).decode()}
    stage.cluster.add(MAPS, {"metadata": {"name": "day", "namespace": "shop"}, "binaryData": data})
    await stage.applied(trace={"configMap": "day"}, transforms=[], durationSeconds=30)
    assert (len(stage.schedule()), stage.schedule().duration_seconds) == (30, 30)
    await stage.applied("other", trace={"configMap": "day"}, transforms=[{"multiply": "2"}])
    assert stage.condition("TraceFound", "other") == ("False", "TraceInvalid")


async def test_the_past_of_a_service_is_sent_again_without_its_gaps(stage: Stage) -> None:
    rates = [(START - 200 + 10 * n, 2.0) for n in range(1, 11) if n not in (5, 6)]
    stage.cluster.prometheus.history = rates
    past = {"service": "chat", "from": "2033-05-18T03:30:00Z", "to": "2033-05-18T03:31:40Z"}
    await stage.applied(trace={"prometheus": past}, transforms=[], durationSeconds=600)
    schedule = stage.schedule()
    assert (len(schedule), schedule.duration_seconds) == (160, 100)
    assert not ((schedule.send_at_seconds > 40) & (schedule.send_at_seconds < 60)).any(), "missing is not zero"


async def test_a_prometheus_that_is_down_is_asked_again(stage: Stage) -> None:
    stage.cluster.prometheus.fault = Fault.ERROR
    past = {"service": "chat", "from": "2033-05-18T03:30:00Z", "to": "2033-05-18T03:31:40Z"}
    await stage.applied(trace={"prometheus": past}, transforms=[])
    assert stage.condition("TraceFound") == ("False", "PrometheusError")
    stage.cluster.prometheus.fault = Fault.NONE
    await stage.rounds()
    assert stage.condition("TraceFound") == ("False", "TraceMissing")
    assert "0 samples" in stage.message()


async def test_what_the_server_refuses_is_said_before_any_start(stage: Stage) -> None:
    stage.cluster.server.faults.refuse = lambda method, path: 403 if "/jobs/" in path and method == "PATCH" else None
    await stage.applied()
    assert stage.condition("Started") == stage.condition("Complete") == ("False", "ApplyRefused")
    assert "startedAt" not in stage.status()
    stage.cluster.server.writes.clear()
    await stage.rounds()
    assert not stage.cluster.server.writes, "the same is not said again and again"


async def test_a_job_of_somebody_else_is_left_alone(stage: Stage) -> None:
    stage.cluster.add(JOBS, {"metadata": {"name": "monday-replay-1", "namespace": "shop"}, "spec": {"mine": True}})
    await stage.applied()
    assert stage.condition("Started") == ("False", "NameTaken")
    assert stage.job()["spec"] == {"mine": True}


@pytest.mark.parametrize("writes", range(1, 8))
async def test_killed_after_any_write_it_goes_on_and_makes_no_second_job(cluster: Cluster, writes: int) -> None:
    """The writes are: two Jobs to try, the start, the schedule, two Jobs, and that it sends."""
    for name in ("chat", "rival"):
        cluster.add(SERVICES, inference_service(name))
    cluster.add(REPLAYS, replay(targets=[{"service": "chat"}, {"service": "rival"}]))
    async with staged(cluster, lambda api: Dying(api, writes)) as stage:
        with contextlib.suppress(Killed, BaseExceptionGroup):
            await stage.rounds(1)
        uids = {body["metadata"]["uid"] for body in cluster.server.storage.of(JOBS)}
    async with staged(cluster) as stage:
        stage.now += 5
        await stage.rounds()
        assert stage.condition("Started") == ("True", "Sending")
        assert cluster.names(JOBS) == ["monday-replay-1", "monday-replay-2"]
        assert uids <= {body["metadata"]["uid"] for body in cluster.server.storage.of(JOBS)}
        starts = {stage.job(n)["spec"]["template"]["spec"]["containers"][0]["command"][7] for n in (1, 2)}
        assert len(starts) == 1, "both begin at the same moment"
        for number in (1, 2):
            await stage.finished(number)
    async with staged(cluster) as stage:
        await stage.rounds()
        assert stage.condition("Complete") == ("True", "Finished")


async def test_a_job_that_somebody_deleted_is_not_made_again(stage: Stage) -> None:
    await stage.applied()
    stage.cluster.server.storage.delete((JOBS, "shop", "monday-replay-1"))
    await stage.rounds()
    assert stage.condition("Complete") == ("False", "WorkerFailed")
    assert not stage.cluster.names(JOBS)


async def test_without_the_lease_nothing_is_written(cluster: Cluster) -> None:
    cluster.add(SERVICES, inference_service())
    cluster.add(REPLAYS, replay())
    async with staged(cluster, lambda api: Fenced(api, lambda: False)) as stage:
        with pytest.raises(Fatal):
            await stage.rounds()
        assert not cluster.names(JOBS)
        assert "status" not in cluster.get(REPLAYS, "monday")


async def test_one_that_goes_wrong_does_not_hold_up_the_others(stage: Stage) -> None:
    stage.cluster.add(REPLAYS, replay("bad", trace={}))
    await stage.applied()
    assert stage.condition("Started") == ("True", "Sending")
