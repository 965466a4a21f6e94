"""One service where it stands, in the cluster or imagined: what the product knows beyond what every policy is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from cynosure.errors import BadInput
from cynosure.model.bounds import Bounds
from cynosure.model.gpu import Gpu
from cynosure.model.plan import Option
from cynosure.model.profile import Profile
from cynosure.model.service import Service, ServiceKey
from cynosure.model.signals import AbsenceReason, Absent, Load
from cynosure.model.snapshot import Observation, ReplicaPhase, Snapshot
from cynosure.plan import Tuning
from cynosure.settings import ForecastSettings, LoopSettings, PrometheusSettings, Settings
from cynosure.twin.port import Setting

_ABSENT: Final = Absent(AbsenceReason.MISSING, "nothing was simulated yet")
NO_LOAD: Final = Load(_ABSENT, _ABSENT, _ABSENT, _ABSENT, _ABSENT)


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """``snapshot`` holds the service alone, as it is when simulated time begins; what others have is foreign.

    ``bounds`` hold all the time. Everything in it can be pickled.
    """

    snapshot: Snapshot
    bounds: Bounds = field(default_factory=Bounds)
    tuning: Tuning = field(default_factory=Tuning)
    forecasting: ForecastSettings = field(default_factory=ForecastSettings)
    token_window_seconds: float = PrometheusSettings().token_window_seconds
    resync_seconds: float = LoopSettings().resync_seconds

    @property
    def observed(self) -> Observation:
        return self.snapshot.observations[0]

    @property
    def service(self) -> Service:
        return self.observed.service

    @property
    def profile(self) -> Profile:
        return self.snapshot.profiles[self.service.profile]

    @property
    def gpu_product(self) -> str:
        """The one that it stands on, or was decided for, else any that it may use; the twin keeps to it.

        :raises BadInput: the profile has no point on a GPU that the service may use.
        """
        measured = {point.gpu for point in self.profile.points}
        allowed = measured & set(self.service.gpu_products or measured)
        if self.service.confidential:
            allowed &= {product for product, found in self.snapshot.classes.items() if found.confidential}
        found = next((product for product in self._products() if product in allowed), None)
        if found is None:
            raise BadInput(
                f"{self.service.key}: no usable GPU of the cluster is one that ModelProfile {self.profile.name} was "
                f"measured on and the service may use ({', '.join(sorted(allowed)) or 'none'})"
            )
        return found

    @property
    def partitions(self) -> tuple[str, ...]:
        """Those that were measured on the product, and may be used. :raises BadInput: there is none."""
        product = self.gpu_product
        measured = {point.partition for point in self.profile.points if point.gpu == product}
        allowed = measured & set(self.service.partitions or measured)
        if not allowed:
            raise BadInput(
                f"{self.service.key}: ModelProfile {self.profile.name} has no point on {product} for "
                f"{', '.join(self.service.partitions)}; it has {', '.join(sorted(measured))}"
            )
        return tuple(sorted(allowed))

    @property
    def partition(self) -> str:
        """Where most of its replicas are, or were decided to be, else the first that it may use."""
        standing = [r.partition for r in self.observed.replicas if r.phase is not ReplicaPhase.DRAINING]
        decided = [self.observed.last.option.partition] if self.observed.last else []
        ordered = [*sorted(standing, key=standing.count, reverse=True), *decided, *self.partitions]
        return next(partition for partition in ordered if partition in self.partitions)

    def count(self, phase: ReplicaPhase) -> int:
        """Replicas of ``partition`` in a phase."""
        return sum(r.phase is phase and r.partition == self.partition for r in self.observed.replicas)

    def _products(self) -> Iterator[str]:
        known = {gpu.uuid: gpu.product for gpu in self.snapshot.gpus}
        yield from (known[r.slot.gpu] for r in self.observed.replicas if r.slot and r.slot.gpu in known)
        products = sorted({gpu.product for gpu in self.snapshot.gpus if gpu.usable})
        if self.observed.last and self.observed.last.option.gpu_product in products:
            yield self.observed.last.option.gpu_product
        yield from products


def site_of(
    snapshot: Snapshot,
    key: ServiceKey,
    bounds: Bounds,
    tuning: Tuning,
    settings: Settings,
) -> Site:
    """Single out one service of a cluster. :raises BadInput: it cannot be simulated there."""
    observed = next((o for o in snapshot.observations if o.service.key == key), None)
    if observed is None:
        raise BadInput(f"{key}: the operator does not know it as a valid InferenceService; see its conditions")
    if observed.service.batch is not None:
        raise BadInput(f"{key}: is a job with a deadline, which no request asks for; use engine: builtin")
    profile = snapshot.profiles.get(observed.service.profile)
    if profile is None:
        raise BadInput(f"{key}: there is no valid ModelProfile {observed.service.profile}, which the twin rests on")
    others = [o for o in snapshot.observations if o is not observed]
    slots = [replace(r.slot, service=None) for o in others for r in o.replicas if r.slot is not None]
    alone = replace(
        snapshot,
        observations=(observed,),
        foreign=(*snapshot.foreign, *slots),
        profiles={profile.name: profile},
        classes=dict(snapshot.classes),
    )
    mine = _left(bounds, key, [o.last.option for o in others if o.last], len({slot.gpu for slot in slots}))
    site = Site(
        alone, mine, tuning, settings.forecast, settings.prometheus.token_window_seconds, settings.loop.resync_seconds
    )
    kept = replace(observed.service, gpu_products=(site.gpu_product,), partitions=site.partitions)
    return replace(site, snapshot=replace(alone, observations=(replace(observed, service=kept),)))


def imagined(setting: Setting, tuning: Tuning) -> Site:
    """A service with nothing beside it, on as many GPUs as it could ever need, at time 0."""
    service = Service(
        ServiceKey("twin", "service"),
        setting.profile.name,
        setting.targets,
        max_replicas=setting.max_replicas,
        partitions=setting.partitions,
        gpu_products=(setting.gpu_product,),
    )
    count = setting.gpus or setting.max_replicas
    gpus = tuple(Gpu(f"gpu-{n:04d}", f"node-{n // 8:03d}", n % 8, setting.gpu_product) for n in range(count))
    observed = Observation(service, NO_LOAD, lead_time_seconds=setting.lead_time_seconds)
    profiles = MappingProxyType({setting.profile.name: setting.profile})
    return Site(Snapshot(0.0, (observed,), gpus, (), profiles), tuning=tuning)


def _left(bounds: Bounds, key: ServiceKey, others: Sequence[Option], gpus: int) -> Bounds:
    """What limits of all services together leave to one, as the others stand still."""
    watts = sum(option.watts for option in others)
    cost = sum(option.cost_per_hour or 0.0 for option in others)
    return replace(
        bounds,
        services={key: bounds.of(key)},
        max_gpus=None if bounds.max_gpus is None else max(0, bounds.max_gpus - gpus),
        max_watts=None if bounds.max_watts is None else max(0.0, bounds.max_watts - watts),
        max_cost_per_hour=None if bounds.max_cost_per_hour is None else max(0.0, bounds.max_cost_per_hour - cost),
    )
