"""From ``spec.trace`` to the schedule that is sent. What is read comes in; nothing here does I/O."""

import base64
import binascii
import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cynosure.api import TrafficReplay
from cynosure.api.conditions import Reason
from cynosure.api.traffic_replay import Arrivals, PrometheusTrace, ReplayEngine, Transform, VolumeTrace
from cynosure.kube.port import Body
from cynosure.model.signals import Series
from cynosure.reconcile.replays.hindrance import start, trace
from loadgen import transforms
from loadgen.build import Recipe, build_schedule
from loadgen.catalogue import TRACES
from loadgen.errors import BadLoadInput
from loadgen.published import CODE_WEEK, code_tokens, code_week
from loadgen.regions import Region, Regions
from loadgen.schedule import Kind, Schedule
from loadgen.trace import RateSeries, RequestTrace, rate_series

SCHEDULE_KEY = "schedule.bin"
_FIELDS = {
    "--duration-seconds": "durationSeconds",
    "--peak-rps": "transforms.scaleToPeakRps",
    "--speedup": "transforms.compress",
    "--cv 1": "arrivals: poisson",
}
"""What the load generator's command line calls its options, as fields of the spec."""


def check_supported(replay: TrafficReplay) -> None:
    """Raises ``Hindered`` for what only the command line does."""
    spec = replay.spec
    if spec.engine not in (ReplayEngine.BUILTIN, ReplayEngine.TWIN):
        raise start(
            Reason.NOT_SUPPORTED,
            f"engine: got {spec.engine}; limit: builtin or twin in a cluster; use engine: builtin, or `cynosure replay "
            f"--engine` for k6 and stress where you are",
        )
    if isinstance(spec.trace.persistent_volume_claim, VolumeTrace):
        raise trace(
            Reason.NOT_SUPPORTED,
            "trace.persistentVolumeClaim: is not read by the operator; limit: name, configMap or prometheus; write a "
            "schedule with `cynosure replay --trace FILE --write-schedule schedule.bin` and use configMap",
        )


def check_size(schedule: Schedule, most: int) -> None:
    """Raises ``Hindered`` for more requests than the twin simulates here."""
    if len(schedule) > most:
        share = most / len(schedule)
        raise trace(
            Reason.TRACE_TOO_LARGE,
            f"trace: {len(schedule)} requests; limit: CYNOSURE_REPLAY_SIMULATION_REQUESTS, which is {most}; "
            f"durationSeconds or transforms.scaleToPeakRps of {share:.0%} of what it is would fit",
        )


def from_name(name: str, replay: TrafficReplay, kind: Kind) -> Schedule:
    if name == CODE_WEEK:
        return _built(code_week(), replay, kind)
    if any(known.name == name for known in TRACES):
        raise trace(
            Reason.TRACE_MISSING,
            f"trace.name: {name} is published elsewhere and not brought along; use name: {CODE_WEEK}, or `cynosure "
            f"traces get {name}`, `cynosure replay --write-schedule schedule.bin` and configMap",
        )
    (nearest,) = difflib.get_close_matches(name, [CODE_WEEK], cutoff=0.0)
    raise trace(Reason.TRACE_MISSING, f"trace.name: there is no {name}; use the nearest, name: {nearest}")


def from_series(
    found: Sequence[Series], asked: PrometheusTrace, step_seconds: float, replay: TrafficReplay, kind: Kind
) -> Schedule:
    """A sample is the rate of the step before it; steps without one are gaps, in which nothing is sent."""
    where = f"the rate of {replay.metadata.namespace}/{asked.service} in Prometheus"
    points: dict[float, float] = {}
    for series in found:
        for at, rps in zip(series.times.tolist(), series.values.tolist(), strict=True):
            points[at] = points.get(at, 0.0) + rps
    if len(points) < 2:
        raise trace(
            Reason.TRACE_MISSING,
            f"trace.prometheus: {len(points)} samples of {where} from {asked.from_:%Y-%m-%d %H:%M:%S} to "
            f"{asked.to:%H:%M:%S} UTC in steps of {step_seconds:g} s; at least 2 are needed, so use a longer time",
        )
    times = np.array(sorted(points))
    return _built(_rates(times, np.array([points[at] for at in times.tolist()]), step_seconds, where), replay, kind)


def from_config_map(body: Body, replay: TrafficReplay, kind: Kind) -> Schedule:
    """A schedule is sent as it is, up to ``durationSeconds``."""
    spec, name = replay.spec, body["metadata"]["name"]
    if spec.transforms or spec.arrivals is not Arrivals.EXACT:
        raise trace(
            Reason.TRACE_INVALID,
            f"trace.configMap: {name} is a schedule, which transforms and arrivals cannot change; shape it when it is "
            f"written (`cynosure replay --write-schedule`)",
        )
    schedule = read_schedule(body)
    if strange := {Kind(int(k)) for k in np.unique(schedule.kind)} - {kind}:
        raise trace(
            Reason.TRACE_INVALID,
            f"trace.configMap: {name} has {strange.pop().name.lower()}s, and the target takes {kind.name.lower()}s",
        )
    return _ended(schedule, spec.duration_seconds)


def read_schedule(body: Body) -> Schedule:
    name, data = body["metadata"]["name"], body.get("binaryData") or {}
    text = data.get(SCHEDULE_KEY) or (next(iter(data.values())) if len(data) == 1 else None)
    if text is None:
        raise trace(
            Reason.TRACE_INVALID,
            f"trace.configMap: {name} has no {SCHEDULE_KEY}; make it with `kubectl create configmap {name} "
            f"--from-file={SCHEDULE_KEY}`",
        )
    try:
        return Schedule.from_bytes(base64.b64decode(text, validate=True), f"ConfigMap {name}")
    except (BadLoadInput, binascii.Error) as error:
        raise trace(Reason.TRACE_INVALID, f"trace.configMap: {error}") from error


def _built(source: RateSeries | RequestTrace, replay: TrafficReplay, kind: Kind) -> Schedule:
    spec = replay.spec
    steps = [*map(_step, spec.transforms), transforms.Slice(0.0, float(spec.duration_seconds))]
    tokens = code_tokens() if kind is Kind.COMPLETION else None
    recipe = Recipe(steps, spec.arrivals.value, tokens=tokens, kind=kind, seed=spec.seed)
    try:
        return build_schedule(source, recipe)
    except BadLoadInput as error:
        raise trace(Reason.TRACE_INVALID, f"trace: {_in_fields(str(error))}") from error


def _step(step: Transform) -> transforms.Transform:
    if step.cut is not None:
        return transforms.Slice(step.cut.start_seconds, step.cut.start_seconds + step.cut.duration_seconds)
    if step.scale_to_peak_rps is not None:
        return transforms.ScaleToPeak(float(step.scale_to_peak_rps))
    if step.compress is not None:
        return transforms.Compress(float(step.compress))
    if step.regions is not None:
        return Regions(tuple(Region(each.weight, each.utc_offset_minutes / 60) for each in step.regions))
    return transforms.Scale(float(step.multiply or 1))


def _ended(schedule: Schedule, seconds: float) -> Schedule:
    if schedule.duration_seconds <= seconds:
        return schedule
    kept = schedule.send_at_seconds < seconds
    if not kept.any():
        raise trace(
            Reason.TRACE_INVALID,
            f"durationSeconds: got {seconds:g}; the first request of the schedule is due at "
            f"{schedule.send_at_seconds[0]:g} s, so use more",
        )
    return replace(schedule.part(kept), duration_seconds=seconds)


def _rates(times: Any, values: Any, step_seconds: float, source: str) -> RateSeries:
    try:
        return rate_series(times - step_seconds, values, source)
    except BadLoadInput as error:
        raise trace(Reason.TRACE_INVALID, f"trace.prometheus: {error}") from error


def _in_fields(message: str) -> str:
    for option, field in _FIELDS.items():
        message = message.replace(option, field)
    return message
