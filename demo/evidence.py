"""Joins what was sent, what Prometheus stored and what was seen of the cluster into one record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from demo.kubectl import Body
from demo.prometheus import Prometheus
from demo.record import Decided, Line, Moment, Record, Sample, ServiceRecord

Report = Mapping[str, Any]

_SMOOTHED_BINS = 5
_STEP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """One service's replay: the report of the load generator, and what static provisioning would hold."""

    service: str
    slo: str
    report: Report
    static_share: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What was watched meanwhile."""

    samples: Sequence[Sample]
    decisions: Sequence[Decided]
    moments: Sequence[Moment]
    intent: Body


def record_of(
    replays: Sequence[Replayed],
    seen: Seen,
    prometheus: Prometheus,
    *,
    day: tuple[float, float],
    compression: float,
    facts: Mapping[str, str],
) -> Record:
    """Return the record of a day from one Unix time to another."""
    started, ended = day
    trace = replays[0].report["schedule"]["trace"]
    return Record(
        started_at_seconds=started,
        ended_at_seconds=ended,
        compression=compression,
        trace=f"One day of {trace}, {compression:g} times as fast.",
        services=tuple(_service(replay, prometheus, started, ended) for replay in replays),
        samples=tuple(seen.samples),
        decisions=tuple(sorted(d for d in seen.decisions if started <= d.at_seconds <= ended)),
        moments=tuple(seen.moments),
        intent=seen.intent,
        gpus=tuple(sorted({p.gpu for s in seen.samples for p in s.partitions})),
        facts=facts,
    )


def forecast_lines(prometheus: Prometheus, service: str, started: float, ended: float) -> dict[float, Line]:
    """Return the forecast by level at the time that it was made for: the lead time after it was exported."""
    of_service = f'{{exported_service="{service}"}}'
    asked = {
        name: prometheus.range(f"max by (level) ({name}{of_service})", started, ended, _STEP_SECONDS)
        for name in ("cynosure_forecast_rps", "cynosure_lead_time_seconds")
    }
    leads = [value for _, line in asked["cynosure_lead_time_seconds"] for value in line.values]
    ahead = median(leads) if leads else 0.0
    found = asked["cynosure_forecast_rps"]
    return {float(of["level"]): Line([at + ahead for at in line.times], line.values) for of, line in found}


def _service(replay: Replayed, prometheus: Prometheus, started: float, ended: float) -> ServiceRecord:
    report, verdict = replay.report, replay.report["verdict"]
    series = report["series"]
    at = [started + offset for offset in series["at_seconds"]]
    return ServiceRecord(
        name=replay.service,
        slo=replay.slo,
        objective=min((t["needed_share"] for t in verdict["targets"]), default=1.0),
        attainment=verdict["attainment"],
        sent=report["sent"],
        failed=report["failed"],
        offered=Line(at, _smoothed(series["offered_rps"])),
        served=Line(at, _smoothed(series["served_rps"])),
        attained=_attained(at, series["attained_share"]),
        forecast=forecast_lines(prometheus, replay.service, started, ended),
        static_share=replay.static_share,
    )


def _attained(at: Sequence[float], shares: Sequence[float | None]) -> Line:
    known = [(time, 100 * share) for time, share in zip(at, shares, strict=True) if share is not None]
    return Line([time for time, _ in known], _smoothed([share for _, share in known]))


def _smoothed(values: Sequence[float]) -> list[float]:
    """Return the mean of each value and its neighbours: two seconds of Poisson arrivals hide the shape of a day."""
    half = _SMOOTHED_BINS // 2
    windows = (values[max(0, n - half) : n + half + 1] for n in range(len(values)))
    return [sum(window) / len(window) for window in windows]
