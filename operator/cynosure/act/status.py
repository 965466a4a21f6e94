"""What the operator says in ``status``: written only if it changed, and numbers alone not all the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cynosure.act.work import Work
from cynosure.api.inference_status import (
    DecisionInput,
    DecisionStatus,
    FindingStatus,
    ForecastQuantile,
    ForecastStatus,
    InferenceServiceStatus,
    OptionStatus,
    Slot,
)
from cynosure.api.metadata import API_VERSION, ResourceCondition
from cynosure.api.scalars import decimal
from cynosure.kube.labels import SERVICE
from cynosure.model.condition import Condition
from cynosure.model.forecast import Forecast
from cynosure.model.plan import Action, Decision, Option
from cynosure.model.snapshot import Replica

MOST_DECISIONS = 20
_WORD = 63
_TEXT = 2048

Body = dict[str, Any]


def service_status(work: Work, conditions: Sequence[Condition], now_seconds: float) -> InferenceServiceStatus:
    """The whole status that should be, given the one that is."""
    before = work.service.status
    decision = _decision(work.decision) if work.decision else before.decision
    if decision and before.decision and _says_the_same(decision, before.decision):
        decision = decision.model_copy(update={"made_at": before.decision.made_at})
    return InferenceServiceStatus(
        observed_generation=work.service.metadata.generation,
        conditions=stamped(conditions, before.conditions, work.service.metadata.generation, now_seconds),
        replicas=len(work.observation.replicas),
        ready_replicas=work.observation.ready,
        selector=f"{SERVICE}={work.name}",
        layout=_layout(work),
        forecast=_forecast(work.forecast, work.observation.lead_time_seconds, now_seconds) if work.forecast else None,
        decision=decision,
        history=_history(decision, before),
        spend=before.spend,
        findings=before.findings if work.findings is None else _findings(work.findings, before),
    )


def stamped(
    conditions: Sequence[Condition], before: Sequence[ResourceCondition], generation: int, now_seconds: float
) -> tuple[ResourceCondition, ...]:
    """``lastTransitionTime`` moves only when the status of a condition does."""
    known = {condition.type: condition for condition in before}
    now = _time(now_seconds)
    return tuple(
        ResourceCondition(
            type=c.type,
            status=c.status,
            reason=c.reason,
            message=c.message[:4096],
            last_transition_time=(
                known[c.type].last_transition_time if c.type in known and known[c.type].status == c.status else now
            ),
            observed_generation=generation,
        )
        for c in conditions
    )


def apply_body(name: str, namespace: str, kind: str, status: Body) -> Body:
    """For server-side apply on /status."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "status": status,
    }


@dataclass(slots=True)
class Throttle:
    """Holds back changes of numbers alone, until the last write is ``seconds`` old."""

    seconds: float

    def is_due(self, before: InferenceServiceStatus, after: InferenceServiceStatus, idle_seconds: float) -> bool:
        if meaning(before) != meaning(after):
            return True
        return before != after and idle_seconds >= self.seconds


def meaning(status: InferenceServiceStatus) -> Body:
    """The part of a status that people and programs act on, without the numbers that move all the time."""
    decision = status.decision
    return {
        "generation": status.observed_generation,
        "conditions": [(c.type, c.status, c.reason, c.observed_generation) for c in status.conditions],
        "counts": (status.replicas, status.ready_replicas, status.selector),
        "layout": status.layout,
        "decision": decision and (decision.action, decision.option.partition, decision.option.replicas, decision.dry),
        "reason": decision and decision.reason,
        "findings": [(finding.cause, finding.directive) for finding in status.findings],
        "own": decision and decision.own_replicas,
        "history": len(status.history) and status.history[0].made_at,
    }


def _history(decision: DecisionStatus | None, before: InferenceServiceStatus) -> tuple[DecisionStatus, ...]:
    """Newest first; a decision that changes nothing is not history."""
    if decision is None or decision.action is Action.HOLD:
        return before.history
    if before.history and _says_the_same(decision, before.history[0]):
        return before.history
    return (decision.model_copy(update={"inputs": decision.inputs[:8]}), *before.history)[:MOST_DECISIONS]


def _findings(found: Sequence[FindingStatus], before: InferenceServiceStatus) -> tuple[FindingStatus, ...]:
    """One that was there already is as old as it was."""
    since = {finding.cause: finding.since for finding in before.findings}
    return tuple(f.model_copy(update={"since": since.get(f.cause, f.since)}) for f in found)


def _says_the_same(one: DecisionStatus, other: DecisionStatus) -> bool:
    """Then it is still the same decision, whatever its inputs are by now."""

    def said(decision: DecisionStatus) -> tuple[object, ...]:
        option = decision.option
        return decision.action, option.partition, option.replicas, decision.reason, decision.dry

    return said(one) == said(other)


def _decision(decision: Decision) -> DecisionStatus:
    return DecisionStatus(
        action=decision.action,
        option=_option(decision.option),
        runner_up=_option(decision.runner_up) if decision.runner_up else None,
        reason=decision.reason,
        message=decision.message[:_TEXT],
        made_at=_time(decision.made_at_seconds),
        inputs=tuple(DecisionInput(name=name[:_WORD], value=f"{value:g}") for name, value in decision.inputs[:24]),
        dry=decision.dry,
        own_replicas=decision.own_replicas,
    )


def _option(option: Option) -> OptionStatus:
    return OptionStatus(
        partition=option.partition,
        gpu_product=option.gpu_product,
        replicas=option.replicas,
        batch=option.batch,
        capacity_rps=decimal(round(option.capacity_rps, 3)),
        gpu_share=decimal(round(option.gpu_share, 4)),
        watts=decimal(round(option.watts, 1)) if option.watts else None,
        cost_per_hour=None if option.cost_per_hour is None else decimal(round(option.cost_per_hour, 4)),
        attainment=decimal(round(option.attainment, 4)) if option.attainment is not None else None,
    )


def _share(value: float | None) -> Decimal | None:
    return None if value is None else decimal(round(value, 4))


def _forecast(forecast: Forecast, lead_time_seconds: float, now_seconds: float) -> ForecastStatus:
    until = now_seconds + lead_time_seconds
    return ForecastStatus(
        method=forecast.method[:_WORD],
        made_at=_time(forecast.made_at_seconds),
        horizon_seconds=int(len(forecast.values) * forecast.step_seconds),
        history_seconds=int(forecast.history_seconds),
        wanted_history_seconds=int(forecast.wanted_seconds),
        backtest_wape=_share(forecast.backtest_wape),
        backtest_coverage=_share(forecast.backtest_coverage),
        quantiles=tuple(
            ForecastQuantile(
                level=decimal(round(level, 6)),
                rps=decimal(round(max(0.0, forecast.peak_rps(level, now_seconds, until)), 3)),
            )
            for level in forecast.levels[:16]
        ),
    )


def _layout(work: Work) -> tuple[Slot, ...]:
    gpus = {gpu.uuid: gpu for gpu in work.gpus}
    placed = [replica for replica in work.observation.replicas if replica.slot]
    return tuple(sorted((_slot(replica, gpus) for replica in placed), key=lambda slot: (slot.gpu, slot.start)))


def _slot(replica: Replica, gpus: Mapping[str, Any]) -> Slot:
    slot = replica.slot
    if slot is None:
        raise ValueError(f"{replica.pod} is not placed")
    gpu = gpus.get(slot.gpu)
    return Slot(
        gpu=slot.gpu,
        start=slot.start,
        partition=slot.partition,
        node=gpu.node if gpu else "",
        product=gpu.product if gpu else "",
        pod=replica.pod,
    )


def _time(at_seconds: float) -> datetime:
    """Whole seconds, as the server keeps them, so that what is read back equals what was written."""
    return datetime.fromtimestamp(int(at_seconds), UTC)
