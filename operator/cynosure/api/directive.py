"""A directive: what a sentence means, typed. Flat, as ``cynosure ask --json`` prints it.

``FIELDS`` is the table of what stands with which verb; a field of another verb is refused rather than ignored.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from cynosure.api.metadata import SET
from cynosure.api.part import Part, rule
from cynosure.api.scalars import (
    Cron,
    Fraction,
    GpuProduct,
    Label,
    Matching,
    ModelName,
    NonNegative,
    ObjectName,
    Partition,
    Percentile,
    Positive,
    Replicas,
    Time,
    TimeOfDay,
    TimeZone,
    Zone,
)


class Verb(StrEnum):
    DEPLOY = "deploy"
    DELETE = "delete"
    MIGRATE = "migrate"
    SCALE = "scale"
    BOUND = "bound"
    PREFER = "prefer"
    SCHEDULE = "schedule"
    PAUSE = "pause"
    RESUME = "resume"
    EXPLAIN = "explain"
    UNDO = "undo"
    DEFRAGMENT = "defragment"


class BoundMetric(StrEnum):
    TTFT = "ttft"
    TPOT = "tpot"
    E2E = "e2e"
    COST_PER_HOUR = "cost_per_hour"
    WATTS = "watts"
    GPUS = "gpus"
    ERROR_RATE = "error_rate"
    ATTAINMENT = "attainment"


class Unit(StrEnum):
    MILLISECONDS = "ms"
    SECONDS = "s"
    USD = "usd"
    EUR = "eur"
    WATTS = "W"
    KILOWATTS = "kW"
    COUNT = "count"
    PERCENT = "percent"


UNITS: dict[BoundMetric, tuple[Unit, ...]] = {
    BoundMetric.TTFT: (Unit.MILLISECONDS, Unit.SECONDS),
    BoundMetric.TPOT: (Unit.MILLISECONDS, Unit.SECONDS),
    BoundMetric.E2E: (Unit.MILLISECONDS, Unit.SECONDS),
    BoundMetric.COST_PER_HOUR: (Unit.USD, Unit.EUR),
    BoundMetric.WATTS: (Unit.WATTS, Unit.KILOWATTS),
    BoundMetric.GPUS: (Unit.COUNT,),
    BoundMetric.ERROR_RATE: (Unit.PERCENT,),
    BoundMetric.ATTAINMENT: (Unit.PERCENT,),
}
_AMOUNT = ("replicas", "min", "max", "factor", "delta")
_LIMIT = ("metric", "value", "unit", "percentile")
FIELDS: dict[Verb, tuple[str, ...]] = {
    Verb.DEPLOY: ("model", *_AMOUNT, *_LIMIT),
    Verb.DELETE: (),
    Verb.MIGRATE: ("partition", "gpu", "node", "zone", "confidential"),
    Verb.SCALE: _AMOUNT,
    Verb.BOUND: _LIMIT,
    Verb.PREFER: ("objective", "weight"),
    Verb.SCHEDULE: ("cron", "days", "from", "to", "timeZone", "replicas", "min", "max"),
    Verb.PAUSE: (),
    Verb.RESUME: (),
    Verb.EXPLAIN: (),
    Verb.UNDO: ("intent",),
    Verb.DEFRAGMENT: ("node", "gpu"),
}
"""Besides ``service``, ``namespace`` and ``expires``, which may stand with any."""
_LATENCIES = (BoundMetric.TTFT, BoundMetric.TPOT, BoundMetric.E2E)
_SERVICELESS = (Verb.UNDO, Verb.DEFRAGMENT)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ServiceName = Annotated[
    str, Matching("^([*]|[a-z]([-a-z0-9]*[a-z0-9])?)$", 63, "the name of an InferenceService, or * for all", "chat")
]


def _unit_rule() -> str:
    cases = (
        f"(self.metric == '{metric}' && self.unit in {[str(u) for u in units]})" for metric, units in UNITS.items()
    )
    return "!has(self.metric) || !has(self.unit) || " + " || ".join(cases)


def _belonging_rule() -> str:
    """CEL: every field that is set belongs to the verb."""
    verbs = {
        name: [str(verb) for verb in FIELDS if name in FIELDS[verb]] for names in FIELDS.values() for name in names
    }
    return " && ".join(f"(!has(self.{name}) || self.verb in {allowed})" for name, allowed in verbs.items())


class Directive(Part):
    """One instruction. Only the fields that belong to its verb may be set."""

    verb: Verb
    """What is to be done."""
    service: ServiceName | None = None
    """Whose; ``*`` means all services."""
    namespace: Label | None = None
    """Of the service; without it the namespace of the intent."""
    model: ModelName | None = None
    """deploy: what is to be served."""
    partition: Partition | None = None
    """migrate: the profile to move to."""
    gpu: GpuProduct | None = None
    """migrate: the GPU product to move to; defragment: the GPU."""
    node: ObjectName | None = None
    """migrate, defragment: the node."""
    zone: Zone | None = None
    """migrate: the zone to move to."""
    confidential: bool | None = None
    """migrate: to confidential GPUs."""
    replicas: Replicas | None = None
    """deploy, scale, schedule: exactly so many."""
    min: Replicas | None = None
    """deploy, scale, schedule: at least so many."""
    max: Replicas | None = None
    """deploy, scale, schedule: at most so many."""
    factor: Positive | None = None
    """deploy, scale: times the present number; "2" doubles."""
    delta: Annotated[int, Field(ge=-1000, le=1000)] | None = None
    """deploy, scale: plus the present number."""
    metric: BoundMetric | None = None
    """deploy, bound: what is limited."""
    value: NonNegative | None = None
    """deploy, bound: the limit, in ``unit``."""
    unit: Unit | None = None
    """deploy, bound: the unit of ``value``."""
    percentile: Percentile | None = None
    """deploy, bound: share of the requests that a latency holds for."""
    objective: Literal["energy", "cost", "latency", "throughput", "fairness"] | None = None
    """prefer: what counts more."""
    weight: Fraction | None = None
    """prefer: how much, 0 to 1."""
    cron: Cron | None = None
    """schedule: when a window begins; the alternative to days, from and to."""
    days: Annotated[tuple[Day, ...], Field(max_length=7, json_schema_extra=SET)] | None = None
    """schedule: on which days; none named means every day."""
    from_: Annotated[TimeOfDay | None, Field(validation_alias="from", serialization_alias="from")] = None
    """schedule: when a window begins."""
    to: TimeOfDay | None = None
    """schedule: when a window ends."""
    time_zone: TimeZone | None = None
    """schedule: the zone of the times; without it UTC."""
    intent: ObjectName | None = None
    """undo: which; without it the last one that was applied."""
    expires: Time | None = None
    """When it ends to hold."""

    @rule(
        "has(self.service) || self.verb in ['undo', 'defragment']",
        "{self.verb}.service: got none; limit: required; use the name of an InferenceService, or * for all",
    )
    def names_service(self) -> bool:
        return self.service is not None or self.verb in _SERVICELESS

    @rule(
        "self.verb != 'deploy' || has(self.model)",
        "deploy.model: got none; limit: required; use the name of the model to serve",
    )
    def deploys_model(self) -> bool:
        return self.verb != Verb.DEPLOY or self.model is not None

    @rule(
        "self.verb != 'migrate' || [has(self.partition), has(self.gpu), has(self.node), has(self.zone),"
        " has(self.confidential) && self.confidential].filter(x, x).size() == 1",
        "migrate: got no target or several; limit: exactly one of partition, gpu, node, zone and confidential;"
        " use partition: 3g.40gb",
    )
    def migrates_to_one_target(self) -> bool:
        targets = (self.partition, self.gpu, self.node, self.zone, self.confidential or None)
        return self.verb != Verb.MIGRATE or sum(t is not None for t in targets) == 1

    @rule(
        "self.verb != 'scale' || [has(self.replicas), has(self.factor), has(self.delta),"
        " has(self.min) || has(self.max)].filter(x, x).size() == 1",
        "scale: got no amount or several kinds; limit: exactly one of replicas, factor, delta and min/max;"
        " use replicas: 3, or min: 2 with max: 8",
    )
    def scales_one_way(self) -> bool:
        limits = None if self.min is None and self.max is None else True
        return (
            self.verb != Verb.SCALE or sum(x is not None for x in (self.replicas, self.factor, self.delta, limits)) == 1
        )

    @rule(
        "!has(self.min) || !has(self.max) || self.min <= self.max",
        "min: got {self.min}; limit: max, {self.max}; use a min up to that, or raise max",
    )
    def min_up_to_max(self) -> bool:
        return self.min is None or self.max is None or self.min <= self.max

    @rule(
        "self.verb != 'bound' || (has(self.metric) && has(self.value) && has(self.unit))",
        'bound: got no metric, value or unit; limit: all three are required; use metric: ttft, value: "400", unit: ms',
    )
    def bounds_a_metric(self) -> bool:
        return self.verb != Verb.BOUND or None not in (self.metric, self.value, self.unit)

    @rule(
        _unit_rule(),
        "unit: got {self.unit} for {self.metric}; limit: ms or s for ttft, tpot and e2e, usd or eur for cost_per_hour,"
        " W or kW for watts, count for gpus, percent for error_rate and attainment; use one of these",
    )
    def unit_fits_metric(self) -> bool:
        return self.metric is None or self.unit is None or self.unit in UNITS[self.metric]

    @rule(
        "!has(self.percentile) || (has(self.metric) && self.metric in ['ttft', 'tpot', 'e2e'])",
        "percentile: got {self.percentile}; limit: only with ttft, tpot and e2e; use it there, or leave it out",
    )
    def percentile_of_a_latency(self) -> bool:
        return self.percentile is None or self.metric in _LATENCIES

    @rule(
        "self.verb != 'prefer' || has(self.objective)",
        "prefer.objective: got none; limit: required; use energy, cost, latency, throughput or fairness",
    )
    def prefers_something(self) -> bool:
        return self.verb != Verb.PREFER or self.objective is not None

    @rule(
        "self.verb != 'schedule' || has(self.cron) != (has(self.from) && has(self.to))",
        "schedule: got both or neither of cron and from/to; limit: exactly one;"
        ' use cron: "0 8 * * 1-5", or days with from: "08:00" and to: "18:00"',
    )
    def schedules_a_window(self) -> bool:
        hours = self.from_ is not None and self.to is not None
        return self.verb != Verb.SCHEDULE or (self.cron is not None) != hours

    @rule(
        "self.verb != 'schedule' || has(self.replicas) != (has(self.min) || has(self.max))",
        "schedule: got no amount or both kinds; limit: exactly one of replicas and min/max; use min: 2",
    )
    def schedules_an_amount(self) -> bool:
        limits = self.min is not None or self.max is not None
        return self.verb != Verb.SCHEDULE or (self.replicas is not None) != limits

    @rule(
        _belonging_rule(),
        "{self.verb}: got a field of another verb; limit: service, namespace, expires and its own;"
        " use kubectl explain scalingintents.spec.directives, which names the verbs of each field",
    )
    def fields_belong_to_verb(self) -> bool:
        others = {name for names in FIELDS.values() for name in names} - set(FIELDS[self.verb])
        return others.isdisjoint(self.body())
