"""One service in one pass: everything that deciding about it may look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.forecast import Forecast
from cynosure.model.gpu import GpuClass
from cynosure.model.mig import geometry_of
from cynosure.model.plan import Option
from cynosure.model.profile import Profile
from cynosure.model.service import BatchJob, Service, Target
from cynosure.model.snapshot import Observation, Workload
from cynosure.plan.allowed import Now
from cynosure.plan.limits import targets_of
from cynosure.plan.tuning import Tuning
from cynosure.size.options import option_for


@dataclass(frozen=True, slots=True)
class Case:
    observation: Observation
    forecast: Forecast | None
    profile: Profile | None
    bounds: Bounds
    products: tuple[str, ...]
    """GPU products of the cluster that the service may use."""
    now_seconds: float
    tuning: Tuning
    classes: Mapping[str, GpuClass] = field(default_factory=lambda: MappingProxyType({}))
    """By GPU product."""

    @property
    def service(self) -> Service:
        return self.observation.service

    @property
    def ready_by_seconds(self) -> float:
        """When what is decided now has taken effect, and the next decision can follow it."""
        return self.now_seconds + self.observation.lead_time_seconds + self.tuning.pass_seconds

    @property
    def now(self) -> Now:
        return Now(self.now_seconds, self.ready_by_seconds, self.replicas, self.classes)

    @property
    def own_bounds(self) -> ServiceBounds:
        return self.bounds.of(self.service.key)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What users are promised."""
        return targets_of(self.service, self.own_bounds)

    @property
    def sizing_targets(self) -> tuple[Target, ...]:
        """What sizing aims at: a little better than promised."""
        return targets_of(self.service, self.own_bounds, self.tuning.latency_headroom)

    @property
    def job(self) -> BatchJob | None:
        """Work that is not due yet; once it is, what is left is a load like any other."""
        batch = self.service.batch
        return batch if batch and self.now_seconds < batch.due_at_seconds else None

    @property
    def workload(self) -> Workload | None:
        """The Deployment that counts: that of the last decision, else the largest."""
        found = self.observation.workloads
        last = self.observation.last
        chosen = [w for w in found if last is not None and w.partition == last.option.partition]
        return chosen[0] if chosen else max(found, key=lambda w: w.replicas, default=None)

    @property
    def is_migrating(self) -> bool:
        return sum(w.replicas > 0 for w in self.observation.workloads) > 1

    @property
    def replicas(self) -> int:
        """What is wanted so far, without what is there only while a replica moves."""
        last, workload = self.observation.last, self.workload
        own = last.own_replicas if last is not None else None
        if own is None or workload is None or workload.foreign_owner is not None:
            return self.running
        return own

    @property
    def running(self) -> int:
        """What is wanted so far: as observed, else as last decided."""
        if self.workload is not None:
            return self.workload.replicas
        last = self.observation.last
        return last.option.replicas if last is not None and not last.dry else 0

    @property
    def standing(self) -> Option | None:
        """What there is, as an option; None before the first decision."""
        last, workload = self.observation.last, self.workload
        if last is not None and (workload is None or workload.partition == last.option.partition):
            return option_for(last.option, self.replicas)
        if workload is None:
            return None
        product = self.products[0] if self.products else ""
        profile = geometry_of(product).profile(workload.partition)
        share = geometry_of(product).gpu_share(workload.partition) if profile else 0.0
        return Option(workload.partition, product, workload.replicas, 0, 0.0, share * workload.replicas)
