"""The replay: a Job for each service, with a common start, whose outcomes are read back from its log."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.kubectl import Kubectl, StepFailed
from demo.scenario import CHAT, SERVED
from demo.stage import Stage
from demo.traffic import Flow
from loadgen import travel
from loadgen.manifests import ReplayJob, replay_job, schedule_config_map, stress_pods
from loadgen.outcomes import merge
from loadgen.report import report_of
from loadgen.slo import Slo
from testbed.foreign import SIMULATED

_LATE_SECONDS = 90.0
_BACKGROUND_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Replay:
    flow: Flow
    slo: str
    """As ``loadgen`` writes it: ``ttft_p95_ms=500,tpot_p95_ms=100``."""

    @property
    def job_name(self) -> str:
        return f"replay-{self.flow.service}"


def start(stage: Stage, replays: Sequence[Replay], day_starts_at: float) -> None:
    """Create the Jobs, which wait for the common start, and a little background load on each node."""
    bodies: list[Mapping[str, Any]] = []
    for replay in replays:
        job = _job(stage, replay, day_starts_at)
        stage.admin.kubectl.run(
            "delete", "job,configmap", replay.job_name, "-n", job.namespace, "--ignore-not-found", "--wait=true"
        )
        bodies += [schedule_config_map(job, replay.flow.schedule), replay_job(job, replay.flow.schedule)]
    for pod in _background(stage, day_starts_at):
        stage.admin.kubectl.run(
            "delete", "pod", pod["metadata"]["name"], "-n", stage.scenario.namespace, "--ignore-not-found"
        )
        bodies.append(pod)
    stage.admin.kubectl.apply(*bodies)


def reports(stage: Stage, replays: Sequence[Replay]) -> dict[str, Mapping[str, Any]]:
    """Wait for the Jobs to end and return the report of each service."""
    return {replay.flow.service: _report(stage, replay) for replay in replays}


def _background(stage: Stage, day_starts_at: float) -> list[Mapping[str, Any]]:
    image = stage.images.get("stress-ng")
    if image is None:
        stage.say("no background load: CYNOSURE_STRESS_IMAGE names no image with stress-ng")
        return []
    nodes = [node["metadata"]["name"] for node in stage.admin.kubectl.get("nodes", selector=SIMULATED)["items"]]
    seconds = int(day_starts_at - time.time() + stage.scenario.day_seconds)
    return list(stress_pods(nodes, stage.scenario.namespace, image, _BACKGROUND_PERCENT, seconds))


def _job(stage: Stage, replay: Replay, day_starts_at: float) -> ReplayJob:
    served, namespace = SERVED[replay.flow.service], stage.scenario.namespace
    path = "/v1/completions" if served is CHAT else f"/v2/models/{served.model}/infer"
    return ReplayJob(
        name=replay.job_name,
        namespace=namespace,
        image=stage.image,
        targets=[f"http://{served.service}.{namespace}.svc:8000{path}"],
        start_at_unix_seconds=day_starts_at,
        model=served.model if served is CHAT else None,
        prompt="count",
        slo=replay.slo,
        timeout_seconds=30.0,
    )


def _report(stage: Stage, replay: Replay) -> Mapping[str, Any]:
    kubectl, namespace = stage.admin.kubectl, stage.scenario.namespace
    _await_end(kubectl, replay.job_name, namespace)
    selector = f"batch.kubernetes.io/job-name={replay.job_name}"
    pods = kubectl.get("pods", namespace=namespace, selector=selector)["items"]
    shards = []
    for pod in pods:
        name = pod["metadata"]["name"]
        log = kubectl.run("logs", name, "-n", namespace, "--tail=-1", timeout_seconds=60)
        shards.append(travel.from_log(log, name))
    return report_of(merge(shards), Slo.parse(replay.slo))


def _await_end(kubectl: Kubectl, name: str, namespace: str) -> None:
    ends = time.monotonic() + _LATE_SECONDS
    while time.monotonic() < ends:
        status = kubectl.get("job", name, namespace=namespace).get("status", {})
        if status.get("succeeded") or status.get("failed"):
            return
        time.sleep(2)
    raise StepFailed(f"job {name} has not ended {_LATE_SECONDS:g} s after the day")
