"""Whole InferenceServices that an intent makes or deletes, and how they come back.

A deletion keeps what it deletes in the undo record. What was changed since by somebody else is not deleted.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cynosure.api import InferenceService, ScalingIntent
from cynosure.api.intent_status import Change, ServiceAction, ServiceChange, Undo
from cynosure.intents.deploying import manifest_of
from cynosure.intents.effects import Creation, Deletion, Effect
from cynosure.intents.facts import Facts
from cynosure.model.service import ServiceKey

INTENT = "cynosure.dev/intent"
"""Label of a service that an intent made: the uid of the intent."""
CREATE, DELETE = ServiceAction.CREATE, ServiceAction.DELETE
_LINE = 253
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def service_changes(effects: Iterable[Effect], intent_uid: str, facts: Facts) -> tuple[ServiceChange, ...]:
    """What ``effects`` make and delete. Raises ``Ungrounded`` for a creation that grounding refuses."""
    return tuple(change for effect in effects if (change := _change(effect, intent_uid, facts)) is not None)


def _change(effect: Effect, intent_uid: str, facts: Facts) -> ServiceChange | None:
    if isinstance(effect, Creation):
        manifest = manifest_of(effect.directive, facts)
        manifest["metadata"] = {**manifest["metadata"], "labels": {INTENT: intent_uid}}
        key = effect.service
        return ServiceChange(action=CREATE, namespace=key.namespace, name=key.name, manifest=manifest)
    if isinstance(effect, Deletion) and (service := facts.service(effect.service)) is not None:
        return ServiceChange(
            action=DELETE,
            namespace=effect.service.namespace,
            name=effect.service.name,
            uid=service.metadata.uid,
            grace_seconds=facts.policy.delete_grace_seconds,
            manifest=_kept(service),
        )
    return None


def _kept(service: InferenceService) -> dict[str, Any]:
    """What makes it anew: without what the server gave the old one."""
    metadata = service.metadata
    annotations = {name: text for name, text in metadata.annotations.items() if name != _LAST_APPLIED}
    texts = {"labels": metadata.labels, "annotations": annotations}
    named = {"name": metadata.name, "namespace": metadata.namespace}
    return {**service.body(), "metadata": {**named, **{name: held for name, held in texts.items() if held}}}


def place(change: ServiceChange) -> ServiceKey:
    return ServiceKey(change.namespace, change.name)


def reverse(change: ServiceChange) -> ServiceChange:
    return change.model_copy(update={"action": DELETE if change.action == CREATE else CREATE})


def committed(undo: Undo | None) -> tuple[ServiceChange, ...]:
    """What an undo record says that its intent makes and deletes."""
    return tuple(map(reverse, undo.services)) if undo else ()


def leaving(undo: Undo | None) -> tuple[ServiceChange, ...]:
    """Those that go once their time of grace is over."""
    return tuple(c for c in committed(undo) if c.action == DELETE and c.grace_seconds is not None)


def stands(change: ServiceChange, service: InferenceService) -> bool:
    """Whether ``service`` is as ``change`` has recorded it, and of the same intent if of any."""
    recorded = InferenceService.model_validate(change.manifest)
    same_maker = service.metadata.labels.get(INTENT) == recorded.metadata.labels.get(INTENT)
    return same_maker and service.spec == recorded.spec and change.uid in (None, service.metadata.uid)


def is_there(change: ServiceChange, facts: Facts) -> bool:
    """Whether what ``change`` would make is there already: the very object, or one like it."""
    service = facts.service(place(change))
    return service is not None and (service.metadata.uid == change.uid or stands(change, service))


def given_back(
    ended: Iterable[ScalingIntent], own: Iterable[ServiceKey], facts: Facts
) -> tuple[tuple[ServiceChange, ...], tuple[str, ...]]:
    """What taking ``ended`` back makes and deletes, and in words what it leaves; ``own`` are others' to decide."""
    taken = set(own)
    recorded = [change for other in ended if other.status.undo for change in other.status.undo.services]
    changes = [change for change in recorded if place(change) not in taken]
    found = {place(change): facts.service(place(change)) for change in changes}
    wanted: list[ServiceChange] = []
    left: list[str] = []
    for change in changes:
        service = found[place(change)]
        if change.action == CREATE and service is not None and not is_there(change, facts):
            left.append(f"{place(change)} was made anew by somebody else, and stays as it is")
        elif change.action == CREATE or (service is not None and stands(change, service)):
            wanted.append(change)
        elif service is not None:
            left.append(
                f"{place(change)} stays, as somebody else has changed it: {', '.join(changed(change, service))}"
            )
    return tuple(wanted), tuple(left)


def changed(change: ServiceChange, service: InferenceService) -> tuple[str, ...]:
    """The fields of the spec, of those at its top, that differ from what is recorded."""
    old, new = InferenceService.model_validate(change.manifest).spec.body(), service.spec.body()
    fields = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return tuple(f"spec.{name}" for name in fields) or ("another object of its name",)


def to_make(changes: Iterable[ServiceChange], facts: Facts) -> tuple[ServiceChange, ...]:
    return tuple(change for change in changes if change.action == CREATE and not is_there(change, facts))


def to_delete(changes: Iterable[ServiceChange]) -> frozenset[ServiceKey]:
    return frozenset(place(change) for change in changes if change.action == DELETE)


def identity(change: ServiceChange) -> Sequence[object]:
    """What an approver has to have seen of it."""
    return [change.action, str(place(change)), change.uid, change.grace_seconds, change.manifest["spec"]]


def lines(change: ServiceChange) -> Iterator[Change]:
    """As lines of a diff, one for each field at the top of the spec, without what is as by default."""
    spec = InferenceService.model_validate(change.manifest).spec
    stated = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    for field, value in sorted(stated.items()):
        text = _cut(json.dumps(value, sort_keys=True))
        before, after = (None, text) if change.action == CREATE else (text, None)
        yield Change(
            kind="InferenceService",
            namespace=change.namespace,
            name=change.name,
            path=f"spec.{field}",
            before=before,
            after=after,
        )


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else text[: _LINE - 1] + "…"


def sentences(changes: Iterable[ServiceChange], origins: Mapping[ServiceKey, str], facts: Facts) -> Iterator[str]:
    for change in changes:
        key = place(change)
        if change.action == CREATE and is_there(change, facts):
            yield f"{key}: is still there, and stays untouched."
        elif change.action == CREATE:
            yield f"{key}: is made, {origins.get(key, 'as the undo record keeps it')}."
        elif change.grace_seconds is None:
            yield f"{key}: is deleted at once, with its pods."
        else:
            yield (
                f"{key}: stays untouched for {change.grace_seconds} s once it is applied, and an undo keeps it; then it"
                " is deleted with its pods, and an undo makes it anew, without its status."
            )
        yield from _adopted(change)


def _adopted(change: ServiceChange) -> Iterator[str]:
    adopted = change.manifest["spec"].get("workloadRef")
    if adopted and change.action == DELETE:
        yield f"{place(change)}: Deployment {adopted['name']} is not ours, and stays with its replicas."
