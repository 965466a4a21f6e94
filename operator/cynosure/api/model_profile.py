"""ModelProfile: how a model behaves on a partition, measured. Sizing rests on it."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from cynosure.api.inference_service import Engine
from cynosure.api.metadata import AGE, ATOMIC, Column, Naming, Resource, StatusBase, keyed, reason_of, status_of
from cynosure.api.part import Part, rule
from cynosure.api.scalars import Count, GpuProduct, Line, ModelName, ModelUri, NonNegative, Partition, Positive, Text
from cynosure.api.slo import SloTarget
from cynosure.model.profile import Task

_Working = Annotated[int, Field(ge=1, le=4096)]
_GIB = Field(validation_alias="memoryGiB", serialization_alias="memoryGiB")


class ProfilePoint(Part):
    """One measurement on one partition: of text generation (``concurrency``) or of images (``batch``)."""

    gpu: GpuProduct
    """Where it was measured."""
    partition: Partition
    """On which part of it."""
    concurrency: _Working | None = None
    """Text: requests that decode together."""
    batch: _Working | None = None
    """Images: how many are worked on together by one process."""
    processes: Annotated[int, Field(ge=1, le=64)] = 1
    """Server processes that share the partition."""
    throughput_rps: Positive
    """Requests, or images, per second of the whole partition."""
    input_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Text: prompt length of the measurement."""
    output_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Text: answer length of the measurement."""
    ttft_milliseconds: Positive | None = None
    """Text: prefill of one request of ``inputTokens`` while so many run, without queueing."""
    tpot_milliseconds: Positive | None = None
    """Text: time per output token."""
    latency_milliseconds: Positive | None = None
    """Images: time of one batch."""
    kv_cache_tokens: Annotated[int, Field(ge=0, le=2**40)] | None = None
    """Text: tokens that the KV cache holds."""
    memory_gib: Annotated[NonNegative | None, _GIB] = None
    """GPU memory in use."""
    watts: NonNegative | None = None
    """Power of the partition at this load."""

    @rule(
        "has(self.concurrency) != has(self.batch)",
        "points: got both or neither of concurrency and batch; limit: exactly one;"
        " use concurrency for text generation, batch for image classification",
    )
    def concurrency_or_batch(self) -> bool:
        return (self.concurrency is None) != (self.batch is None)

    @rule(
        "!has(self.concurrency) || (has(self.ttftMilliseconds) && has(self.tpotMilliseconds)"
        " && has(self.inputTokens) && has(self.outputTokens))",
        "points: got concurrency without all of ttftMilliseconds, tpotMilliseconds, inputTokens and outputTokens;"
        " limit: text generation needs the four; use what was measured",
    )
    def text_is_timed(self) -> bool:
        timings = (self.ttft_milliseconds, self.tpot_milliseconds, self.input_tokens, self.output_tokens)
        return self.concurrency is None or None not in timings

    @rule(
        "!has(self.batch) || has(self.latencyMilliseconds)",
        "points.latencyMilliseconds: got none with batch; limit: image classification needs it;"
        " use the time of one batch",
    )
    def images_are_timed(self) -> bool:
        return self.batch is None or self.latency_milliseconds is not None


class Serving(Part):
    """How the model is served where an intent deploys it."""

    engine: Engine
    """The server that runs in each pod."""
    uri: ModelUri | None = None
    """Where the engine loads the weights from."""
    targets: Annotated[tuple[SloTarget, ...], Field(max_length=9, json_schema_extra=keyed("metric", "percentile"))] = ()
    """The SLO of a service whose intent states none."""


class ModelProfileSpec(Part):
    """A model and its measurements."""

    model: ModelName
    """What was measured."""
    task: Task = Task.TEXT_GENERATION
    """Which kind of points these are."""
    licence: Line = ""
    """Of the model, as an SPDX expression or the name of its own terms."""
    load_seconds: Annotated[int, Field(ge=0, le=86400)]
    """From the start of the container to ready."""
    serving: Serving | None = None
    """How it is served where an intent deploys it; without it, as a service of the same namespace serves it."""
    provenance: Text = ""
    """Who measured it, with what, and when."""
    points: Annotated[tuple[ProfilePoint, ...], Field(min_length=1, max_length=512, json_schema_extra=ATOMIC)]
    """Between two points of a partition values are interpolated; above the largest, requests queue."""

    @rule(
        "self.points.all(p, has(p.concurrency) == (self.task == 'text-generation'))",
        "points: got one that does not fit task {self.task}; limit: concurrency for text-generation,"
        " batch for image-classification; use one ModelProfile for each task",
        field="points",
    )
    def points_fit_task(self) -> bool:
        text = self.task is Task.TEXT_GENERATION
        return all((point.concurrency is not None) == text for point in self.points)

    @model_validator(mode="after")
    def _points_differ(self) -> Self:
        """Not a rule of the schema: comparing every two points has no cost that the API server accepts."""
        places = [(p.gpu, p.partition, p.processes, p.concurrency or p.batch) for p in self.points]
        twice = next((place for place in places if places.count(place) > 1), None)
        if twice is not None:
            gpu, partition, processes, batch = twice
            raise ValueError(
                f"points: got two for {gpu} {partition} with {processes} processes at {batch};"
                " limit: one measurement for each; use the one to trust"
            )
        return self


class ModelProfileStatus(StatusBase):
    """Who uses it; written by the operator."""

    used_by: Count = 0
    """InferenceServices that name this profile."""


class ModelProfile(Resource):
    """The measured behaviour of a model on partitions of GPUs."""

    naming: ClassVar[Naming] = Naming(
        plural="modelprofiles",
        short="cprof",
        namespaced=False,
        columns=(
            Column("Model", ".spec.model"),
            Column("Task", ".spec.task"),
            Column("Ready", status_of("Ready")),
            Column("Reason", reason_of("Ready")),
            Column("Used-By", ".status.usedBy", "integer"),
            AGE,
            Column("Load-Seconds", ".spec.loadSeconds", "integer", wide=True),
            Column("Licence", ".spec.licence", wide=True),
        ),
    )
    kind: str = "ModelProfile"
    spec: ModelProfileSpec
    """The measurements."""
    status: ModelProfileStatus = ModelProfileStatus()
    """Who uses it; written by the operator."""
