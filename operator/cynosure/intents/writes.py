"""Fields of a spec that an intent writes, and how to take them back. Bounds write nothing: they hold while in force."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cynosure.api.inference_service import InferenceService
from cynosure.api.intent_status import Change
from cynosure.intents.effects import Effect, Migration, ModeChange, Pin, ReplicaLimit
from cynosure.intents.facts import Facts
from cynosure.model.service import Mode, ServiceKey

Value = int | str | tuple[str, ...] | None

REPLICAS = "spec.scale.replicas"
MAX = "spec.scale.max"
MODE = "spec.mode"
PARTITIONS = "spec.partitions.allowed"
GPU_PRODUCTS = "spec.partitions.gpuProducts"

_FIELDS: Mapping[str, Callable[[InferenceService], Value]] = {
    REPLICAS: lambda service: service.spec.scale.replicas,
    MAX: lambda service: service.spec.scale.max,
    MODE: lambda service: service.spec.mode.value,
    PARTITIONS: lambda service: service.spec.partitions.allowed,
    GPU_PRODUCTS: lambda service: service.spec.partitions.gpu_products,
}
_WRITING = Pin | ModeChange | Migration | ReplicaLimit


@dataclass(frozen=True, slots=True)
class Write:
    """``path`` of the spec of ``service`` goes from ``before`` to ``after``."""

    service: ServiceKey
    path: str
    before: Value
    after: Value

    @property
    def reverse(self) -> "Write":
        return Write(self.service, self.path, self.after, self.before)


def writes_of(effects: Iterable[Effect], facts: Facts) -> tuple[Write, ...]:
    """What has to be written for ``effects`` to hold; fields that are so already are left out."""
    wanted = (write for effect in effects for write in _writes(effect, facts))
    return tuple(write for write in wanted if write.before != write.after)


def _writes(effect: Effect, facts: Facts) -> Iterator[Write]:
    if not isinstance(effect, _WRITING) or (service := facts.service(effect.service)) is None:
        return
    for path, after in _wanted(effect, service):
        yield Write(effect.service, path, value_at(service, path), after)


def _wanted(
    effect: Pin | ModeChange | Migration | ReplicaLimit, service: InferenceService
) -> Iterator[tuple[str, Value]]:
    match effect:
        case Pin(_, replicas):
            yield REPLICAS, replicas
        case ModeChange(_, mode) if Mode.PAUSED in (mode, service.spec.mode):
            yield MODE, mode.value
        # A bound only tightens: what is above spec.scale.max would allow nothing while that stands.
        case ReplicaLimit(_, _, most) if most is not None and most > service.spec.scale.max:
            yield MAX, most
        case Migration(_, partition, gpu_product):
            yield from ((PARTITIONS, (partition,)),) if partition else ()
            yield from ((GPU_PRODUCTS, (gpu_product,)),) if gpu_product else ()


def value_at(service: InferenceService, path: str) -> Value:
    return _FIELDS[path](service)


def merge_patch(writes: Iterable[Write], resource_version: str) -> dict[str, Any]:
    """One patch for the writes of one object, refused by the server when the object has moved on."""
    patch: dict[str, Any] = {"metadata": {"resourceVersion": resource_version}}
    for write in writes:
        *parents, field = write.path.split(".")
        node = patch
        for parent in parents:
            node = node.setdefault(parent, {})
        node[field] = write.after
    return patch


def by_service(writes: Iterable[Write]) -> Mapping[ServiceKey, tuple[Write, ...]]:
    grouped: dict[ServiceKey, tuple[Write, ...]] = {}
    for write in writes:
        grouped[write.service] = (*grouped.get(write.service, ()), write)
    return grouped


def change_of(write: Write) -> Change:
    return Change(
        kind="InferenceService",
        namespace=write.service.namespace,
        name=write.service.name,
        path=write.path,
        before=json.dumps(write.before),
        after=json.dumps(write.after),
    )


def write_of(change: Change) -> Write | None:
    """The write that a stored change records; None for the bounds among them, which nothing has to restore."""
    if change.path not in _FIELDS:
        return None
    before, after = (None if value is None else _read(value) for value in (change.before, change.after))
    return Write(ServiceKey(change.namespace, change.name), change.path, before, after)


def _read(value: str) -> Value:
    read = json.loads(value)
    return tuple(read) if isinstance(read, list) else read


def recorded(changes: Iterable[Change]) -> tuple[Write, ...]:
    return tuple(write for change in changes if (write := write_of(change)) is not None)


def in_place(write: Write, facts: Facts) -> bool:
    """Whether the value that ``write`` starts from is still the one that stands."""
    service = facts.service(write.service)
    return service is not None and value_at(service, write.path) == write.before
