"""Rules about metrics that are not there. Missing data is a cause of its own, and never an alarm of another kind."""

from collections.abc import Iterator

from cynosure.diagnose.causes import Cause, Symptom
from cynosure.diagnose.finding import Clue, FieldChange, Finding, Fix
from cynosure.diagnose.view import View
from cynosure.model.signals import AbsenceReason

_EXPECTED = "vllm:num_requests_running"


def blind(view: View) -> Iterator[Finding]:
    """Only while pods serve: a service that starts has no series, and nothing is wrong with that."""
    absent = view.evidence.observation.load.absent
    if absent is None or not view.evidence.observation.ready:
        return
    lasting = view.lasting(lambda s: s.arrival_rps is None and s.ready > 0)
    if lasting is None:
        return
    cause, fix = _why(view, absent.reason)
    clue = Clue(_EXPECTED, absent.reason, "a fresh number")
    found = () if view.evidence.series is None else (Clue("series of the service", _named(view.evidence.series)),)
    yield Finding(cause, Symptom.METRICS_ABSENT, absent.message, (clue, *found), fix, lasting)


def _why(view: View, reason: AbsenceReason) -> tuple[Cause, Fix]:
    operator = "Deployment of the operator"
    match reason:
        case AbsenceReason.ERROR:
            return Cause.PROMETHEUS_UNREACHABLE, FieldChange(
                operator, "CYNOSURE_PROMETHEUS_URL", "an address that answers"
            )
        case AbsenceReason.STALE:
            return Cause.SCRAPES_STALE, FieldChange("Prometheus", "scrape_interval", "at most a quarter of a minute")
        case AbsenceReason.NAN:
            return Cause.METRICS_NOT_NUMBERS, FieldChange("Prometheus", "recording rules", "no division by zero")
    series = view.evidence.series
    if series is None or not series:
        target = "a PodMonitor, or the annotations prometheus.io/scrape and port"
        return Cause.PODS_NOT_SCRAPED, FieldChange("Prometheus", "scrape_configs", target)
    if all(name == "up" or name.startswith("scrape_") for name in series):
        return Cause.SCRAPES_FAIL, view.own("spec.engine.port", "the port that serves /metrics")
    return Cause.METRIC_NAMES_WRONG, view.own("spec.engine.kind", f"one whose engine reports {_EXPECTED}")


def _named(series: frozenset[str]) -> str:
    return ", ".join(sorted(series)[:6]) or "none"
