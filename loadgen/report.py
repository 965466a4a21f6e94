"""The report of a replay: how faithfully the load was sent, what came back, and the verdict against an SLO."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from loadgen.confidence import share_interval
from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes, Status, reason
from loadgen.schedule import Kind
from loadgen.slo import Slo, SloTarget
from loadgen.trace import Flags, Floats

LATE_AFTER_SECONDS = 0.010
"""A request sent later than this after its time is counted as late."""

_FIDELITY_BIN_SECONDS = 1.0
_CELLS = 100
_MOST_SERIES_BINS = 300
Report = dict[str, Any]


def report_of(outcomes: Outcomes, slo: Slo) -> Report:
    """Return the report as JSON-ready values, with null where nothing was measured.

    Latencies count from the intended send time, so that a client or server that falls behind cannot hide it
    (coordinated omission). Attainment = requests that meet every target / all offered. Of a simulation nothing is known
    about sending.
    """
    lag = outcomes.lag_seconds[outcomes.sent]
    sent, succeeded = int(outcomes.sent.sum()), int(outcomes.succeeded.sum())
    return {
        "offered": len(outcomes.status),
        "sent": sent,
        "succeeded": succeeded,
        "failed": sent - succeeded,
        "abandoned": int((outcomes.status == Status.ABANDONED).sum()),
        "attempts": _attempts(outcomes),
        "unsent": len(outcomes.status) - sent,
        "late": int((lag > LATE_AFTER_SECONDS).sum()) if outcomes.is_timed else None,
        "late_after_ms": LATE_AFTER_SECONDS * 1000,
        **_fidelity(outcomes),
        "send_lag_ms_p99": _percentile(lag, 99),
        **_latencies(outcomes),
        "itl_ms": {f"p{p}": _milliseconds(outcomes.token_gaps.percentile_seconds(p)) for p in (50, 95, 99)},
        "verdict": _verdict(outcomes, slo),
        "failures": _failures(outcomes),
        "targets": _by_target(outcomes, slo),
        **({"classes": _by_class(outcomes, slo)} if outcomes.classes else {}),
        "series": _series(outcomes, slo),
        "duration_seconds": outcomes.duration_seconds,
        "engine": outcomes.engine,
        "schedule": dict(outcomes.provenance),
    }


def write_report(report: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def check_writable(path: Path) -> None:
    """BadLoadInput, before any load is sent, when the report could not be kept."""
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise BadLoadInput(f"report: {path} cannot be written; name a file in a folder that exists and is yours")


def check_measurable(slo: Slo, kinds: set[Kind]) -> None:
    """BadLoadInput for a target that no request of the schedule can be measured by."""
    for target in slo.targets:
        if target.metric != "e2e" and Kind.COMPLETION not in kinds:
            raise BadLoadInput(
                f"slo: {target} needs tokens, and a classifier sends none; e2e is what it can be held to"
            )


def _attained(outcomes: Outcomes, target: SloTarget) -> Flags:
    """Return who met a target; an answer with no second token, or with no token at all, has no tpot (or ttft)."""
    seconds = {"ttft": outcomes.first_seconds, "tpot": outcomes.tpot_seconds, "e2e": outcomes.latency_seconds}
    measured = seconds[target.metric]
    exempt = np.isnan(measured) & ((outcomes.kind == Kind.CLASSIFICATION) | (target.metric == "tpot"))
    with np.errstate(invalid="ignore"):
        within = np.less_equal(measured * 1000, target.limit_milliseconds)
    attained: Flags = outcomes.succeeded & (within | exempt)
    return attained


def attained_all(outcomes: Outcomes, slo: Slo) -> Flags:
    """Return which of the offered requests met every target that applies to them."""
    met = outcomes.succeeded
    for _, target, whose in _applied(outcomes, slo):
        met = met & (~whose | _attained(outcomes, target))
    return met


def _applied(outcomes: Outcomes, slo: Slo) -> Iterator[tuple[str, SloTarget, Flags]]:
    """Yield each target with whose it is: of a class with an SLO of its own (and its name), or of all others."""
    others = np.ones(len(outcomes.status), np.bool_)
    for index, each in enumerate(outcomes.classes):
        if each.slo.targets:
            mine = np.equal(outcomes.request_class, index)
            others &= ~mine
            yield from ((each.name, target, mine) for target in each.slo.targets if mine.any())
    yield from (("", target, others) for target in slo.targets if others.any())


def _verdict(outcomes: Outcomes, slo: Slo) -> Report:
    """Judge each target by the share of offered requests its percentile names; who has none must succeed."""
    applied = list(_applied(outcomes, slo))
    targets = [_judged(outcomes.part(whose), target, name) for name, target, whose in applied]
    attained = attained_all(outcomes, slo)
    judged = np.any([whose for _, _, whose in applied], axis=0) if applied else np.zeros(len(attained), np.bool_)
    met = all(t["met"] for t in targets) and bool(attained[~judged].all())
    interval = share_interval(outcomes.due_seconds, attained)
    return {
        "met": met,
        "attainment": _share(attained),
        "attainment_interval_95": list(interval),
        "targets": targets,
    }


def _judged(outcomes: Outcomes, target: SloTarget, class_name: str) -> Report:
    share, needed = _share(_attained(outcomes, target)), target.percentile / 100
    judged = {"target": str(target), "share": share, "needed_share": needed, "met": bool(share >= needed)}
    return {**judged, "class": class_name} if class_name else judged


def _by_class(outcomes: Outcomes, slo: Slo) -> dict[str, Report]:
    """Return what became of each class that has requests, by its own SLO or that of the replay."""
    whose = {each.name: np.equal(outcomes.request_class, index) for index, each in enumerate(outcomes.classes)}
    return {name: _one_class(outcomes.part(mine), slo) for name, mine in whose.items() if mine.any()}


def _one_class(outcomes: Outcomes, slo: Slo) -> Report:
    abandoned = int((outcomes.status == Status.ABANDONED).sum())
    return {**_one_target(outcomes, slo), "abandoned": abandoned, "verdict": _verdict(outcomes, slo)}


def _by_target(outcomes: Outcomes, slo: Slo) -> dict[str, Report]:
    return {outcomes.targets[kind.name.lower()]: _one_target(outcomes.of_kind(kind), slo) for kind in _kinds(outcomes)}


def _one_target(outcomes: Outcomes, slo: Slo) -> Report:
    return {
        "offered": len(outcomes.status),
        "sent": int(outcomes.sent.sum()),
        "succeeded": int(outcomes.succeeded.sum()),
        "attainment": _share(attained_all(outcomes, slo)),
        **_latencies(outcomes),
    }


def _kinds(outcomes: Outcomes) -> list[Kind]:
    return [Kind(int(kind)) for kind in np.unique(outcomes.kind)]


def _latencies(outcomes: Outcomes) -> Report:
    answered = outcomes.succeeded
    return {
        "latency_ms": _percentiles(outcomes.latency_seconds[answered]),
        "ttft_ms": _percentiles(outcomes.first_seconds[answered]),
        "tpot_ms": _percentiles(outcomes.tpot_seconds[answered]),
    }


def _failures(outcomes: Outcomes) -> dict[str, int]:
    statuses, counts = np.unique(outcomes.status[~outcomes.succeeded], return_counts=True)
    return {reason(int(status)): int(count) for status, count in zip(statuses, counts, strict=True)}


def _attempts(outcomes: Outcomes) -> dict[str, int]:
    """Return how often was sent in all, and how many requests more than once and with what success."""
    again = outcomes.attempts > 1
    return {
        "sent": int(outcomes.attempts.sum()),
        "retried_requests": int(again.sum()),
        "retried_and_succeeded": int((again & outcomes.succeeded).sum()),
    }


def _fidelity(outcomes: Outcomes) -> Report:
    """Compare intended with sent requests in bins of a second.

    rate_rmse normalises both by the minimum and maximum of the intended series; where that is flat, by its level.
    """
    if not outcomes.is_timed:
        return {"rate_rmse": None, "rate_wape": None}
    sent_at = (outcomes.due_seconds + outcomes.lag_seconds)[outcomes.sent]
    begin = _quiet_second(outcomes.due_seconds) - _FIDELITY_BIN_SECONDS
    end = max(outcomes.duration_seconds, float(sent_at.max(initial=0.0)))
    edges = begin + _edges(end - begin, _FIDELITY_BIN_SECONDS)
    intended, sent = np.histogram(outcomes.due_seconds, edges)[0], np.histogram(sent_at, edges)[0]
    span = float(np.ptp(intended)) or float(intended.max())
    return {
        "rate_rmse": float(np.sqrt(np.mean(((sent - intended) / span) ** 2))),
        "rate_wape": float(np.abs(sent - intended).sum() / intended.sum()),
    }


def _quiet_second(due_seconds: Floats) -> float:
    """Return where in each second the bins begin: at its start, or where the fewest requests are due just before.

    A trace in whole milliseconds may have a burst due at 0.9999 s, which no client sends within that second.
    """
    just_before = np.histogram(np.mod(due_seconds, 1.0), _CELLS, (0.0, 1.0))[0]
    if just_before[-1] <= 2 * len(due_seconds) / _CELLS:
        return 1.0
    return float(just_before.argmin() + 1) / _CELLS


def _series(outcomes: Outcomes, slo: Slo) -> Report:
    """Return what a plot needs: rates by intended time, and the attained share where anything was offered."""
    duration = outcomes.duration_seconds
    width = max(1.0, duration / _MOST_SERIES_BINS)
    edges = _edges(duration, width)
    offered = np.histogram(outcomes.due_seconds, edges)[0]
    attained = np.histogram(outcomes.due_seconds[attained_all(outcomes, slo)], edges)[0]
    ended = (outcomes.due_seconds + outcomes.latency_seconds)[outcomes.succeeded]
    sent_at = (outcomes.due_seconds + outcomes.lag_seconds)[outcomes.sent]
    sent_rps = (np.histogram(sent_at, edges)[0] / width).tolist() if outcomes.is_timed else None
    return {
        "bin_seconds": width,
        "at_seconds": edges[:-1].tolist(),
        "offered_rps": (offered / width).tolist(),
        "sent_rps": sent_rps,
        "served_rps": (np.histogram(ended, edges)[0] / width).tolist(),
        "attained_share": [a / o if o else None for a, o in zip(attained.tolist(), offered.tolist(), strict=True)],
    }


def _edges(duration_seconds: float, width_seconds: float) -> Floats:
    bins = max(1, int(np.ceil(duration_seconds / width_seconds - 1e-9)))
    edges = width_seconds * np.arange(bins + 1, dtype=np.float64)
    edges[-1] = max(edges[-1], duration_seconds)
    return edges


def _percentiles(seconds: Floats) -> dict[str, float | None]:
    return {f"p{p}": _percentile(seconds, p) for p in (50, 95, 99)}


def _percentile(seconds: Floats, percent: float) -> float | None:
    measured = seconds[~np.isnan(seconds)]
    return float(np.percentile(measured, percent)) * 1000 if measured.size else None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _share(flags: Flags) -> float:
    return float(flags.mean())
