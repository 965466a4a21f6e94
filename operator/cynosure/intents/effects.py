"""What a grounded directive does: the typed values that bounds, writes, conflicts and verification are made from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cynosure.api.directive import BoundMetric, Directive, Verb
from cynosure.model.calendar import Schedule
from cynosure.model.service import Metric, Mode, ServiceKey, Target

LATENCIES = frozenset({BoundMetric.TTFT, BoundMetric.TPOT, BoundMetric.E2E})
PREFERRED = ("energy", "cost")
USES = frozenset({BoundMetric.GPUS, BoundMetric.WATTS, BoundMetric.COST_PER_HOUR})


@dataclass(frozen=True, slots=True)
class ReplicaLimit:
    service: ServiceKey
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class LatencyLimit:
    service: ServiceKey
    target: Target


@dataclass(frozen=True, slots=True)
class UseLimit:
    """At most ``limit`` GPUs, watts, or cost per hour; ``service`` None means the sum over all services."""

    service: ServiceKey | None
    metric: BoundMetric
    limit: float


@dataclass(frozen=True, slots=True)
class Timetable:
    """Limits of the replicas at times that come back."""

    service: ServiceKey
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Preference:
    """What counts among the choices that meet the SLO; only the ratio of the weights counts."""

    service: ServiceKey
    cost_weight: float
    energy_weight: float


@dataclass(frozen=True, slots=True)
class Pin:
    """Exactly so many replicas; 0 gives the number back to the loop."""

    service: ServiceKey
    replicas: int


@dataclass(frozen=True, slots=True)
class ModeChange:
    service: ServiceKey
    mode: Mode


@dataclass(frozen=True, slots=True)
class Migration:
    """To another partition profile, or to another GPU product; the other of the two stays free."""

    service: ServiceKey
    partition: str | None = None
    gpu_product: str | None = None


@dataclass(frozen=True, slots=True)
class Creation:
    """A service that is not there yet, with the limits that the directive states."""

    service: ServiceKey
    directive: Directive


@dataclass(frozen=True, slots=True)
class Deletion:
    service: ServiceKey


@dataclass(frozen=True, slots=True)
class Explanation:
    service: ServiceKey


@dataclass(frozen=True, slots=True)
class Reversal:
    """Takes back the intent of this name, in the same namespace."""

    intent: str


@dataclass(frozen=True, slots=True)
class Defragment:
    """Free whole GPUs by moving replicas of ``namespace``; each None leaves the choice open."""

    namespace: str
    service: str | None = None
    node: str | None = None
    product: str | None = None


Bound = ReplicaLimit | LatencyLimit | UseLimit | Timetable | Preference
"""Holds while the intent is in force, and is written nowhere."""
Effect = Bound | Pin | ModeChange | Migration | Creation | Deletion | Explanation | Reversal | Defragment


def effects_of(directives: Iterable[Directive]) -> tuple[Effect, ...]:
    """Of grounded directives: they name service and namespace, numbers are absolute and in ms, W or counts."""
    return tuple(effect for directive in directives for effect in _EFFECTS[directive.verb](directive))


def _key(directive: Directive) -> ServiceKey:
    return ServiceKey(directive.namespace or "", directive.service or "")


def _scale(directive: Directive) -> Iterator[Effect]:
    if directive.replicas is not None:
        yield Pin(_key(directive), directive.replicas)
    else:
        yield ReplicaLimit(_key(directive), directive.min, directive.max)


def _bound(directive: Directive) -> Iterator[Effect]:
    if directive.metric is None or directive.value is None:
        return
    limit = float(directive.value)
    if directive.metric in LATENCIES:
        percentile = float(directive.percentile or 0)
        yield LatencyLimit(_key(directive), Target(Metric(directive.metric.value), percentile, limit))
    elif directive.metric in USES:
        yield UseLimit(None if directive.service == "*" else _key(directive), directive.metric, limit)


def _schedule(directive: Directive) -> Iterator[Effect]:
    exact = directive.replicas
    least, most = (exact, exact) if exact is not None else (directive.min, directive.max)
    cron, seconds = _times(directive)
    yield Timetable(_key(directive), Schedule(cron, seconds, directive.time_zone or "UTC", least, most))


def _times(directive: Directive) -> tuple[str, float]:
    """When a window begins, and how long it is: to the next time of day that ends it, or one hour."""
    if directive.from_ is None or directive.to is None:
        return directive.cron or "", 3600.0
    (hour, minute), (last_hour, last_minute) = (map(int, time.split(":")) for time in (directive.from_, directive.to))
    length = (60 * (last_hour - hour) + last_minute - minute - 1) % 1440 + 1
    return f"{minute} {hour} * * {','.join(directive.days or ()) or '*'}", 60.0 * length


def _prefer(directive: Directive) -> Iterator[Effect]:
    weight = 1.0 if directive.weight is None else float(directive.weight)
    energy = weight if directive.objective == "energy" else 1 - weight
    yield Preference(_key(directive), 1 - energy, energy)


def _migrate(directive: Directive) -> Iterator[Effect]:
    yield Migration(_key(directive), directive.partition, directive.gpu)


def _resume(directive: Directive) -> Iterator[Effect]:
    yield ModeChange(_key(directive), Mode.AUTOMATIC)
    yield Pin(_key(directive), 0)


def _defragment(directive: Directive) -> Iterator[Effect]:
    service = None if directive.service == "*" else directive.service
    yield Defragment(directive.namespace or "", service, directive.node, directive.gpu)


_EFFECTS: dict[Verb, Callable[[Directive], Iterator[Effect]]] = {
    Verb.DEPLOY: lambda directive: iter((Creation(_key(directive), directive),)),
    Verb.DELETE: lambda directive: iter((Deletion(_key(directive)),)),
    Verb.SCALE: _scale,
    Verb.BOUND: _bound,
    Verb.SCHEDULE: _schedule,
    Verb.PREFER: _prefer,
    Verb.MIGRATE: _migrate,
    Verb.PAUSE: lambda directive: iter((ModeChange(_key(directive), Mode.PAUSED),)),
    Verb.RESUME: _resume,
    Verb.EXPLAIN: lambda directive: iter((Explanation(_key(directive)),)),
    Verb.DEFRAGMENT: _defragment,
    Verb.UNDO: lambda directive: iter((Reversal(directive.intent or ""),)),
}
