"""Everything that is known of one service at one moment, and of its last hours. Absence is None, never zero."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType

from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.condition import Condition
from cynosure.model.gpu import Gpu, GpuClass
from cynosure.model.plan import Decision
from cynosure.model.profile import Profile
from cynosure.model.repacking import Defragmentation
from cynosure.model.service import Service, Target
from cynosure.model.signals import Reading, Series, Signal
from cynosure.model.snapshot import Observation


@dataclass(frozen=True, slots=True)
class Sample:
    """One pass. ``replicas`` are wanted; ``replica_rps`` is what the profile says that each serves within the SLO."""

    at_seconds: float
    replicas: int
    ready: int
    replica_rps: float | None = None
    arrival_rps: float | None = None
    waiting: float | None = None
    running: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cost_per_hour: float | None = None
    watts: float | None = None
    throttled: bool | None = None


@dataclass(frozen=True, slots=True)
class SloStep:
    """Requests that finished in the step that ended at ``at_seconds``, and those of them within the target."""

    at_seconds: float
    target: Target
    requests: float
    within: float

    @property
    def missed(self) -> float:
        return self.requests - self.within


@dataclass(frozen=True, slots=True)
class Pod:
    """``waiting`` and ``ended`` are reasons of the engine's container: now, and of its last end."""

    name: str
    created_at_seconds: float
    is_ready: bool = False
    is_draining: bool = False
    unscheduled: str = ""
    """Why the scheduler found no node; empty when it has one."""
    waiting: str = ""
    waiting_message: str = ""
    running_since_seconds: float | None = None
    ended: str = ""
    ended_message: str = ""
    exit_code: int | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Engine:
    """The container that serves, as its Deployment has it. ``max_batch`` is what its arguments say, None: nothing."""

    deployment: str
    image: str = ""
    has_readiness_probe: bool = True
    memory_limit_gib: float | None = None
    max_batch: int | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """An intent that kept ``min_replicas`` until ``at_seconds``."""

    name: str
    at_seconds: float
    min_replicas: int


@dataclass(frozen=True, slots=True)
class Worth:
    """From when on moving is worth asking about: so many GPUs, or room for what comes next, for so long."""

    fewest_gpus: int
    gpus_seconds: float
    room_seconds: float


@dataclass(frozen=True, slots=True)
class Fragmented:
    """What could be moved in a namespace, and since when there was something to gain at every look.

    ``stands``: it was worth asking about before, and stays so until nothing is left to gain. ``automatic``: the
    AutomationPolicy lets so many moves be made without a person.
    """

    since_seconds: float
    defragmentation: Defragmentation
    stands: bool = False
    automatic: bool = False

    @property
    def freed(self) -> int:
        return len(self.defragmentation.repacking.frees)

    @property
    def makes_room(self) -> bool:
        """Whether more of what is likely to be wanted next would find room."""
        room = self.defragmentation.acceptance
        return room is not None and room.after > room.before


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One service. ``window_seconds`` is how long something has to be so before it is called wrong."""

    observation: Observation
    now_seconds: float
    decision: Decision | None = None
    conditions: tuple[Condition, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    profile: Profile | None = None
    profiles: tuple[str, ...] = ()
    """The names of all that there are."""
    gpus: tuple[Gpu, ...] = ()
    classes: Mapping[str, GpuClass] = field(default_factory=lambda: MappingProxyType({}))
    """By GPU product."""
    samples: tuple[Sample, ...] = ()
    """By rising time."""
    slo: tuple[SloStep, ...] = ()
    """By rising time, of each target."""
    history: Series | None = None
    """Requests per second over the last days."""
    pods: tuple[Pod, ...] = ()
    engine: Engine | None = None
    rivals: tuple[str, ...] = ()
    """Autoscalers that aim at the workload or at the service itself."""
    expired: tuple[Expired, ...] = ()
    series: frozenset[str] | None = None
    """Names of the series that Prometheus has of the service; None when it was not asked."""
    prices: tuple[tuple[str, float], ...] | None = None
    """Per hour and GPU product, in the currency of the budget; None when they were not read."""
    fragmented: Fragmented | None = None
    """What moving replicas of its namespace would gain, where this is the service to tell it of."""
    window_seconds: float = 900.0

    @property
    def service(self) -> Service:
        return self.observation.service

    @property
    def own_bounds(self) -> ServiceBounds:
        return self.bounds.of(self.service.key)

    def condition(self, kind: str) -> Condition | None:
        return next((c for c in self.conditions if c.type == kind), None)


def sample_of(
    observation: Observation,
    decision: Decision | None,
    at_seconds: float,
    *,
    price_per_gpu_hour: float | None = None,
    watts: float | None = None,
    throttled: bool | None = None,
) -> Sample:
    """What to remember of a pass. Power and throttling come from the GPUs' own exporter, where there is one."""
    load, option = observation.load, decision.option if decision else None
    each = option.capacity_rps / option.replicas if option and option.replicas else 0.0
    share = option.gpu_share / option.replicas if option and option.replicas else 0.0
    cost = None if price_per_gpu_hour is None else price_per_gpu_hour * share * len(observation.replicas)
    return Sample(
        at_seconds=at_seconds,
        replicas=option.replicas if option else 0,
        ready=observation.ready,
        replica_rps=each or None,
        arrival_rps=_value(load.arrival_rps),
        waiting=_value(load.waiting),
        running=_value(load.running),
        input_tokens=_value(load.input_tokens),
        output_tokens=_value(load.output_tokens),
        cost_per_hour=cost,
        watts=watts,
        throttled=throttled,
    )


def replicas_for(rps: float, replica_rps: float) -> int:
    return max(1, ceil(rps / replica_rps - 1e-9))


def _value(signal: Signal) -> float | None:
    return signal.value if isinstance(signal, Reading) else None
