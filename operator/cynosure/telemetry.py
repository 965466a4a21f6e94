"""What the operator tells about itself: metrics of its own registry, and structured logs."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SERVICE = ("exported_namespace", "exported_service")
"""Not ``namespace`` and ``service``: these say where a series was scraped, and Prometheus would rename ours."""


class Telemetry:
    """The metrics ``cynosure_*``; docs/concepts/operator.md says what each is for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.decisions = self._counter("cynosure_decisions", "Decisions made", "action", "reason")
        self.forecast_rps = self._gauge("cynosure_forecast_rps", "Peak within the lead time", *_SERVICE, "level")
        self.forecast_wape = self._gauge("cynosure_forecast_wape", "Error over the last season", *_SERVICE, "method")
        self.forecast_coverage = self._gauge("cynosure_forecast_coverage", "Share below the quantile 0.9", *_SERVICE)
        self.arrival_rps = self._gauge("cynosure_arrival_rps", "Measured request rate", *_SERVICE)
        self.desired = self._gauge("cynosure_replicas_desired", "Replicas decided", *_SERVICE, "partition")
        self.existing = self._gauge("cynosure_replicas", "Replicas by phase", *_SERVICE, "partition", "phase")
        self.gpu_share = self._gauge("cynosure_gpu_share", "GPUs in use, as decided", *_SERVICE, "partition")
        self.slices = self._gauge("cynosure_gpu_partitions", "Partitions in use", "gpu", "node", "partition", *_SERVICE)
        self.absent = self._gauge("cynosure_signal_absent", "1 while the load is not known", *_SERVICE, "reason")
        self.lead_time = self._gauge("cynosure_lead_time_seconds", "From decision to ready", *_SERVICE)
        self.plan_seconds = self._histogram("cynosure_plan_seconds", "Time of planning")
        self.pass_seconds = self._histogram("cynosure_pass_seconds", "Time of a whole pass")
        self.passes = self._counter("cynosure_passes", "Passes by how they ended", "outcome")
        self.apply_errors = self._counter("cynosure_apply_errors", "Writes that failed", "error")
        self.batch_keys = self._gauge("cynosure_batch_keys", "Keys that woke the last pass")
        self.queue_age = self._gauge("cynosure_queue_age_seconds", "Age of the oldest key when a pass began")
        self.last_pass = self._gauge("cynosure_last_pass_timestamp_seconds", "When the last pass ended")
        self.watch_age = self._gauge("cynosure_watch_age_seconds", "Silence of a watch", "kind")
        self.leading = self._gauge("cynosure_leading", "1 while the lease is held")

    def render(self) -> bytes:
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, registry=self.registry, buckets=_SECONDS)


_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with what was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extras(vars(record)),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def _extras(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in _KNOWN and not key.startswith("_")}


def configure_logging(level: str) -> None:
    """To stderr. kopf's loggers speak up for warnings only: what it does is no news here."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("kopf", "aiohttp", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
