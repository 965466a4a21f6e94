"""From directives to directives about things that exist: names resolved, numbers absolute, units canonical."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cynosure.api import InferenceService
from cynosure.api.conditions import Reason
from cynosure.api.directive import BoundMetric, Directive, Unit, Verb
from cynosure.api.intent_status import GroundedDirective, Provenance, Refusal, Source
from cynosure.api.scalars import MAX_REPLICAS, plain
from cynosure.intents.conflicts import contradiction
from cynosure.intents.deploying import manifest_of
from cynosure.intents.effects import (
    LATENCIES,
    PREFERRED,
    USES,
    Creation,
    Defragment,
    Deletion,
    LatencyLimit,
    ModeChange,
    Pin,
    ReplicaLimit,
    effects_of,
)
from cynosure.intents.facts import Facts, key_of, replicas_now, targets_of
from cynosure.intents.refusals import Ungrounded, closest, refusal
from cynosure.model.service import ServiceKey

DEFAULT_PERCENTILE = Decimal(95)

_FACTOR = {Unit.SECONDS: 1000, Unit.KILOWATTS: 1000}
_CANONICAL = {Unit.SECONDS: Unit.MILLISECONDS, Unit.KILOWATTS: Unit.WATTS}
_CURRENCY = {Unit.EUR: "EUR", Unit.USD: "USD"}


@dataclass(frozen=True, slots=True)
class Grounded:
    """``risks`` are for the person who approves."""

    directives: tuple[GroundedDirective, ...]
    risks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ground:
    namespace: str
    facts: Facts
    undoable: Sequence[str]


def ground(
    directives: Sequence[Directive], namespace: str, facts: Facts, undoable: Sequence[str] = ()
) -> Grounded | Refusal:
    """Ground what an intent in ``namespace`` asks for; the result grounds to itself.

    ``undoable`` names the intents in force there, the last applied last. An intent sees its own namespace only:
    a service of another one is unknown to it.
    """
    where = _Ground(namespace, facts, undoable)
    try:
        if namespace in facts.policy.protected_namespaces:
            message = f"namespace {namespace}: limit: AutomationPolicy.spec.protectedNamespaces"
            raise Ungrounded(Reason.PROTECTED_NAMESPACE, message, "an intent in another namespace")
        found = tuple(one for directive in directives for one in _ground_one(directive, where))
    except Ungrounded as error:
        return error.refusal
    apart = _apart(found)
    if apart:
        return refusal(Reason.CONTRADICTION, *apart)
    return Grounded(found, tuple(_relaxations(found, facts)))


def _apart(found: Sequence[GroundedDirective]) -> tuple[str, str] | None:
    """What cannot be one intent, and what works."""
    effects, ends = effects_of(found), {directive.expires for directive in found}
    if len(ends) > 1 and any(isinstance(effect, Pin | ModeChange | Creation | Deletion) for effect in effects):
        return "got: several ends; limit: what is written ends with its intent as a whole", "one intent for each end"
    if len(effects) > 1 and any(isinstance(effect, Defragment) for effect in effects):
        message = "got: defragment and something else; limit: moves are approved by themselves"
        return message, "one intent for each of them"
    if {isinstance(effect, Deletion) for effect in effects} == {True, False}:
        message = "got: delete and something else; limit: a deletion waits for its time of grace by itself"
        return message, "one intent for each of them"
    clash = contradiction(effects)
    return (f"got: {clash}; limit: one of them", "one intent for each of them") if clash else None


def _ground_one(directive: Directive, where: _Ground) -> Iterator[GroundedDirective]:
    grounded = GroundedDirective.model_validate(directive.model_dump())
    if directive.verb is Verb.UNDO:
        yield _undo(grounded, where)
    elif directive.verb is Verb.DEPLOY:
        yield _deploy(_put(grounded, Source.DEFAULT, namespace=directive.namespace or where.namespace), where)
    elif directive.verb is Verb.DELETE and directive.service == "*":
        message = "delete *: limit: services by their names, each of them"
        raise Ungrounded(Reason.UNSAFE_REQUEST, message, "delete a service by its name")
    elif directive.verb is Verb.DEFRAGMENT and directive.service in (None, "*"):
        yield _put(_put(grounded, Source.DEFAULT, namespace=where.namespace), Source.INFERRED, service="*")
    elif directive.service == "*" and directive.metric in USES:
        _reaches_no_further(where)
        yield _bound(_put(grounded, Source.DEFAULT, namespace=where.namespace), None, where)[0]
    else:
        for service in _services(directive, where):
            named = _put(grounded, Source.INFERRED, service=service.metadata.name)
            yield from _VERBS[directive.verb](_put(named, Source.DEFAULT, namespace=where.namespace), service, where)


def _services(directive: Directive, where: _Ground) -> list[InferenceService]:
    own = list(where.facts.within(where.namespace))
    found = own if directive.service == "*" else [s for s in own if s.metadata.name == directive.service]
    elsewhere = directive.namespace not in (None, where.namespace)
    if elsewhere or not found:
        asked = f"{directive.namespace}/{directive.service}" if elsewhere else directive.service
        raise Ungrounded(
            Reason.UNKNOWN_SERVICE,
            f"service {asked}: limit: the InferenceServices in namespace {where.namespace}, where the intent is",
            closest(directive.service or "", (s.metadata.name for s in own)),
        )
    return found


def _reaches_no_further(where: _Ground) -> None:
    """A sum over all services may not bind those of other namespaces, which its requester may not even see."""
    if not any(True for _ in where.facts.within(where.namespace)):
        message = f"service *: limit: the InferenceServices in namespace {where.namespace}, and there is none"
        raise Ungrounded(Reason.UNKNOWN_SERVICE, message)
    if any(s.metadata.namespace != where.namespace for s in where.facts.services):
        message = f"service *: limit: namespace {where.namespace}, and the sum reaches into other namespaces"
        raise Ungrounded(Reason.OUTSIDE_LIMITS, message, "one bound for each service by its name")


def _undo(directive: GroundedDirective, where: _Ground) -> GroundedDirective:
    last = where.undoable[-1] if where.undoable else None
    name = directive.intent or last
    if name is None or name not in where.undoable:
        message = f"undo {name or 'the last intent'}: limit: the intents in force in namespace {where.namespace}"
        raise Ungrounded(Reason.NOT_AN_INTENT, message, last)
    return _put(directive, Source.INFERRED, intent=name)


def _deploy(directive: GroundedDirective, where: _Ground) -> GroundedDirective:
    """A latency, power or cost as a ``bound`` has them; the manifest is made to see whether it can be."""
    name = directive.service or ""
    if directive.namespace != where.namespace or name == "*":
        message = (
            f"deploy {directive.namespace}/{name}: limit: one service, in namespace {where.namespace} of the intent"
        )
        raise Ungrounded(Reason.INFEASIBLE, message, "an intent in that namespace")
    if where.facts.service(ServiceKey(where.namespace, name)) is not None:
        message = f"deploy {name}: got a name that is in use; limit: one InferenceService of a name in a namespace"
        raise Ungrounded(Reason.INFEASIBLE, message, f"deploy it as {name[:50]}-2, or delete {name} first")
    if directive.metric in LATENCIES | USES:
        (directive,) = _bound(directive, None, where)
    manifest_of(directive, where.facts)
    return directive


def _scale(directive: GroundedDirective, service: InferenceService, where: _Ground) -> Sequence[GroundedDirective]:
    if directive.factor is not None or directive.delta is not None:
        directive = _absolute(directive, service)
    _check_replicas(directive, service, where)
    return (directive,)


def _check_replicas(directive: GroundedDirective, service: InferenceService, where: _Ground) -> None:
    scale, policy_max = service.spec.scale, where.facts.policy.max_replicas or MAX_REPLICAS
    key = key_of(service)
    for field in ("replicas", "min", "max"):
        number = getattr(directive, field)
        if number is None:
            continue
        if number < 1:
            message = f"{key} {field}: got {number}; limit: 1, as nothing could wake a sleeping service"
            raise Ungrounded(Reason.INFEASIBLE, message, f"{field} 1, or pause {service.metadata.name}")
        if number > policy_max:
            message = f"{key} {field}: got {number}; limit: AutomationPolicy.spec.maxReplicas, {policy_max}"
            raise Ungrounded(Reason.OUTSIDE_LIMITS, message, f"{field} {policy_max}")
        low = 1 if field == "min" else scale.min
        high = MAX_REPLICAS if field == "max" else scale.max
        if not low <= number <= high:
            message = f"{key} {field}: got {number}; limit: spec.scale.min to max, {scale.min} to {scale.max}"
            nearest = f"{field} {min(max(number, low), high)}, or change spec.scale of the InferenceService first"
            raise Ungrounded(Reason.INFEASIBLE, message, nearest)


def _schedule(directive: GroundedDirective, service: InferenceService, where: _Ground) -> Sequence[GroundedDirective]:
    _check_replicas(directive, service, where)
    return (_put(directive, Source.DEFAULT, time_zone=directive.time_zone or "UTC"),)


def _prefer(directive: GroundedDirective, service: InferenceService, where: _Ground) -> Sequence[GroundedDirective]:
    if directive.objective not in PREFERRED:
        message = f"prefer {directive.objective}: limit: what sizing weighs: {', '.join(PREFERRED)}"
        raise Ungrounded(Reason.NOT_AN_INTENT, message, "a bound on ttft, tpot or e2e")
    weight = Decimal(1) if directive.weight is None else directive.weight
    return (_put(directive, Source.DEFAULT, weight=weight),)


def _migrate(directive: GroundedDirective, service: InferenceService, where: _Ground) -> Sequence[GroundedDirective]:
    if directive.partition is None and directive.gpu is None:
        message = f"migrate {key_of(service)}: limit: to a partition or a GPU product; placement chooses the node"
        raise Ungrounded(Reason.NOT_AN_INTENT, message, "the name of a partition, such as 3g.40gb")
    if service.spec.workload_ref is not None:
        message = f"migrate {key_of(service)}: limit: spec.workloadRef; only its replicas are set"
        raise Ungrounded(Reason.INFEASIBLE, message, "change the Deployment itself")
    return (directive,)


def _absolute(directive: GroundedDirective, service: InferenceService) -> GroundedDirective:
    """Half of three is two: rounding up keeps the capacity that was asked for."""
    now = replicas_now(service)
    if now < 1:
        message = f"{key_of(service)}: got a relative number; limit: the present number must be known, and it is not"
        raise Ungrounded(Reason.INFEASIBLE, message, "scale to a number")
    wanted = now + directive.delta if directive.delta is not None else math.ceil(now * float(directive.factor or 1))
    return _put(directive, Source.INFERRED, replicas=wanted, factor=None, delta=None)


def _bound(
    directive: GroundedDirective, service: InferenceService | None, where: _Ground
) -> Sequence[GroundedDirective]:
    metric, unit, value = directive.metric, directive.unit, directive.value
    if metric is None or unit is None or value is None:
        raise Ungrounded(Reason.NOT_AN_INTENT, "bound: limit: metric, value and unit are required")
    if metric is BoundMetric.ATTAINMENT and service is not None:
        return _attainment(directive, service)
    if metric not in LATENCIES | USES:
        message = (
            f"bound {metric}: limit: what sizing controls: ttft, tpot, e2e, attainment, gpus, watts, cost_per_hour"
        )
        raise Ungrounded(Reason.NOT_AN_INTENT, message, "a bound on ttft, tpot or e2e")
    amount = float(value) * _FACTOR.get(unit, 1)
    if metric is BoundMetric.GPUS:
        amount = math.floor(amount)
    if amount <= 0:
        message = f"bound {metric}: got {value} {unit}; limit: above 0, as at least one replica serves"
        raise Ungrounded(Reason.INFEASIBLE, message, f"pause {directive.service}")
    _within_policy(metric, unit, amount, where.facts)
    if metric in LATENCIES and directive.percentile is None:
        directive = _put(directive, Source.DEFAULT, percentile=DEFAULT_PERCENTILE)
    return (_put(directive, Source.STATED, value=Decimal(plain(amount)), unit=_CANONICAL.get(unit, unit)),)


def _within_policy(metric: BoundMetric, unit: Unit, amount: float, facts: Facts) -> None:
    policy = facts.policy
    limit: float | None = None
    if metric is BoundMetric.WATTS:
        name, limit = "maxWatts", policy.max_watts
    elif metric is BoundMetric.COST_PER_HOUR:
        name, limit = "maxCostPerHour", float(policy.max_cost_per_hour) if policy.max_cost_per_hour else None
        if _CURRENCY[unit] != policy.currency:
            message = f"bound cost_per_hour: got {unit}; limit: prices here are in AutomationPolicy.spec.currency"
            raise Ungrounded(Reason.INFEASIBLE, message, f"the amount in {policy.currency}")
    if limit is not None and amount > limit:
        message = f"bound {metric}: got {plain(amount)}; limit: AutomationPolicy.spec.{name}, {plain(limit)}"
        raise Ungrounded(Reason.OUTSIDE_LIMITS, message, f"{plain(limit)} or less")


def _attainment(directive: GroundedDirective, service: InferenceService) -> Sequence[GroundedDirective]:
    """A share of the requests within the SLO is a percentile of each of its targets."""
    percentile, targets = directive.value or Decimal(0), service.spec.slo.targets
    if not targets or not 50 <= percentile <= Decimal("99.9"):
        message = (
            f"bound attainment: got {percentile} percent of {key_of(service)}; limit: 50 to 99.9, with slo.targets"
        )
        raise Ungrounded(Reason.INFEASIBLE, message, "99.9 percent" if targets else "a bound on e2e")
    return tuple(
        _put(
            directive,
            Source.INFERRED,
            metric=BoundMetric(target.metric.value),
            percentile=percentile,
            value=Decimal(target.milliseconds),
            unit=Unit.MILLISECONDS,
        )
        for target in {t.metric: t for t in targets}.values()
    )


def _unchanged(directive: GroundedDirective, service: InferenceService, where: _Ground) -> Sequence[GroundedDirective]:
    return (directive,)


_VERBS: dict[Verb, Callable[[GroundedDirective, InferenceService, _Ground], Sequence[GroundedDirective]]] = {
    Verb.SCALE: _scale,
    Verb.BOUND: _bound,
    Verb.SCHEDULE: _schedule,
    Verb.PREFER: _prefer,
    Verb.MIGRATE: _migrate,
    Verb.DELETE: _unchanged,
    Verb.PAUSE: _unchanged,
    Verb.RESUME: _unchanged,
    Verb.EXPLAIN: _unchanged,
    Verb.DEFRAGMENT: _unchanged,
}


def _put(directive: GroundedDirective, source: Source, **fields: object) -> GroundedDirective:
    """With other values; a field that had none says where the new one comes from."""
    changed = {name: value for name, value in fields.items() if getattr(directive, name) != value}
    known = {entry.field for entry in directive.provenance}
    news = tuple(
        Provenance(field=name, source=source)
        for name, value in changed.items()
        if value is not None and name not in known
    )
    return directive.model_copy(update={**changed, "provenance": directive.provenance + news})


def _relaxations(directives: Sequence[GroundedDirective], facts: Facts) -> Iterator[str]:
    for effect in effects_of(directives):
        if isinstance(effect, ReplicaLimit) and (found := facts.service(effect.service)) is not None:
            most = found.spec.scale.max
            if effect.most is not None and effect.most > most:
                yield f"relaxation: spec.scale.max of {effect.service} is raised from {most} to {effect.most}"
        if not isinstance(effect, LatencyLimit) or (service := facts.service(effect.service)) is None:
            continue
        wanted = effect.target
        for own in targets_of(service):
            comparable = own.metric == wanted.metric and own.percentile >= wanted.percentile
            if comparable and own.milliseconds < wanted.milliseconds:
                yield f"relaxation: {wanted} is looser than {own} of {effect.service}, which stays in force"
