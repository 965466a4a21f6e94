"""What the lifecycle reads before a round: services, intents, approvals, the policy, and whether names are proven."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from cynosure.api import (
    AutomationPolicy,
    InferenceService,
    IntentApproval,
    Invalid,
    ModelProfile,
    ScalingIntent,
    parse,
)
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.intent_status import Phase
from cynosure.api.metadata import Resource as Kind
from cynosure.errors import NotFound
from cynosure.intents.bounds import is_applied
from cynosure.intents.facts import Facts, key_of
from cynosure.intents.phase import CLOSED
from cynosure.kube.port import (
    AUTOMATION_POLICIES,
    INFERENCE_SERVICES,
    INTENT_APPROVALS,
    MODEL_PROFILES,
    SCALING_INTENTS,
    KubeApi,
    Resource,
)
from cynosure.model.service import ServiceKey

_ADMISSION = "admissionregistration.k8s.io"
_POLICIES = Resource(_ADMISSION, "v1", "validatingadmissionpolicies", namespaced=False)
_BINDINGS = Resource(_ADMISSION, "v1", "validatingadmissionpolicybindings", namespaced=False)
STAMPS = ("cynosure-requested-by", "cynosure-approver")
"""Policies of the chart, and their bindings, that let nobody write another name than their own."""

K = TypeVar("K", bound=Kind)
Key = tuple[str, str]


@dataclass(slots=True)
class Picture:
    """Kept up to date with the lifecycle's own writes during a round; everything else is of its beginning."""

    services: list[InferenceService]
    intents: dict[Key, ScalingIntent]
    approvals: list[IntentApproval]
    policy: AutomationPolicySpec = field(default_factory=AutomationPolicySpec)
    stamped_since: datetime | None = None
    profiles: tuple[ModelProfile, ...] = ()

    @property
    def facts(self) -> Facts:
        return Facts(tuple(self.services), self.policy, self.profiles)

    def put_service(self, body: Mapping[str, Any]) -> None:
        service = parse(InferenceService, body)
        if isinstance(service, InferenceService):
            others = (other for other in self.services if key_of(other) != key_of(service))
            self.services = [*others, service]

    def drop_service(self, gone: ServiceKey) -> None:
        self.services = [service for service in self.services if key_of(service) != gone]

    def put_approval(self, body: Mapping[str, Any]) -> None:
        approval = parse(IntentApproval, body)
        if isinstance(approval, IntentApproval):
            self.approvals = [approval if key(other) == key(approval) else other for other in self.approvals]

    def put_intent(self, intent: ScalingIntent) -> None:
        self.intents[key(intent)] = intent


def is_open(intent: ScalingIntent) -> bool:
    """Whether it is still to be read or planned; a refused plan is made again."""
    return not is_applied(intent) and intent.status.phase not in CLOSED - {Phase.REFUSED}


def key(resource: Kind) -> Key:
    return resource.metadata.namespace, resource.metadata.name


async def read(kube: KubeApi) -> Picture:
    """Objects that cannot be parsed are left out: their own conditions say so elsewhere.

    A fleet without intents is not read: its services are many, and nobody asks about them. Nor is the catalogue once
    all intents are in force or over.
    """
    intents = await _all(kube, SCALING_INTENTS, ScalingIntent)
    services = await _all(kube, INFERENCE_SERVICES, InferenceService) if intents else []
    open_intents = [intent for intent in intents if is_open(intent)]
    profiles = await _all(kube, MODEL_PROFILES, ModelProfile) if open_intents else []
    approvals = await _all(kube, INTENT_APPROVALS, IntentApproval)
    policies = await _all(kube, AUTOMATION_POLICIES, AutomationPolicy)
    return Picture(
        services=services,
        intents={key(intent): intent for intent in sorted(intents, key=_age)},
        approvals=sorted(approvals, key=_age),
        policy=policies[0].spec if policies else AutomationPolicySpec(),
        stamped_since=await _stamped_since(kube) if approvals else None,
        profiles=tuple(profiles),
    )


async def _all(kube: KubeApi, resource: Resource, kind: type[K]) -> list[K]:
    found: Iterable[K | Invalid] = (parse(kind, body) for body in (await kube.list(resource)).items)
    return [one for one in found if not isinstance(one, Invalid) and one.metadata.deletion_timestamp is None]


def _age(resource: Kind) -> tuple[str, Key]:
    born = resource.metadata.creation_timestamp
    return born.isoformat() if born else "", key(resource)


async def _stamped_since(kube: KubeApi) -> datetime | None:
    """When the youngest of the admission policies and bindings was made; None when one is not there."""
    try:
        policies = [await kube.get(_POLICIES, name) for name in STAMPS]
        bindings = [await kube.get(_BINDINGS, name) for name in STAMPS]
    except NotFound:
        return None
    denying = all("Deny" in body["spec"].get("validationActions", ()) for body in bindings)
    closed = all(body["spec"].get("failurePolicy", "Fail") == "Fail" for body in policies)
    born = [datetime.fromisoformat(body["metadata"]["creationTimestamp"]) for body in policies + bindings]
    return max(born) if denying and closed else None
