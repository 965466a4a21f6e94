"""What there is: the services that an intent may concern, and the limits of the AutomationPolicy."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cynosure.api import InferenceService, ModelProfile
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.model.service import ServiceKey, Target


@dataclass(frozen=True, slots=True)
class Facts:
    """One picture of the cluster as intents see it; ``services`` are those of all namespaces."""

    services: tuple[InferenceService, ...]
    policy: AutomationPolicySpec = field(default_factory=AutomationPolicySpec)
    profiles: tuple[ModelProfile, ...] = ()

    def service(self, key: ServiceKey) -> InferenceService | None:
        return next((service for service in self.services if key_of(service) == key), None)

    def within(self, namespace: str) -> Iterator[InferenceService]:
        return (service for service in self.services if service.metadata.namespace == namespace)


def key_of(service: InferenceService) -> ServiceKey:
    return ServiceKey(service.metadata.namespace, service.metadata.name)


def replicas_now(service: InferenceService) -> int:
    """What "the present number" means: the pin, else what was decided last, else what exists."""
    decision = service.status.decision
    decided = decision.option.replicas if decision else service.status.replicas
    return service.spec.scale.replicas or decided


def targets_of(service: InferenceService) -> tuple[Target, ...]:
    return tuple(Target(t.metric, float(t.percentile), t.milliseconds) for t in service.spec.slo.targets)
