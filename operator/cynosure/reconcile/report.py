"""A pass as metrics and log lines: the same values as in status."""

import logging
from collections import Counter

from cynosure.model.plan import Action, Decision
from cynosure.model.signals import Reading
from cynosure.model.snapshot import Observation
from cynosure.reconcile.result import PassResult
from cynosure.telemetry import Telemetry

log = logging.getLogger(__name__)


class Reporter:
    """Decisions count and are logged once, however often a pass repeats them."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._told: dict[object, object] = {}

    def report(self, result: PassResult) -> None:
        self._clear()
        for observation in result.snapshot.observations:
            self._observation(observation)
        for decision in result.plan.decisions:
            self._decision(decision)
        self._forecasts(result)
        self._slots(result)

    def _clear(self) -> None:
        """Series of services that are gone must not live on with their last value."""
        metrics = self._telemetry
        for gauge in (
            *(metrics.forecast_rps, metrics.arrival_rps, metrics.desired, metrics.existing, metrics.gpu_share),
            *(metrics.slices, metrics.absent, metrics.lead_time, metrics.forecast_wape, metrics.forecast_coverage),
        ):
            gauge.clear()

    def _observation(self, observation: Observation) -> None:
        metrics, key = self._telemetry, observation.service.key
        where = (key.namespace, key.name)
        if isinstance(rate := observation.load.arrival_rps, Reading):
            metrics.arrival_rps.labels(*where).set(rate.value)
        if absent := observation.load.absent:
            metrics.absent.labels(*where, absent.reason).set(1)
        metrics.lead_time.labels(*where).set(observation.lead_time_seconds)
        for (partition, phase), count in Counter((r.partition, r.phase) for r in observation.replicas).items():
            metrics.existing.labels(*where, partition, phase).set(count)

    def _decision(self, decision: Decision) -> None:
        metrics, key, option = self._telemetry, decision.service, decision.option
        metrics.desired.labels(key.namespace, key.name, option.partition).set(option.replicas)
        metrics.gpu_share.labels(key.namespace, key.name, option.partition).set(option.gpu_share)
        said = (decision.action, option.partition, option.replicas, decision.reason, decision.dry)
        if self._told.get(key) == said:
            return
        self._told[key] = said
        metrics.decisions.labels(decision.action, decision.reason).inc()
        level = logging.DEBUG if decision.action is Action.HOLD else logging.INFO
        log.log(
            level,
            "decision",
            extra={
                "service": str(key),
                "action": decision.action,
                "reason": decision.reason,
                "partition": option.partition,
                "replicas": option.replicas,
                "dry": decision.dry,
                "why": decision.message,
                "inputs": dict(decision.inputs),
            },
        )

    def _forecasts(self, result: PassResult) -> None:
        now = result.snapshot.now_seconds
        lead = {o.service.key: o.lead_time_seconds for o in result.snapshot.observations}
        for key, forecast in result.forecasts.items():
            place = (key.namespace, key.name)
            for level in forecast.levels:
                peak = forecast.peak_rps(level, now, now + lead.get(key, 0.0))
                self._telemetry.forecast_rps.labels(*place, f"{level:g}").set(peak)
            if forecast.backtest_wape is not None and forecast.backtest_coverage is not None:
                self._telemetry.forecast_wape.labels(*place, forecast.method).set(forecast.backtest_wape)
                self._telemetry.forecast_coverage.labels(*place).set(forecast.backtest_coverage)

    def _slots(self, result: PassResult) -> None:
        nodes = {gpu.uuid: gpu.node for gpu in result.snapshot.gpus}
        ours = [r.slot for o in result.snapshot.observations for r in o.replicas if r.slot]
        counts = Counter((slot.gpu, slot.partition, slot.service) for slot in (*ours, *result.snapshot.foreign))
        for (gpu, partition, service), count in counts.items():
            owner = (service.namespace, service.name) if service else ("", "")
            self._telemetry.slices.labels(gpu, nodes.get(gpu, ""), partition, *owner).set(count)
