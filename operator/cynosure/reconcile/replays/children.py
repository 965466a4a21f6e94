"""The ConfigMaps and Jobs of a replay as they should be: named after it, and owned by it, so that they go with it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cynosure.api import TrafficReplay
from cynosure.api.metadata import API_VERSION
from cynosure.api.slo import Slo, SloTarget
from cynosure.kube.labels import annotations_of
from cynosure.kube.owners import owner_reference
from cynosure.kube.port import Body
from cynosure.reconcile.replays.aims import Aim
from cynosure.settings import Settings
from loadgen import slo as load
from loadgen.manifests import ReplayJob, replay_job, schedule_config_map
from loadgen.schedule import Schedule

REPLAY = "cynosure.dev/replay"
"""Label: the TrafficReplay that an object belongs to."""
SLO = "cynosure.dev/slo"
"""Annotation of a Job: what it will be judged by, whatever becomes of its target meanwhile."""
REPORT_KEY = "report.json"


def schedule_name(replay: TrafficReplay) -> str:
    return f"{replay.metadata.name}-schedule"


def report_name(replay: TrafficReplay) -> str:
    return f"{replay.metadata.name}-report"


def job_name(replay: TrafficReplay, number: int) -> str:
    """Of the ``number``-th target from 0. At most 63 characters, as the name of a replay has 52."""
    return f"{replay.metadata.name}-replay-{number + 1}"


def config_map(replay: TrafficReplay, schedule: Schedule) -> Body:
    """Raises ``ScheduleTooLarge`` of loadgen."""
    carrier = ReplayJob(schedule_name(replay), replay.metadata.namespace, "", (), 0.0, labels=_labels(replay))
    return _owned(schedule_config_map(carrier, schedule), replay)


def job(
    replay: TrafficReplay,
    aim: Aim,
    number: int,
    schedule: Schedule,
    slo: Slo | None,
    starts_at: float,
    settings: Settings,
) -> Body:
    carried = ReplayJob(
        name=job_name(replay, number),
        namespace=replay.metadata.namespace,
        image=settings.workload.image,
        targets=(aim.url,),
        start_at_unix_seconds=starts_at,
        lead_seconds=settings.replays.replay_lead_seconds,
        model=aim.model,
        prompt=aim.prompt,
        shards=replay.spec.workers,
        image_pull_policy=settings.workload.image_pull_policy,
        labels=_labels(replay),
        allowed_hosts=aim.allowed_hosts,
        ttl_seconds=None,  # it has what only its pods know, and goes with the replay
    )
    volume = {"configMap": {"name": schedule_name(replay)}}
    body = _owned(replay_job(carried, schedule, volume), replay)
    body["metadata"]["annotations"] = {SLO: json.dumps(slo.body() if slo else None)}
    return body


def report_map(replay: TrafficReplay, report: Mapping[str, Any]) -> Body:
    metadata = {"name": report_name(replay), "namespace": replay.metadata.namespace, "labels": _labels(replay)}
    data = {REPORT_KEY: json.dumps(report, allow_nan=False)}
    return _owned({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, replay)


def slo_in(job_body: Body) -> Slo | None:
    found = json.loads(annotations_of(job_body).get(SLO) or "null")
    return Slo.model_validate(found) if found else None


def slo_of(slo: Slo | None) -> load.Slo:
    """The targets alone: a deadline is nothing that a replay can measure."""
    return slo_targets(slo.targets if slo else ())


def slo_targets(targets: Iterable[SloTarget]) -> load.Slo:
    return load.Slo(tuple(load.SloTarget(t.metric.value, float(t.percentile), float(t.milliseconds)) for t in targets))


def _owned(body: Body, replay: TrafficReplay) -> Body:
    owner = owner_reference(API_VERSION, "TrafficReplay", replay.metadata.name, replay.metadata.uid)
    return {**body, "metadata": {**body["metadata"], "ownerReferences": [owner]}}


def _labels(replay: TrafficReplay) -> dict[str, str]:
    return {REPLAY: replay.metadata.name}
