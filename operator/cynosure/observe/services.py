"""From custom resources to the vocabulary of a planning pass."""

import math
from collections.abc import Iterator

from cynosure.api import InferenceService
from cynosure.api.inference_status import DecisionStatus, OptionStatus
from cynosure.api.spreading import TopologyKey
from cynosure.model.calendar import Schedule
from cynosure.model.plan import Action, Decision, Option
from cynosure.model.service import Apart, BatchJob, Budget, Service, ServiceKey, Spread, Target, Topology

_TOPOLOGIES = {TopologyKey.NODE: Topology.NODE, TopologyKey.ZONE: Topology.ZONE}


def key_of(resource: InferenceService) -> ServiceKey:
    return ServiceKey(resource.metadata.namespace, resource.metadata.name)


def service_of(resource: InferenceService) -> Service:
    spec = resource.spec
    budget = spec.budget
    return Service(
        key=key_of(resource),
        profile=spec.model.profile,
        targets=tuple(Target(t.metric, float(t.percentile), float(t.milliseconds)) for t in spec.slo.targets),
        min_replicas=spec.scale.min,
        max_replicas=spec.scale.max,
        pinned_replicas=spec.scale.replicas or None,
        partitions=spec.partitions.allowed,
        gpu_products=spec.partitions.gpu_products,
        confidential=spec.partitions.confidential,
        mode=spec.mode,
        budget=Budget(
            gpus=budget.gpus if budget else None,
            watts=float(budget.watts) if budget and budget.watts else None,
            cost_per_hour=float(budget.cost_per_hour) if budget and budget.cost_per_hour else None,
            currency=budget.currency if budget else "EUR",
        ),
        cost_weight=float(spec.objective.cost),
        energy_weight=float(spec.objective.energy),
        schedules=tuple(
            Schedule(s.cron, 60.0 * s.duration_minutes, s.time_zone, s.min, s.max) for s in spec.scale.schedules
        ),
        batch=_batch_of(resource),
        spread=tuple(Spread(_TOPOLOGIES[s.topology_key], s.max_skew) for s in spec.spread),
        apart=tuple(_apart_of(resource)),
    )


def _apart_of(resource: InferenceService) -> Iterator[Apart]:
    key = key_of(resource)
    for each in resource.spec.anti_affinity:
        yield Apart(_TOPOLOGIES[each.topology_key], key, ServiceKey(key.namespace, each.service or key.name))


def _batch_of(resource: InferenceService) -> BatchJob | None:
    """What was never stored, such as the subject of a dry run, is not due yet."""
    batch, created = resource.spec.slo.batch, resource.metadata.creation_timestamp
    if batch is None:
        return None
    due = created.timestamp() + batch.deadline_seconds if created else math.inf
    return BatchJob(batch.images, batch.deadline_seconds, due)


def last_decision(resource: InferenceService) -> Decision | None:
    """The decision that status keeps, so that a restarted operator goes on where the last one was."""
    decided = resource.status.decision
    return _decision(key_of(resource), decided) if decided else None


def capacity_gained_at(resource: InferenceService) -> float | None:
    """When replicas were last added, from the history that status keeps (newest first)."""
    raised = (entry for entry in resource.status.history if entry.action is Action.UP and not entry.dry)
    newest = next(raised, None)
    return newest.made_at.timestamp() if newest else None


def _decision(key: ServiceKey, decided: DecisionStatus) -> Decision:
    return Decision(
        service=key,
        action=decided.action,
        option=_option(decided.option),
        reason=decided.reason,
        message=decided.message,
        made_at_seconds=decided.made_at.timestamp(),
        runner_up=_option(decided.runner_up) if decided.runner_up else None,
        dry=decided.dry,
        own_replicas=decided.own_replicas,
    )


def _option(option: OptionStatus) -> Option:
    return Option(
        partition=option.partition,
        gpu_product=option.gpu_product,
        replicas=option.replicas,
        batch=option.batch,
        capacity_rps=float(option.capacity_rps or 0),
        gpu_share=float(option.gpu_share or 0),
        watts=float(option.watts or 0),
        attainment=float(option.attainment) if option.attainment is not None else None,
        cost_per_hour=float(option.cost_per_hour) if option.cost_per_hour is not None else None,
    )
