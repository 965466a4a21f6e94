"""The picture of a pass: the informers' stores and the last metrics, frozen into a Snapshot."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from cynosure.api import GPUClass, InferenceService, Invalid, ModelProfile
from cynosure.kube.caches import Caches
from cynosure.kube.port import (
    DEPLOYMENTS,
    GPU_CLASSES,
    HORIZONTAL_POD_AUTOSCALERS,
    INFERENCE_SERVICES,
    MODEL_PROFILES,
    NODES,
    PODS,
    RESOURCE_CLAIMS,
    RESOURCE_SLICES,
    Body,
)
from cynosure.model.gpu import Backend, Gpu, GpuClass, Slot
from cynosure.model.profile import Profile
from cynosure.model.service import ServiceKey, Target
from cynosure.model.signals import Attained
from cynosure.model.snapshot import Observation, Replica, Snapshot, Workload
from cynosure.observe.catalogue import classes_of
from cynosure.observe.gpus import Device, DeviceKey, Devices, gpus_of, plugin_gpus
from cynosure.observe.lead_time import LeadTimes
from cynosure.observe.parsed import Parsed
from cynosure.observe.replicas import by_service, is_replica, ready_at, service_key, slots_by_pod
from cynosure.observe.services import capacity_gained_at, key_of, last_decision, service_of
from cynosure.observe.signals import Signals
from cynosure.observe.workloads import (
    Autoscaler,
    adopted,
    adopted_replicas,
    adopted_since,
    autoscalers,
    deployments_by_service,
    workload_of,
)
from cynosure.settings import Settings
from cynosure.size.measured import profile_of


@dataclass(frozen=True, slots=True)
class Picture:
    """A snapshot, and what only acting needs of the same moment.

    ``invalid`` are the InferenceServices that cannot be used, with the reason; ``bodies`` holds them too.
    ``deployments`` are ours by service; ``adopted`` are somebody's that a service names by ``spec.workloadRef``.
    """

    snapshot: Snapshot
    services: Mapping[ServiceKey, InferenceService] = field(default_factory=dict)
    model_profiles: Mapping[str, ModelProfile] = field(default_factory=dict)
    invalid: Mapping[ServiceKey, str] = field(default_factory=dict)
    bodies: Mapping[ServiceKey, Body] = field(default_factory=dict)
    deployments: Mapping[ServiceKey, list[Body]] = field(default_factory=dict)
    adopted: Mapping[ServiceKey, Body] = field(default_factory=dict)
    pods: Mapping[ServiceKey, list[Body]] = field(default_factory=dict)
    autoscalers: tuple[Autoscaler, ...] = ()
    backend: Backend = Backend.DRA


class World:
    """What it is given is filled by tasks of their own; a picture is taken between two of their steps.

    ``attained`` tells how many requests of a service met its targets lately, as far as that is known.
    """

    def __init__(
        self,
        caches: Caches,
        signals: Signals,
        settings: Settings,
        clock: Callable[[], float],
        attained: Callable[[ServiceKey], tuple[Attained, ...]] = lambda key: (),
    ) -> None:
        self._caches = caches
        self._signals = signals
        self._attained = attained
        self._settings = settings
        self._clock = clock
        self._devices = Devices()
        self._lead_times = LeadTimes()
        self._services = Parsed(InferenceService)
        self._profiles = Parsed(ModelProfile)
        self._classes = Parsed(GPUClass)

    def services(self) -> dict[ServiceKey, InferenceService]:
        """The valid ones."""
        parsed = self._services.of(self._caches.store(INFERENCE_SERVICES).items())
        return {key_of(s): s for s in parsed.values() if isinstance(s, InferenceService)}

    def promised(self) -> dict[ServiceKey, tuple[Target, ...]]:
        """The targets of each service."""
        return {key: service_of(service).targets for key, service in self.services().items()}

    def targets(self) -> list[Target]:
        """Those of all services, for the signals to ask for."""
        return [target for targets in self.promised().values() for target in targets]

    def picture(self) -> Picture:
        now = self._clock()
        services = self.services()
        pods = [pod for pod in self._caches.store(PODS).items() if is_replica(pod)]
        self._lead_times.observe(pods)
        parts = self._parts(services)
        devices = self._published()
        slots, loose = slots_by_pod(self._caches.store(RESOURCE_CLAIMS).items(), devices)
        replicas = by_service(pods, slots)
        expected = self._expected(pods, now)
        observations = tuple(
            self._observation(key, parts, replicas.get(key, []), expected.get(key, 0)) for key in sorted(services)
        )
        foreign = (*loose, *_of_others(slots, pods))
        profiles = {name: profile_of(profile) for name, profile in parts.model_profiles.items()}
        snapshot = Snapshot(now, observations, self._gpus(devices), foreign, profiles, self._known_classes())
        backend = Backend.DRA if devices else Backend.DEVICE_PLUGIN
        return replace(parts, snapshot=snapshot, backend=backend, pods=_grouped(pods))

    def _parts(self, services: Mapping[ServiceKey, InferenceService]) -> Picture:
        """Everything that comes straight from the stores."""
        deployments = self._caches.store(DEPLOYMENTS)
        bodies = list(self._caches.store(INFERENCE_SERVICES).items())
        profiles = self._profiles.of(self._caches.store(MODEL_PROFILES).items()).values()
        parsed = self._services.of(bodies).values()
        return Picture(
            snapshot=Snapshot(self._clock()),
            services=services,
            model_profiles={p.metadata.name: p for p in profiles if isinstance(p, ModelProfile)},
            invalid={ServiceKey(s.namespace, s.name): s.message for s in parsed if isinstance(s, Invalid)},
            bodies={ServiceKey(b["metadata"]["namespace"], b["metadata"]["name"]): b for b in bodies},
            deployments=deployments_by_service(deployments),
            adopted={key: body for key, s in services.items() if (body := adopted(s, deployments))},
            autoscalers=autoscalers(self._caches.store(HORIZONTAL_POD_AUTOSCALERS).items()),
        )

    def _observation(self, key: ServiceKey, parts: Picture, replicas: list[Replica], expected: int) -> Observation:
        resource = parts.services[key]
        service = service_of(resource)
        measured = parts.model_profiles.get(service.profile)
        profile = profile_of(measured) if measured else None
        workloads = tuple(workload_of(body, parts.autoscalers) for body in parts.deployments.get(key, ()))
        if (adoptee := parts.adopted.get(key)) is not None:
            workloads = (_adopted(resource, adoptee, parts.autoscalers),)
            replicas = list(adopted_replicas(adoptee, workloads[0].partition, self._clock()))
        return Observation(
            service=service,
            load=replace(self._signals.load(key, service.targets, profile, expected), attained=self._attained(key)),
            workloads=workloads,
            replicas=tuple(replicas),
            last=last_decision(resource),
            lead_time_seconds=self._lead_time(key, profile),
            capacity_gained_at_seconds=capacity_gained_at(resource),
        )

    def _lead_time(self, key: ServiceKey, profile: Profile | None) -> float:
        """Measured; before that what the profile says of loading; before that what the settings assume."""
        measured = self._lead_times.p90_seconds(key)
        if measured is not None:
            return measured
        return profile.load_seconds if profile else self._settings.planning.lead_time_seconds

    def _expected(self, pods: Iterable[Body], now: float) -> dict[ServiceKey, int]:
        """Pods that have been ready for so long that they must be in the metrics."""
        counts: dict[ServiceKey, int] = {}
        for pod in pods:
            ready = None if pod["metadata"].get("deletionTimestamp") else ready_at(pod)
            if ready is not None and now - ready > self._settings.prometheus.stale_after_seconds:
                counts[service_key(pod)] = counts.get(service_key(pod), 0) + 1
        return counts

    def _published(self) -> dict[DeviceKey, Device]:
        driver = self._settings.workload.dra_driver
        slices = self._caches.store(RESOURCE_SLICES).items()
        return self._devices.of(body for body in slices if body["spec"]["driver"] == driver)

    def _known_classes(self) -> Mapping[str, GpuClass]:
        parsed = self._classes.of(self._caches.store(GPU_CLASSES).items()).values()
        return classes_of(each for each in parsed if isinstance(each, GPUClass))

    def _gpus(self, devices: Mapping[DeviceKey, Device]) -> tuple[Gpu, ...]:
        nodes = {body["metadata"]["name"]: body for body in self._caches.store(NODES).items()}
        published = gpus_of(devices.values(), nodes)
        shared = {gpu.node for gpu in published}  # one backend per node, or a GPU would count twice
        return (*published, *plugin_gpus(body for name, body in sorted(nodes.items()) if name not in shared))


def _adopted(service: InferenceService, deployment: Body, hpas: tuple[Autoscaler, ...]) -> Workload:
    workload = workload_of(deployment, hpas, adopted_since(service))
    allowed = service.spec.partitions.allowed
    return replace(workload, partition=allowed[0]) if len(allowed) == 1 else workload


def _of_others(slots: Mapping[str, Slot], pods: Iterable[Body]) -> tuple[Slot, ...]:
    ours = {pod["metadata"]["uid"] for pod in pods}
    return tuple(sorted((slot for uid, slot in slots.items() if uid not in ours), key=lambda s: (s.gpu, s.start)))


def _grouped(pods: Iterable[Body]) -> dict[ServiceKey, list[Body]]:
    found: dict[ServiceKey, list[Body]] = {}
    for pod in pods:
        found.setdefault(service_key(pod), []).append(pod)
    return found
