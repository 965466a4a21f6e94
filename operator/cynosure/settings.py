"""What can be set: grouped, each field with its unit and its reason. Read from the environment as CYNOSURE_NAME."""

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from cynosure.errors import BadInput

PREFIX = "CYNOSURE_"

_CONFIG = ConfigDict(use_attribute_docstrings=True, extra="forbid", allow_inf_nan=False)
Seconds = Annotated[float, Field(gt=0, le=366 * 86400)]
Share = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True, slots=True, config=_CONFIG)
class KubernetesSettings:
    """How the API server is talked to."""

    context: str | None = None
    """The kubeconfig's context; without one the pod's own account, or the kubeconfig's current context."""
    requests_per_second: Annotated[float, Field(gt=0)] = 300.0
    """Client-side limit in the long run, so that a bug here is no outage there; a new service takes about a dozen."""
    burst: Annotated[int, Field(ge=1)] = 600
    """Requests at once beyond that, such as in the first pass over a few hundred services."""
    request_seconds: Seconds = 5.0
    """Limit of a request. Shorter than what is left of the lease when a write may still start."""
    connect_seconds: Seconds = 3.0
    """Limit of connecting; loopback and cluster networks answer in milliseconds."""
    stall_seconds: Seconds = 90.0
    """Silence after which a watch counts as dead; the server sends a bookmark about each 60 s."""
    list_chunk: Annotated[int, Field(ge=1, le=5000)] = 500
    """Objects per page of a list, as kubectl does."""
    write_concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    """Services written at the same time."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class PrometheusSettings:
    """Where the metrics are, and when they are too old. Thanos queriers speak the same protocol."""

    prometheus_url: str = "http://127.0.0.1:9090"
    """Prometheus, or a Thanos querier."""
    prometheus_headers: dict[str, str] = Field(default_factory=dict, repr=False)
    """Sent with each query, as a JSON object: a tenant (THANOS-TENANT, X-Scope-OrgID) or an authorisation."""
    prometheus_ca_file: str = ""
    """Certificates (PEM) of who signed that of the server; empty: the public ones, or REQUESTS_CA_BUNDLE."""
    prometheus_parameters: dict[str, str] = Field(default_factory=dict)
    """Added to each query, as a JSON object. For Thanos: {"dedup": "true", "partial_response": "false"}."""
    query_seconds: Seconds = 5.0
    """Limit of an instant query."""
    history_query_seconds: Seconds = 30.0
    """Limit of a range query over the history."""
    signal_seconds: Seconds = 5.0
    """How often the present load is read. Passes in between use what was read last."""
    rate_window_seconds: Seconds = 60.0
    """Window of rates: at least four scrapes, so that one missed scrape is no gap."""
    token_window_seconds: Seconds = 600.0
    """Window of the mean tokens per request: they change slowly and single requests scatter much."""
    stale_after_seconds: Seconds = 60.0
    """Age from which a sample is too old to decide on."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class ForecastSettings:
    """What forecasts learn from and how far they look."""

    season_seconds: Seconds = 86400.0
    """The period of the load: a day, or a compressed one in a demonstration."""
    step_seconds: Seconds = 60.0
    """Resolution of history and forecast."""
    history_seconds: Seconds = 14 * 86400.0
    """How far back history is read: two weeks of daily seasons."""
    horizon_seconds: Seconds = 3600.0
    """How far forecasts look ahead: well beyond any lead time."""
    refit_seconds: Seconds = 60.0
    """How often forecasts are fitted again, in a task of their own."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class LoopSettings:
    """When the loop plans, and how long it may take."""

    idle_seconds: Seconds = 0.1
    """A burst of changes ends after so much silence."""
    longest_seconds: Seconds = 1.0
    """A burst is cut after so long."""
    resync_seconds: Seconds = 15.0
    """A full pass at least so often: forecasts change with time alone."""
    pass_deadline_seconds: Seconds = 30.0
    """Deadline of a pass; what is left undone is seen again by the next one."""
    status_seconds: Seconds = 15.0
    """How often numbers alone are written to status; anything of meaning is written at once."""
    ready_seconds: Seconds = 120.0
    """/healthz fails when the last pass is older."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class LeaseSettings:
    """Who acts, when there are two of us."""

    lease_namespace: str = "cynosure-system"
    """Namespace of the Lease; in a pod its own (POD_NAMESPACE)."""
    lease_name: str = "cynosure"
    """Name of the Lease; RBAC allows this one only."""
    lease_seconds: Seconds = 15.0
    """A holder that is silent for so long is replaced."""
    renew_seconds: Seconds = 3.0
    """How often it is renewed."""
    margin_seconds: Seconds = 6.0
    """Nothing is written in the last part of the lease: a write that starts before it ends within it."""
    identity: str = ""
    """The name in the Lease; in a pod its own name (POD_NAME)."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class WorkloadSettings:
    """What pods of services are made of."""

    image: str = "localhost/cynosure:dev"
    """Our own image, which holds the emulated engine."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """For that image."""
    engine_images: dict[str, str] = Field(default_factory=lambda: {"vllm": "docker.io/vllm/vllm-openai:v0.11.0"})
    """Images of engine kinds whose spec names none, as a JSON object."""
    dra_driver: str = "gpu.cynosure.dev"
    """Whose ResourceSlices are read: gpu.nvidia.com with NVIDIA's driver."""
    mig_device_class: str = "mig.cynosure.dev"
    """DeviceClass of partitions: mig.nvidia.com with NVIDIA's driver."""
    gpu_device_class: str = "gpu.cynosure.dev"
    """DeviceClass of whole GPUs: gpu.nvidia.com with NVIDIA's driver."""
    drain_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    """Requests in flight may take so long after SIGTERM."""
    emulated_faults: bool = False
    """Emulated engines accept PUT /fault; for tests only."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class PlanningSettings:
    """How carefully is planned."""

    upscale_level: Share = 0.9
    """Quantile of the forecast that replicas are sized for, unless much of the error budget is left."""
    downscale_level: Share = 0.95
    """Quantile that must fit before replicas go: more than for adding, so that it does not flap."""
    lean_upscale_level: Share = 0.5
    """The first quantile, of a service that has nearly its whole error budget left; 0.9 here ignores the budget."""
    lean_downscale_level: Share = 0.6
    """The second quantile of such a service."""
    stabilisation_seconds: Annotated[float, Field(ge=0)] = 60.0
    """Replicas that were added stay so long, and a scale-down looks so far beyond the lead time."""
    settle_seconds: Annotated[float, Field(ge=0)] = 60.0
    """After metrics were absent they must be back for so long before anything is taken away."""
    correction_seconds: Seconds = 60.0
    """A measured miss of the SLO adds a replica at most this often: the last one must have had its effect."""
    backlog_seconds: Seconds = 30.0
    """Requests that wait now are to be gone after so long, or after the lead time where that is longer."""
    latency_headroom: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Sizing aims at this part of a latency target: models err, and percentiles of short windows scatter."""
    lead_time_seconds: Seconds = 60.0
    """Assumed from decision to a ready replica until one was measured and where no profile says more."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class LanguageModelSettings:
    """The model behind sentences; without an address the grammar alone reads them."""

    language_model_url: str = ""
    """An OpenAI-compatible endpoint."""
    language_model_name: str = ""
    """The model to ask for."""
    language_model_api_key: str = Field(default="", repr=False)
    """Its key; never logged."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class IntentSettings:
    """How the effect of an applied intent is measured."""

    verify_grace_seconds: Seconds = 120.0
    """From the application to the first sample: what was added has to become ready first."""
    verify_window_seconds: Seconds = 120.0
    """Length of the first look at live metrics; each further one is twice as long."""
    move_seconds: Seconds = 600.0
    """What the move of one replica may take, its start and the drain of the old one included."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class DiagnosisSettings:
    """When something is called wrong, and what is then proposed."""

    diagnosis_seconds: Seconds = 30.0
    """How often services are looked at, in a task of its own."""
    diagnosis_window_seconds: Seconds = 900.0
    """How long something has to be so, for half of the time at least, before it is called wrong."""
    proposals: bool = True
    """Whether a directive that would mend it is drafted as a ScalingIntent. It is never applied without approval."""
    proposal_seconds: Seconds = 7 * 86400.0
    """A draft that nobody has decided on expires after so long."""
    fragmented_gpus: Annotated[int, Field(ge=1)] = 1
    """Moving must free so many GPUs before it is proposed, unless it makes room for what is likely wanted next."""
    fragmented_seconds: Annotated[float, Field(ge=0)] = 3600.0
    """For so long there must be something to gain, at every look: services that shrank may grow again."""
    fragmented_pause_seconds: Annotated[float, Field(ge=0)] = 86400.0
    """After a defragmentation of a namespace was denied, called off or done none is proposed for so long."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class ReplaySettings:
    """Where a TrafficReplay may send, and when it begins."""

    replay_hosts: str = ""
    """Hosts that a target may name by address, separated by commas; without one only services get load."""
    replay_lead_seconds: Seconds = 30.0
    """From the creation of the pods to the first request: all of them must run by then, image included."""
    replay_simulation_requests: Annotated[int, Field(ge=1)] = 200_000
    """Most requests of a replay that the twin simulates: each takes half a millisecond, and some memory."""
    replay_simulation_seconds: Seconds = 600.0
    """Limit of simulating one replay, which keeps a core busy; another one waits for it."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class ServerSettings:
    """The operator's own endpoints and log."""

    host: str = "0.0.0.0"  # noqa: S104  (a pod's own network)
    """Address of /healthz, /readyz and /metrics."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Their port; 0 takes any free one."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged."""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Settings:
    kubernetes: KubernetesSettings = KubernetesSettings()
    prometheus: PrometheusSettings = Field(default_factory=PrometheusSettings)
    forecast: ForecastSettings = ForecastSettings()
    loop: LoopSettings = LoopSettings()
    lease: LeaseSettings = LeaseSettings()
    workload: WorkloadSettings = Field(default_factory=WorkloadSettings)
    planning: PlanningSettings = PlanningSettings()
    language_model: LanguageModelSettings = LanguageModelSettings()
    intents: IntentSettings = IntentSettings()
    diagnosis: DiagnosisSettings = DiagnosisSettings()
    replays: ReplaySettings = ReplaySettings()
    server: ServerSettings = ServerSettings()


_GROUPS: Mapping[str, type[Any]] = {
    "kubernetes": KubernetesSettings,
    "prometheus": PrometheusSettings,
    "forecast": ForecastSettings,
    "loop": LoopSettings,
    "lease": LeaseSettings,
    "workload": WorkloadSettings,
    "planning": PlanningSettings,
    "language_model": LanguageModelSettings,
    "intents": IntentSettings,
    "diagnosis": DiagnosisSettings,
    "replays": ReplaySettings,
    "server": ServerSettings,
}
_OF_THE_POD = {"lease_namespace": "POD_NAMESPACE", "identity": "POD_NAME"}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Raises ``BadInput`` that names the variable, what it holds and what it may hold."""
    known = os.environ if environment is None else environment
    return Settings(**{name: _read_group(group, known) for name, group in _GROUPS.items()})


def _read_group(group: type[Any], environment: Mapping[str, str]) -> Any:
    given: dict[str, Any] = {}
    for field in fields(group):
        value = environment.get(variable(field.name)) or environment.get(_OF_THE_POD.get(field.name, ""))
        if value:
            given[field.name] = _mapping(value) if value.startswith("{") else value
    try:
        return TypeAdapter(group).validate_python(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = variable(str(first["loc"][0]))
        raise BadInput(f"{name}: got {environment.get(name, '')!r}; {first['msg']}") from error


def _mapping(text: str) -> Any:
    try:
        return TypeAdapter(dict[str, str]).validate_json(text)
    except ValidationError:
        return text


def variable(field: str) -> str:
    """The environment variable of a field; fields of all groups have different names."""
    return PREFIX + field.upper()
