"""From the targets of a replay to the services that are meant, and the addresses that its Jobs send to.

Pure but for looking up what is there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cynosure.api import InferenceService, ModelProfile, TrafficReplay, parse
from cynosure.api.conditions import Reason
from cynosure.api.inference_service import EngineKind
from cynosure.api.slo import Slo
from cynosure.api.traffic_replay import ReplayTarget
from cynosure.kube.informer import ObjectKey
from cynosure.kube.port import INFERENCE_SERVICES, MODEL_PROFILES, Body, Resource
from cynosure.model.profile import Task
from cynosure.reconcile.replays.hindrance import start
from loadgen.schedule import Kind
from loadgen.targets import Prompt, admit

Lookup = Callable[[Resource, ObjectKey], Body | None]

_PROMPTS: dict[EngineKind, Prompt] = {EngineKind.EMULATED: "count", EngineKind.VLLM: "ids"}


@dataclass(frozen=True, slots=True)
class Subject:
    """One target: what people call it, and what it takes. ``slo`` is its own."""

    name: str
    kind: Kind
    slo: Slo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim(Subject):
    """One that requests are sent to: where, and how they are written."""

    url: str
    model: str | None = None
    prompt: Prompt = "text"
    allowed_hosts: tuple[str, ...] = ()


def aims_of(replay: TrafficReplay, find: Lookup, allowed_hosts: str) -> tuple[Aim, ...]:
    """Raises ``Hindered`` for a target that cannot be, or two that take different requests."""
    allowed = frozenset(host.strip().lower() for host in allowed_hosts.split(",") if host.strip())
    namespace = replay.metadata.namespace
    found = tuple(_aim(target, namespace, find, allowed) for target in replay.spec.targets)
    _check_alike(found)
    return found


def subjects_of(replay: TrafficReplay, find: Lookup) -> tuple[Subject, ...]:
    """The services that the twin stands in for, which need no address. Raises ``Hindered`` as ``aims_of`` does."""
    found = tuple(_subject(target, replay.metadata.namespace, find) for target in replay.spec.targets)
    _check_alike(found)
    return found


def _check_alike(found: Sequence[Subject]) -> None:
    if len({each.kind for each in found}) > 1:
        said = " and ".join(f"{each.name} takes {each.kind.name.lower()}s" for each in found)
        raise start(Reason.NOT_SUPPORTED, f"targets: {said}; two targets get the same schedule, so use one replay each")


def _subject(target: ReplayTarget, namespace: str, find: Lookup) -> Subject:
    if target.service is None:
        raise start(
            Reason.NOT_SUPPORTED,
            f"targets.url: got {target.url}; limit: the twin knows services and their ModelProfiles, and no address; "
            f"use service: NAME, or engine: builtin",
        )
    service = _read(target.service, namespace, find)
    return Subject(target.service, _kind(service, find), service.spec.slo)


def _aim(target: ReplayTarget, namespace: str, find: Lookup, allowed: frozenset[str]) -> Aim:
    if target.url is not None:
        return _address(target.url, allowed)
    return _service(target.service or "", namespace, find)


def _address(url: str, allowed: frozenset[str]) -> Aim:
    try:
        host = (urlsplit(url).hostname or "").lower()
        if host not in allowed:
            works = ", ".join(sorted(allowed)) or "none, so use service: NAME"
            raise start(
                Reason.TARGET_NOT_ALLOWED,
                f"targets.url: got host {host}; limit: CYNOSURE_REPLAY_HOSTS, which has {works}",
            )
        target = admit(url, allowed)
    except ValueError as error:  # BadLoadInput is one
        raise start(Reason.NOT_SUPPORTED, f"targets.url: {error}") from error
    return Aim(url[:253], target.kind, url=target.url, allowed_hosts=(host,))


def _read(name: str, namespace: str, find: Lookup) -> InferenceService:
    body = find(INFERENCE_SERVICES, ObjectKey(namespace, name))
    service = parse(InferenceService, body) if body else None
    if not isinstance(service, InferenceService):
        lack = f"cannot be read: {service.message}" if service else "is not there"
        raise start(Reason.TARGET_MISSING, f"targets.service: InferenceService {name} in namespace {namespace} {lack}")
    return service


def _service(name: str, namespace: str, find: Lookup) -> Aim:
    service = _read(name, namespace, find)
    engine = service.spec.engine
    if engine is None:
        raise start(
            Reason.NOT_SUPPORTED,
            f"targets.service: {name} adopts a Deployment, whose address is not known; use url, and its host in "
            f"CYNOSURE_REPLAY_HOSTS",
        )
    kind = _kind(service, find)
    model = service.spec.model.name
    path = "/v1/completions" if kind is Kind.COMPLETION else f"/v2/models/{model}/infer"
    return Aim(
        name,
        kind,
        service.spec.slo,
        url=f"http://{name}.{namespace}.svc:{engine.port}{path}",
        model=model if kind is Kind.COMPLETION else None,
        prompt=_PROMPTS.get(engine.kind, "text"),
    )


def _kind(service: InferenceService, find: Lookup) -> Kind:
    name = service.spec.model.profile
    body = find(MODEL_PROFILES, ObjectKey("", name))
    profile = parse(ModelProfile, body) if body else None
    if not isinstance(profile, ModelProfile):
        raise start(
            Reason.TARGET_MISSING,
            f"targets.service: {service.metadata.name} has the ModelProfile {name}, which is not there or invalid; "
            f"it says whether text or images are asked for",
        )
    return Kind.COMPLETION if profile.spec.task is Task.TEXT_GENERATION else Kind.CLASSIFICATION
