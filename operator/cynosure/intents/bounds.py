"""Which intents hold now, and what they allow a planning pass to do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from cynosure.api import ScalingIntent
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.conditions import Type
from cynosure.api.directive import BoundMetric, Directive
from cynosure.intents.effects import (
    Bound,
    Defragment,
    Effect,
    LatencyLimit,
    Migration,
    Pin,
    Preference,
    ReplicaLimit,
    Reversal,
    Timetable,
    UseLimit,
    effects_of,
)
from cynosure.intents.moves import is_finished, moved_by
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.condition import Status
from cynosure.model.repacking import Repacking
from cynosure.model.service import Metric, ServiceKey, Target

_B = TypeVar("_B", Bounds, ServiceBounds)
_N = TypeVar("_N", int, float)


@dataclass(frozen=True, slots=True)
class Holding:
    """The effects of one intent that hold now."""

    namespace: str
    intent: str
    effects: tuple[Effect, ...]
    repacking: Repacking = field(default_factory=Repacking)

    @property
    def source(self) -> str:
        return f"{self.namespace}/{self.intent}"


def bounds_in_force(intents: Iterable[ScalingIntent], policy: AutomationPolicySpec, now_seconds: float) -> Bounds:
    """What the applied intents and the policy demand together; the stricter one counts.

    Replica limits that exclude each other are found before approval. Where they meet all the same, what was
    applied first holds, so a later intent never loosens what an earlier one demands.
    """
    return bounds_of(holdings(intents, policy, now_seconds), policy)


def holdings(intents: Iterable[ScalingIntent], policy: AutomationPolicySpec, now_seconds: float) -> tuple[Holding, ...]:
    """The intents in force, the first applied first. Pins are in the spec of their service, not among these bounds."""
    applied = [intent for intent in intents if is_applied(intent)]
    return tuple(
        Holding(intent.metadata.namespace, intent.metadata.name, _unexpired(intent, now_seconds), moved_by(intent))
        for intent in sorted(applied, key=applied_at)
        if not has_expired(intent, now_seconds)
        and taken_back_by(intent, applied) is None
        and intent.metadata.namespace not in policy.protected_namespaces
    )


def is_applied(intent: ScalingIntent) -> bool:
    return any(c.type == Type.APPLIED and c.status is Status.TRUE for c in intent.status.conditions)


def applied_at(intent: ScalingIntent) -> tuple[float, str, str]:
    at = intent.status.applied_at
    return at.timestamp() if at else 0.0, intent.metadata.namespace, intent.metadata.name


def has_expired(intent: ScalingIntent, now_seconds: float) -> bool:
    """By ``spec.expires``, or once the last of its directives has ended, when each of them says when."""
    ends = (intent.spec.expires, stated_end(intent.status.directives))
    return any(end is not None and end.timestamp() <= now_seconds for end in ends)


def stated_end(directives: Sequence[Directive]) -> datetime | None:
    """When the last of them has ended, if each says when. A digest has it; ``spec.expires`` may change at any time."""
    own = [directive.expires for directive in directives]
    return max((end for end in own if end is not None), default=None) if None not in own else None


def _unexpired(intent: ScalingIntent, now_seconds: float) -> tuple[Effect, ...]:
    directives = (d for d in intent.status.directives if d.expires is None or d.expires.timestamp() > now_seconds)
    return tuple(e for e in effects_of(directives) if not (isinstance(e, Defragment) and is_finished(intent)))


def takes_back(intent: ScalingIntent) -> frozenset[str]:
    """The intents of its namespace that end when this one is applied."""
    undone = {effect.intent for effect in effects_of(intent.status.directives) if isinstance(effect, Reversal)}
    return frozenset(undone | ({intent.spec.supersedes} if intent.spec.supersedes else set()))


def taken_back_by(intent: ScalingIntent, applied: Iterable[ScalingIntent]) -> ScalingIntent | None:
    """The intent that was applied later and undoes or supersedes this one."""
    return next(
        (
            other
            for other in applied
            if other.metadata.namespace == intent.metadata.namespace
            and intent.metadata.name in takes_back(other)
            and applied_at(other)[0] >= applied_at(intent)[0]
        ),
        None,
    )


@dataclass(slots=True)
class _Sum:
    """Bounds in the making."""

    services: dict[ServiceKey, ServiceBounds] = field(default_factory=dict)
    whole: Bounds = field(default_factory=Bounds)

    def add(self, effect: Effect, holding: Holding) -> None:
        if isinstance(effect, UseLimit) and effect.service is None:
            self.whole = replace(_limited(self.whole, effect), sources=_with(self.whole.sources, holding.source))
        elif isinstance(effect, Bound | Pin | Migration) and effect.service is not None:
            old = self.services.get(effect.service, ServiceBounds())
            new = _tightened(old, effect)
            if new != old:
                self.services[effect.service] = replace(new, sources=_with(old.sources, holding.intent))

    def raise_max(self, effect: ReplicaLimit) -> None:
        old = self.services.get(effect.service, ServiceBounds())
        self.services[effect.service] = replace(old, raised_max=max(effect.most or 0, old.raised_max or 0) or None)


def bounds_of(held: Sequence[Holding], policy: AutomationPolicySpec, *, pins: bool = False) -> Bounds:
    """``pins`` includes what writes would set, for a dry run before they are written."""
    total = _Sum()
    for holding in held:
        for effect in holding.effects:
            if pins or not isinstance(effect, Pin | Migration):
                total.add(effect, holding)
            if pins and isinstance(effect, ReplicaLimit):
                total.raise_max(effect)
    cost = float(policy.max_cost_per_hour) if policy.max_cost_per_hour else None
    return replace(
        total.whole,
        services=total.services,
        max_watts=_least(total.whole.max_watts, policy.max_watts),
        max_cost_per_hour=_least(total.whole.max_cost_per_hour, cost),
        currency=policy.currency,
        stop=policy.stop,
        repacking=next((holding.repacking for holding in held if holding.repacking), Repacking()),
    )


def _tightened(bounds: ServiceBounds, effect: Bound | Pin | Migration) -> ServiceBounds:
    match effect:
        case LatencyLimit(_, target):
            return replace(bounds, targets=_stricter(bounds.targets, target))
        case UseLimit():
            return _limited(bounds, effect)
        case Pin(_, replicas):
            return replace(bounds, pinned_replicas=replicas or None)
        case Timetable(_, schedule):
            return replace(bounds, schedules=(*bounds.schedules, schedule))
        case Preference(_, cost, energy):
            return replace(bounds, weights=bounds.weights or (cost, energy))
        case Migration(_, partition, product):
            partitions = (partition,) if partition else bounds.partitions
            return replace(bounds, partitions=partitions, gpu_products=(product,) if product else bounds.gpu_products)
        case ReplicaLimit(_, least, most):
            low = max((n for n in (bounds.min_replicas, least) if n is not None), default=None)
            high = _least(bounds.max_replicas, most)
            excluded = low is not None and high is not None and low > high
            return bounds if excluded else replace(bounds, min_replicas=low, max_replicas=high)


def _stricter(targets: tuple[Target, ...], target: Target) -> tuple[Target, ...]:
    kept: dict[tuple[Metric, float], Target] = {(t.metric, t.percentile): t for t in targets}
    place = (target.metric, target.percentile)
    kept[place] = min(kept.get(place, target), target)
    return tuple(sorted(kept.values()))


def _limited(bounds: _B, effect: UseLimit) -> _B:
    match effect.metric:
        case BoundMetric.GPUS:
            return replace(bounds, max_gpus=_least(bounds.max_gpus, int(effect.limit)))
        case BoundMetric.WATTS:
            return replace(bounds, max_watts=_least(bounds.max_watts, effect.limit))
        case _:
            return replace(bounds, max_cost_per_hour=_least(bounds.max_cost_per_hour, effect.limit))


def _least(one: _N | None, other: _N | None) -> _N | None:
    return min((n for n in (one, other) if n is not None), default=None)


def _with(sources: tuple[str, ...], source: str) -> tuple[str, ...]:
    return sources if source in sources else (*sources, source)
