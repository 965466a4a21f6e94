"""From what the workers told to a report, a verdict and a status. What nobody told is named, and never counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cynosure.api.scalars import decimal
from cynosure.api.slo import Slo
from cynosure.api.traffic_replay import Fidelity, Progress, ReplayVerdict, TargetResult
from cynosure.reconcile.replays.children import slo_of
from loadgen.comparison import compare
from loadgen.outcomes import Outcomes, merge
from loadgen.report import Report, report_of

_LINES = 5


@dataclass(frozen=True, slots=True)
class Worker:
    """One sending pod; ``lack`` says why it told nothing."""

    name: str
    outcomes: Outcomes | None = None
    lack: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of one target."""

    target: str
    workers: tuple[Worker, ...]

    @property
    def outcomes(self) -> Outcomes | None:
        told = [worker.outcomes for worker in self.workers if worker.outcomes is not None]
        return merge(told) if told else None

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(f"{self.target}: {w.name}: {w.lack}" for w in self.workers if w.outcomes is None)


@dataclass(frozen=True, slots=True)
class Results:
    """``reports`` are by target, None where no worker told anything; ``missing`` are the workers that did not."""

    targets: tuple[str, ...]
    reports: tuple[Report | None, ...]
    missing: tuple[str, ...]
    slo: Slo | None
    comparison: Mapping[str, Any] | None = None
    cut_short: bool = False
    """Cancelled: what was not sent was not to be sent any more."""

    @property
    def is_whole(self) -> bool:
        return not self.missing and not self.cut_short

    @property
    def lacking(self) -> str:
        """The workers that told nothing, the first few of them."""
        more = [f"and {len(self.missing) - _LINES} more"] if len(self.missing) > _LINES else []
        return "; ".join([*self.missing[:_LINES], *more])


def results_of(sides: Sequence[Side], slo: Slo | None, *, cut_short: bool = False) -> Results:
    """Takes a moment of computing: intervals come from drawing again."""
    outcomes, judged = [side.outcomes for side in sides], slo_of(slo)
    missing = tuple(line for side in sides for line in side.missing)
    reports = tuple(report_of(each, judged) if each is not None else None for each in outcomes)
    found = Results(tuple(side.target for side in sides), reports, missing, slo, cut_short=cut_short)
    if len(outcomes) < 2 or not found.is_whole or outcomes[0] is None or outcomes[1] is None:
        return found
    return Results(found.targets, reports, missing, slo, compare(outcomes[0], outcomes[1], judged))


def document(results: Results) -> Report | None:
    """The report as ``cynosure replay`` writes it, and ``partial``; None when nothing is known."""
    known = [report for report in results.reports if report is not None]
    if not known:
        return None
    whole: Report = {"target": results.targets[0], **(results.reports[0] or {})}
    if len(results.reports) > 1:
        whole["versus"] = {"target": results.targets[1], **(results.reports[1] or {})}
    if results.comparison is not None:
        whole["comparison"] = dict(results.comparison)
    partial = {"missing": list(results.missing), "cancelled": results.cut_short}
    return whole if results.is_whole else {**whole, "partial": partial}


def progress(results: Results, scheduled: int) -> Progress:
    """Sums over the targets, of the workers that told."""
    known = [report for report in results.reports if report is not None]
    sums = {name: sum(report[name] for report in known) for name in ("sent", "succeeded", "failed")}
    return Progress(scheduled=scheduled, **sums)


def status_fields(results: Results) -> dict[str, Any]:
    """Of the first target. Of a part there is no verdict: who is missing is not missing by chance."""
    first = results.reports[0]
    if not results.is_whole or first is None:
        return {"fidelity": None, "verdict": None, "comparison": ()}
    pairs = zip(results.targets, results.reports, strict=True)
    compared = tuple(_target(name, report, results.slo) for name, report in pairs if report is not None)
    return {
        "fidelity": _fidelity(first),
        "verdict": verdict(first, results.slo),
        "comparison": compared if len(compared) > 1 else (),
    }


def verdict(report: Report, slo: Slo | None) -> ReplayVerdict:
    """By every latency target, and by the share of errors where the SLO has one."""
    judged, allowed = report["verdict"], slo.error_rate_percent if slo else None
    met = bool(judged["met"]) if allowed is None or (slo and slo.targets) else True
    if allowed is not None:
        lost = report["offered"] - report["succeeded"]
        met = met and lost <= float(allowed) / 100 * report["offered"]
    return ReplayVerdict(met=met, attainment=decimal(round(judged["attainment"], 6)))


def summary(results: Results) -> str:
    """One line for people."""
    known = [(n, r) for n, r in zip(results.targets, results.reports, strict=True) if r is not None]
    if not known:
        return "nothing is known of what was sent"
    return "; ".join(_summary(name, report, results) for name, report in known)


def _summary(name: str, report: Report, results: Results) -> str:
    done = "sent" if report["rate_rmse"] is not None else "simulated"
    counts = f"{done} {report['sent']} of {report['offered']}, succeeded {report['succeeded']}"
    if not results.is_whole:
        return f"{name}: {counts}"
    said = verdict(report, results.slo)
    what = str(slo_of(results.slo)) or "every request succeeds"
    late = f"; {report['unsent']} were not sent in time: more workers, or a longer lead" if report["unsent"] else ""
    by_class = "".join(f", {each} {told['attainment']:.2%}" for each, told in report.get("classes", {}).items())
    met = "met" if said.met else "missed"
    return f"{name}: {counts}; {what} {met}, attainment {said.attainment:.2%}{by_class}{late}"


def _fidelity(report: Report) -> Fidelity | None:
    """None where nothing is known of sending."""
    if report["rate_rmse"] is None:
        return None
    return Fidelity(
        rate_rmse=decimal(round(report["rate_rmse"], 6)),
        rate_wape=decimal(round(report["rate_wape"], 6)),
        send_lag_milliseconds_p99=_milliseconds(report["send_lag_ms_p99"]),
    )


def _target(name: str, report: Report, slo: Slo | None) -> TargetResult:
    return TargetResult(
        target=name,
        verdict=verdict(report, slo),
        ttft_milliseconds_p95=_milliseconds(report["ttft_ms"]["p95"]),
        latency_milliseconds_p95=_milliseconds(report["latency_ms"]["p95"]),
    )


def _milliseconds(value: float | None) -> Any:
    return None if value is None else decimal(round(max(0.0, value), 3))
