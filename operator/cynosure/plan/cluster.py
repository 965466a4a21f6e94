"""``plan_cluster``: the only entry point of deciding, for the operator, the twin and the tests alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cynosure.api.conditions import Type
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.condition import Condition
from cynosure.model.forecast import Forecast
from cynosure.model.plan import Action, Decision, Placement, Plan
from cynosure.model.service import Service, ServiceKey
from cynosure.model.snapshot import Observation, Snapshot
from cynosure.place.demand import Demand, Inventory, Limits
from cynosure.place.solve import place
from cynosure.plan import conditions as told
from cynosure.plan.case import Case
from cynosure.plan.decide import Verdict, decide
from cynosure.plan.defragment import defragmentation
from cynosure.plan.fleet import within_fleet
from cynosure.plan.limits import gpu_limit, spreading_of
from cynosure.plan.moving import Stage, Turn, moving_of, steered, turn_of, with_surge
from cynosure.plan.reasons import Why
from cynosure.plan.supposed import supposed
from cynosure.plan.tuning import Tuning
from cynosure.size.options import option_for

Forecasts = Mapping[ServiceKey, Forecast]

_DEFAULT = Tuning()


def plan_cluster(snapshot: Snapshot, forecasts: Forecasts, bounds: Bounds, tuning: Tuning = _DEFAULT) -> Plan:
    """Decide about every service and give its partitions their places.

    Pure: the same input gives the same plan; the time is the snapshot's. A service without a forecast is sized by its
    present load; one without metrics keeps what it has; one that cannot be served says why, and no other is affected.
    """
    snapshot = supposed(snapshot, bounds)
    products = frozenset(gpu.product for gpu in snapshot.gpus)
    alone = (decide(_case(o, snapshot, products, forecasts, bounds, tuning)) for o in snapshot.observations)
    decided = within_fleet(list(alone), bounds)
    turn = turn_of(bounds.repacking, decided, snapshot)
    verdicts = [with_surge(verdict, turn) for verdict in decided]
    placement = _placed(verdicts, snapshot, bounds, turn)
    fitted = [_fitted(verdict, placement) for verdict in verdicts]
    return Plan(
        made_at_seconds=snapshot.now_seconds,
        decisions=tuple(v.decision for v in fitted if v.decision is not None),
        placement=placement,
        conditions=tuple((v.case.service.key, _conditions(v, placement)) for v in fitted),
        move=turn.move if turn.stage is Stage.SURGE else None,
        moving=moving_of(turn, snapshot) if bounds.repacking else None,
        defragmentation=defragmentation(bounds.defragment, decided, snapshot, bounds) if bounds.defragment else None,
    )


def _case(
    observation: Observation,
    snapshot: Snapshot,
    products: frozenset[str],
    forecasts: Forecasts,
    bounds: Bounds,
    tuning: Tuning,
) -> Case:
    service = _bounded(observation.service, bounds.of(observation.service.key))
    return Case(
        observation=replace(observation, service=service),
        forecast=forecasts.get(service.key),
        profile=snapshot.profiles.get(service.profile),
        bounds=bounds,
        products=tuple(sorted(product for product in products if _may_use(service, product, snapshot))),
        now_seconds=snapshot.now_seconds,
        tuning=tuning,
        classes=snapshot.classes,
    )


def _may_use(service: Service, product: str, snapshot: Snapshot) -> bool:
    """What no class says is confidential is not."""
    found = snapshot.classes.get(product)
    is_allowed = not service.gpu_products or product in service.gpu_products
    return is_allowed and (not service.confidential or (found is not None and found.confidential))


def _bounded(service: Service, bounds: ServiceBounds) -> Service:
    """The service with what an intent says instead of its spec."""
    cost, energy = bounds.weights or (service.cost_weight, service.energy_weight)
    return replace(
        service,
        cost_weight=cost,
        energy_weight=energy,
        partitions=bounds.partitions or service.partitions,
        gpu_products=bounds.gpu_products or service.gpu_products,
    )


def _placed(verdicts: Sequence[Verdict], snapshot: Snapshot, bounds: Bounds, turn: Turn) -> Placement:
    ours = tuple(r.slot for o in snapshot.observations for r in o.replicas if r.slot is not None)
    limits = {v.case.service.key: gpu_limit(v.case.service, v.case.own_bounds) for v in verdicts}
    spreads, apart = spreading_of(verdict.case.service for verdict in verdicts)
    return place(
        steered(Inventory(snapshot.gpus, ours, snapshot.foreign), turn),
        [demand for verdict in verdicts for demand in _demands(verdict)],
        Limits({key: most for key, most in limits.items() if most is not None}, bounds.max_gpus, spreads, apart),
    )


def _demands(verdict: Verdict) -> Iterator[Demand]:
    """The decided partitions; while a service changes its partition the old ones keep their places as well."""
    decision, key = verdict.decision, verdict.case.service.key
    if decision is None:
        return
    option = decision.option
    yield Demand(key, option.gpu_product, option.partition, option.replicas)
    for workload in verdict.case.observation.workloads:
        if workload.partition != option.partition and workload.replicas > 0:
            yield Demand(key, option.gpu_product, workload.partition, workload.replicas)


def _fitted(verdict: Verdict, placement: Placement) -> Verdict:
    """Want no more than finds a place; a first replica may wait for one, so that its pod shows that it does."""
    decision = verdict.decision
    if decision is None or decision.action is Action.HOLD:
        return verdict
    option = decision.option
    lacking = sum(
        u.count for u in placement.unplaced if u.service == decision.service and u.partition == option.partition
    )
    if not lacking:
        return verdict
    if decision.action is Action.MIGRATE:
        return replace(verdict, decision=_not_migrated(verdict, decision))
    replicas = max(option.replicas - lacking, verdict.case.replicas, 1)
    if replicas == option.replicas:
        return verdict
    message = f"{decision.message}; only {replicas} of {option.replicas} find a place"
    action = Action.HOLD if replicas == verdict.case.replicas else decision.action
    return replace(
        verdict,
        decision=replace(
            decision, option=option_for(option, replicas), action=action, message=message, reason=Why.NO_ROOM
        ),
    )


def _not_migrated(verdict: Verdict, decision: Decision) -> Decision:
    """There is no room for the new partitions beside the old ones: the old ones stay."""
    standing = verdict.case.standing
    if standing is None:
        return decision
    message = f"{decision.message}; there is no room for both at once, so {standing.partition} stays"
    return replace(decision, option=standing, action=Action.HOLD, message=message, reason=Why.NO_ROOM)


def _conditions(verdict: Verdict, placement: Placement) -> tuple[Condition, ...]:
    """What deciding said, and whether the partitions have their places unless there is nothing to place."""
    if any(condition.type == Type.PLACED for condition in verdict.conditions) or verdict.decision is None:
        return verdict.conditions
    observation, wanted = verdict.case.observation, verdict.decision.option.replicas
    standing = sum(replica.slot is not None for replica in observation.replicas) or observation.ready
    has_gpus = bool(verdict.case.products)
    return (*verdict.conditions, told.placed(observation.service, placement, standing, wanted, has_gpus))
