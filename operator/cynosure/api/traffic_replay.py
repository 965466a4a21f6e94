"""TrafficReplay: a replayed load with a verdict."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from cynosure.api.metadata import AGE, ATOMIC, Column, Naming, Resource, StatusBase, reason_of, status_of
from cynosure.api.part import Part, Rule, rule, unchanged
from cynosure.api.replay_users import Mix, Patience, Retries
from cynosure.api.scalars import (
    Count,
    Fraction,
    HttpUrl,
    Label,
    Line,
    LongCount,
    Matching,
    NonNegative,
    ObjectName,
    Positive,
    Time,
    Word,
)
from cynosure.api.slo import Slo


class Arrivals(StrEnum):
    EXACT = "exact"
    POISSON = "poisson"
    GAMMA = "gamma"
    MMPP = "mmpp"
    SESSIONS = "sessions"


class ReplayEngine(StrEnum):
    BUILTIN = "builtin"
    K6 = "k6"
    STRESS = "stress"
    TWIN = "twin"


class ReplayTarget(Part):
    """Where the load goes."""

    service: Label | None = None
    """An InferenceService of the same namespace."""
    url: HttpUrl | None = None
    """An address inside the operator's allow-list."""

    @rule(
        "has(self.service) != has(self.url)",
        "targets: got both or neither of service and url; limit: exactly one; use service: chat",
    )
    def service_or_url(self) -> bool:
        return (self.service is None) != (self.url is None)


class VolumeTrace(Part):
    """A file on a volume."""

    claim_name: ObjectName
    """The PersistentVolumeClaim."""
    path: Annotated[str, Matching("^[^/].*$", 1024, "a path below the root of the volume", "2024/code.csv.gz")]
    """Relative to its root."""

    @rule(
        "!self.path.split('/').exists(part, part == '..')",
        "path: got {self.path}; limit: inside the volume; use a path without ..",
        field="path",
    )
    def path_stays_inside(self) -> bool:
        return ".." not in self.path.split("/")


class PrometheusTrace(Part):
    """The rate that a service had."""

    service: Label
    """Whose."""
    from_: Annotated[Time, Field(validation_alias="from", serialization_alias="from")]
    """First moment."""
    to: Time
    """Last moment."""

    @rule("self.from < self.to", "prometheus.from: got {self.from_}; limit: before to; use an earlier time")
    def from_before_to(self) -> bool:
        return self.from_ < self.to


class Trace(Part):
    """Which load; exactly one of the four."""

    name: Word | None = None
    """One that Cynosure brings along."""
    config_map: ObjectName | None = None
    """A ConfigMap with a schedule that ``cynosure replay`` made."""
    persistent_volume_claim: VolumeTrace | None = None
    """A file on a volume."""
    prometheus: PrometheusTrace | None = None
    """The past of a service."""

    @rule(
        "[has(self.name), has(self.configMap), has(self.persistentVolumeClaim), has(self.prometheus)]"
        ".filter(x, x).size() == 1",
        "trace: got none or several; limit: exactly one of name, configMap, persistentVolumeClaim and prometheus;"
        " use name: azure-llm-2024-code-week",
    )
    def one_source(self) -> bool:
        sources = (self.name, self.config_map, self.persistent_volume_claim, self.prometheus)
        return sum(source is not None for source in sources) == 1


class Cut(Part):
    """A part of the trace."""

    start_seconds: Count = 0
    """Where it begins."""
    duration_seconds: Annotated[int, Field(ge=1, le=31_622_400)]
    """How long it is."""


class Region(Part):
    """Users with the same day at other hours."""

    weight: Annotated[int, Field(ge=1, le=1_000_000)]
    """Over the sum of all weights it is its share of the load."""
    utc_offset_minutes: Annotated[int, Field(ge=-720, le=840)]
    """How far its clocks are ahead of UTC; below 0: behind."""


class Transform(Part):
    """One change of the load; exactly one field."""

    scale_to_peak_rps: Positive | None = None
    """Scale the largest 60 s mean to this rate."""
    compress: Positive | None = None
    """Divide time by this."""
    multiply: Positive | None = None
    """Multiply the rate by this."""
    cut: Cut | None = None
    """Keep a part of the trace."""
    regions: Annotated[tuple[Region, ...], Field(min_length=1, max_length=16, json_schema_extra=ATOMIC)] | None = None
    """Divide whole days of it among regions, each with the daily shape of the trace by its own clocks."""

    @rule(
        "[has(self.scaleToPeakRps), has(self.compress), has(self.multiply), has(self.cut), has(self.regions)]"
        ".filter(x, x).size() == 1",
        "transforms: got none or several in one entry; limit: exactly one of scaleToPeakRps, compress, multiply,"
        ' cut and regions; use {{compress: "144"}} and a further entry for the next',
    )
    def one_change(self) -> bool:
        changes = (self.scale_to_peak_rps, self.compress, self.multiply, self.cut, self.regions)
        return sum(change is not None for change in changes) == 1


class TrafficReplaySpec(Part):
    """Which load, to whom, and what is expected."""

    targets: Annotated[tuple[ReplayTarget, ...], Field(min_length=1, max_length=2, json_schema_extra=ATOMIC)]
    """One, or two that get the same schedule side by side."""
    trace: Trace
    """Which load."""
    transforms: Annotated[tuple[Transform, ...], Field(max_length=16, json_schema_extra=ATOMIC)] = ()
    """Changes of it, in this order."""
    arrivals: Arrivals = Arrivals.EXACT
    """How requests are spread within the rate."""
    patience: Patience | None = None
    """When users give up; without it at the time-out."""
    retries: Retries | None = None
    """Of requests that fail; without it none."""
    mix: Mix = ()
    """Classes of requests, whose lengths replace those of the trace."""
    engine: ReplayEngine = ReplayEngine.BUILTIN
    """Who sends it; the twin simulates."""
    duration_seconds: Annotated[int, Field(ge=1, le=604_800)]
    """When it ends, at the latest."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Of everything that is drawn."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Pods that send."""
    slo: Slo | None = None
    """What the verdict is about; without it the SLO of the target."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31_622_400)] = 86400
    """How long it stays after the end."""
    cancel: bool = False
    """Stop sending; the report says how far it came."""


class Progress(Part):
    """How far it has come."""

    scheduled: LongCount = 0
    """Requests in all."""
    sent: LongCount | None = None
    """Requests sent; absent until the workers have told."""
    succeeded: LongCount | None = None
    """Requests answered well."""
    failed: LongCount | None = None
    """Requests refused, broken off or timed out."""


class Fidelity(Part):
    """How close what was sent is to what was meant."""

    rate_rmse: NonNegative
    """Of the rate in bins of 1 s, both normalised with the minimum and maximum of the intended one."""
    rate_wape: NonNegative
    """Weighted absolute percentage error of the same, as a fraction."""
    send_lag_milliseconds_p99: NonNegative | None = None
    """How late requests left."""


class ReplayVerdict(Part):
    """Whether the SLO was met."""

    met: bool
    """By all targets of the SLO."""
    attainment: Fraction
    """Share of the offered requests that met it."""


class TargetResult(Part):
    """What one target did with the load."""

    target: Line
    """Service or address."""
    verdict: ReplayVerdict
    """Whether it met the SLO."""
    ttft_milliseconds_p95: NonNegative | None = None
    """Time to first token."""
    latency_milliseconds_p95: NonNegative | None = None
    """The whole request, from when it was meant to be sent."""


class TrafficReplayStatus(StatusBase):
    """How far it has come, and the verdict; written by the operator."""

    started_at: Time | None = None
    """When the first request was due; from then on the spec is fixed."""
    finished_at: Time | None = None
    """When the last answer was in."""
    progress: Progress | None = None
    """How far it has come."""
    fidelity: Fidelity | None = None
    """How close what was sent is to what was meant."""
    verdict: ReplayVerdict | None = None
    """Whether the SLO was met, by the first target."""
    comparison: Annotated[tuple[TargetResult, ...], Field(max_length=2, json_schema_extra=ATOMIC)] = ()
    """Both targets of an A/B replay."""
    report: Line | None = None
    """The ConfigMap with the full report."""


_FIXED = (
    "targets",
    "trace",
    "transforms",
    "arrivals",
    "patience",
    "retries",
    "mix",
    "engine",
    "durationSeconds",
    "seed",
    "workers",
    "slo",
)


class TrafficReplay(Resource):
    """A replayed load with a verdict."""

    naming: ClassVar[Naming] = Naming(
        plural="trafficreplays",
        short="creplay",
        max_name_length=52,
        columns=(
            Column("Complete", status_of("Complete")),
            Column("Reason", reason_of("Complete")),
            Column("Met", ".status.verdict.met"),
            Column("Attainment", ".status.verdict.attainment"),
            AGE,
            Column("Scheduled", ".status.progress.scheduled", "integer", wide=True),
            Column("Sent", ".status.progress.sent", "integer", wide=True),
            Column("WAPE", ".status.fidelity.rateWape", wide=True),
        ),
    )
    kind: str = "TrafficReplay"
    spec: TrafficReplaySpec
    """Which load, to whom; fixed once started, but for ``cancel`` and ``ttlSecondsAfterFinished``."""
    status: TrafficReplayStatus = TrafficReplayStatus()
    """How far it has come; written by the operator."""

    transitions: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(oldSelf.status) || !has(oldSelf.status.startedAt) || ("
            + " && ".join(unchanged(f"spec.{name}") for name in _FIXED)
            + ")",
            "spec: got a change after the start; limit: only cancel and ttlSecondsAfterFinished change then;"
            " use cancel: true and a new TrafficReplay",
            field="spec",
            forbidden=True,
        ),
    )
