"""InferenceService: a model that must be served within an SLO."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from cynosure.api.inference_status import InferenceServiceStatus
from cynosure.api.metadata import (
    AGE,
    ATOMIC,
    SET,
    Column,
    Naming,
    Resource,
    keyed,
    message_of,
    reason_of,
    status_of,
)
from cynosure.api.part import Part, rule
from cynosure.api.scalars import (
    Cron,
    Currency,
    Fraction,
    GpuProduct,
    Label,
    ModelName,
    ModelUri,
    NonNegative,
    ObjectName,
    Partition,
    Positive,
    Replicas,
    TimeZone,
)
from cynosure.api.slo import Slo
from cynosure.api.spreading import AntiAffinity, SpreadConstraint
from cynosure.model.service import Mode


class EngineKind(StrEnum):
    VLLM = "vllm"
    LLAMA_CPP = "llama-cpp"
    TRITON = "triton"
    EMULATED = "emulated"
    CUSTOM = "custom"


class Model(Part):
    """What is served."""

    name: ModelName
    """The name that clients ask for."""
    uri: ModelUri | None = None
    """Where the engine loads the weights from."""
    profile: ObjectName
    """The ModelProfile with the measurements that sizing rests on."""


class Engine(Part):
    """The server that runs in each pod."""

    kind: EngineKind
    """Which server it is; it decides the arguments, the probes and the names of the metrics."""
    image: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    """The container image; without it the one that the operator is configured with for this kind."""
    args: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=1024)], ...],
        Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = ()
    """Further arguments, after those that Cynosure sets."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """The port of the HTTP API and of /metrics."""

    @rule(
        "self.kind != 'custom' || has(self.image)",
        "engine.image: got none for kind custom; limit: required there; use image: registry/name:tag, or another kind",
        field="image",
    )
    def custom_has_image(self) -> bool:
        return self.kind is not EngineKind.CUSTOM or self.image is not None


class WorkloadRef(Part):
    """A workload that exists already. Cynosure sets its replicas through /scale and nothing else."""

    kind: Literal["Deployment"] = "Deployment"
    """Only Deployments can be adopted."""
    name: ObjectName
    """In the namespace of this object."""


class Schedule(Part):
    """A window that comes back, with its own limits."""

    cron: Cron
    """When a window begins: minute, hour, day of month, month, weekday."""
    duration_minutes: Annotated[int, Field(ge=1, le=10080)]
    """How long it lasts."""
    time_zone: TimeZone = "UTC"
    """Zone of ``cron``."""
    min: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Least replicas inside the window."""
    max: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Most replicas inside the window; the stricter of it and ``scale.max`` counts."""

    @rule(
        "has(self.min) || has(self.max)",
        "schedules: got neither min nor max; limit: at least one; use min: 2",
    )
    def limits_something(self) -> bool:
        return self.min is not None or self.max is not None

    @rule(
        "!has(self.min) || !has(self.max) || self.min <= self.max",
        "schedules.min: got {self.min}; limit: max, {self.max}; use a min up to that, or raise max",
        field="min",
    )
    def min_up_to_max(self) -> bool:
        return self.min is None or self.max is None or self.min <= self.max


class Scale(Part):
    """Limits of the replicas, and the pin."""

    min: Replicas = 1
    """Least replicas. Zero needs the gateway, which is not there yet."""
    max: Annotated[int, Field(ge=1, le=1000)] = 8
    """Most replicas."""
    replicas: Replicas = 0
    """0 = automatic; N > 0 pins N. This is what ``kubectl scale`` writes."""
    zero_after_seconds: Annotated[int, Field(ge=60, le=86400)] = 600
    """Idle time before the service sleeps, where ``min`` may be 0."""
    schedules: Annotated[
        tuple[Schedule, ...], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = ()
    """Windows with other limits, such as office hours."""

    @rule(
        "self.min >= 1",
        "scale.min: got {self.min}; limit: 1, as nothing could wake a sleeping service without the gateway; use min: 1",
        field="min",
    )
    def min_is_awake(self) -> bool:
        return self.min >= 1

    @rule(
        "self.min <= self.max",
        "scale.min: got {self.min}; limit: scale.max, {self.max}; use a min up to that, or raise max",
        field="min",
    )
    def min_up_to_max(self) -> bool:
        return self.min <= self.max

    @rule(
        "self.replicas == 0 || (self.replicas >= self.min && self.replicas <= self.max)",
        "scale.replicas: got {self.replicas}; limit: scale.min to scale.max, {self.min} to {self.max};"
        " use 0 for automatic, or change the limits first",
        field="replicas",
    )
    def pin_within_limits(self) -> bool:
        return self.replicas == 0 or self.min <= self.replicas <= self.max


class Partitions(Part):
    """Where replicas may stand."""

    allowed: Annotated[tuple[Partition, ...], Field(max_length=32, json_schema_extra=SET)] = ()
    """Partition profiles that may be used; none named means all that the ModelProfile has measured."""
    gpu_products: Annotated[tuple[GpuProduct, ...], Field(max_length=32, json_schema_extra=SET)] = ()
    """GPU products that may be used; none named means all."""
    confidential: bool = False
    """Only GPUs whose GPUClass is confidential."""


class Objective(Part):
    """What is preferred among the choices that meet the SLO. Only the ratio of the weights counts."""

    cost: NonNegative = Decimal(1)
    """Weight of the price."""
    energy: NonNegative = Decimal(0)
    """Weight of the energy."""

    @rule(
        "double(self.cost) + double(self.energy) > 0.0",
        'objective: got cost {self.cost} and energy {self.energy}; limit: one above 0; use cost: "1"',
    )
    def weighs_something(self) -> bool:
        return self.cost + self.energy > 0


class Budget(Part):
    """Upper limits that sizing never exceeds, even when the SLO is missed for it."""

    cost_per_hour: Positive | None = None
    """Price of all GPUs in use, in ``currency``."""
    currency: Currency = "EUR"
    """Of ``costPerHour``; a GPUClass needs a price in it."""
    watts: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """Power of all partitions in use."""
    gpus: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Whole GPUs, or their shares in sum."""


class Adapter(Part):
    """A LoRA adapter."""

    name: Label
    """The model name that clients ask for to get it."""
    uri: ModelUri
    """Where it is loaded from."""
    weight: Positive = Decimal(1)
    """Its share of the capacity, relative to the others."""


class InferenceServiceSpec(Part):
    """What is served, how well, and within which limits."""

    model: Model
    """What is served."""
    engine: Engine | None = None
    """The server that runs in each pod; the alternative to ``workloadRef``."""
    template: Annotated[
        dict[str, Any] | None,
        Field(json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    ] = None
    """Overlay for the pods, as ``spec.template`` of a Deployment."""
    workload_ref: WorkloadRef | None = None
    """A Deployment that exists already; the alternative to ``engine`` and ``template``."""
    slo: Slo
    """What must be met."""
    scale: Scale = Scale()
    """Limits of the replicas, and the pin."""
    partitions: Partitions = Partitions()
    """Where replicas may stand."""
    spread: Annotated[tuple[SpreadConstraint, ...], Field(max_length=2, json_schema_extra=keyed("topologyKey"))] = ()
    """Replicas evenly over nodes or zones. New ones go where it allows; what stands is not moved for it."""
    anti_affinity: Annotated[tuple[AntiAffinity, ...], Field(max_length=16, json_schema_extra=ATOMIC)] = ()
    """Services whose replicas it shares no node or zone with; itself included, its replicas stand apart."""
    objective: Objective = Objective()
    """What is preferred among the choices that meet the SLO."""
    budget: Budget | None = None
    """Upper limits that sizing never exceeds."""
    mode: Mode = Mode.AUTOMATIC
    """Automatic acts; Advisory decides and explains, and changes nothing; Paused leaves all as it is."""
    adapters: Annotated[tuple[Adapter, ...], Field(max_length=64, json_schema_extra=keyed("name"))] = ()
    """LoRA adapters served by the same replicas."""
    fairness: Fraction = Decimal("0.5")
    """Between adapters: 0 = most throughput, 1 = most fair."""

    @rule(
        "has(self.engine) != has(self.workloadRef)",
        "spec: got both or neither of engine and workloadRef; limit: exactly one;"
        " use engine: {{kind: vllm}}, or workloadRef to adopt a Deployment",
    )
    def engine_or_workload(self) -> bool:
        return (self.engine is None) != (self.workload_ref is None)

    @rule(
        "!has(self.workloadRef) || (self.spread.size() == 0 && self.antiAffinity.size() == 0)",
        "spec: got spread or antiAffinity beside workloadRef; limit: adopted pods are not changed;"
        " use topologySpreadConstraints and podAntiAffinity of the Deployment itself",
    )
    def spreads_only_with_engine(self) -> bool:
        return self.workload_ref is None or not (self.spread or self.anti_affinity)

    @rule(
        "!has(self.template) || !has(self.workloadRef)",
        "template: got one beside workloadRef; limit: adopted pods are not changed;"
        " use the template of the Deployment itself",
        field="template",
    )
    def template_only_with_engine(self) -> bool:
        return self.template is None or self.workload_ref is None


class InferenceService(Resource):
    """A model that must be served within an SLO."""

    naming: ClassVar[Naming] = Naming(
        plural="inferenceservices",
        short="csvc",
        max_name_length=52,
        scalable=True,
        columns=(
            Column("Ready", status_of("Ready")),
            Column("Reason", reason_of("Ready")),
            Column("Replicas", ".status.replicas", "integer"),
            Column("Available", ".status.readyReplicas", "integer"),
            Column("Partition", ".status.decision.option.partition"),
            AGE,
            Column("Desired", ".status.decision.option.replicas", "integer", wide=True),
            Column("Pinned", ".spec.scale.replicas", "integer", wide=True),
            Column("Mode", ".spec.mode", wide=True),
            Column("SLO", status_of("SLOMet"), wide=True),
            Column("Why", ".status.decision.message", wide=True),
            Column("Message", message_of("Ready"), wide=True),
        ),
    )
    kind: str = "InferenceService"
    spec: InferenceServiceSpec
    """What is wanted."""
    status: InferenceServiceStatus = InferenceServiceStatus()
    """What is; written by the operator."""
