"""An intent on its way: the status that it is about to get, from its conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cynosure.api import ScalingIntent
from cynosure.api.conditions import Reason, Type
from cynosure.api.intent_status import Phase, ScalingIntentStatus
from cynosure.api.metadata import API_VERSION, ResourceCondition, StatusBase
from cynosure.intents.phase import ORDER, phase_of, ready_of
from cynosure.model.condition import Condition, Status

_MESSAGE = 4096


@dataclass(slots=True)
class Progress:
    intent: ScalingIntent
    now: datetime
    status: ScalingIntentStatus = field(init=False)
    conditions: dict[str, Condition] = field(init=False)

    def __post_init__(self) -> None:
        self.status = self.intent.status
        self.conditions = {c.type: plain(c) for c in self.status.conditions if c.type != Type.READY}

    @property
    def phase(self) -> Phase:
        return phase_of(self.conditions.values())

    def put(self, *conditions: Condition) -> None:
        self.conditions.update({condition.type: condition for condition in conditions})

    def say(self, kind: Type, status: Status, reason: Reason, message: str) -> None:
        self.put(Condition(kind, status, reason, message))

    def back_to(self, kind: Type) -> None:
        """Forget what was said further on the way than ``kind``."""
        for later in ORDER[ORDER.index(kind) + 1 :]:
            self.conditions.pop(later, None)

    def set(self, **fields: object) -> None:
        self.status = self.status.model_copy(update=fields)

    def is_(self, kind: Type, status: Status, reason: Reason | None = None) -> bool:
        found = self.conditions.get(kind)
        return found is not None and found.status is status and reason in (None, found.reason)

    def finished(self) -> ScalingIntent:
        """The intent with its new status. A condition that stays as it was keeps its time of transition."""
        every = [ready_of(self.conditions.values()), *self.conditions.values()]
        status = self.status.model_copy(
            update={
                "observed_generation": self.intent.metadata.generation,
                "phase": self.phase,
                "conditions": stored(every, self.intent.status, self.intent.metadata.generation, self.now),
            }
        )
        return self.intent.model_copy(update={"status": status})


def stored(
    conditions: list[Condition], before: StatusBase, generation: int, now: datetime
) -> tuple[ResourceCondition, ...]:
    old = {condition.type: condition for condition in before.conditions}
    return tuple(_stored(condition, old.get(condition.type), generation, now) for condition in conditions)


def _stored(condition: Condition, old: ResourceCondition | None, generation: int, now: datetime) -> ResourceCondition:
    same = old is not None and old.status is condition.status
    return ResourceCondition(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message[:_MESSAGE],
        last_transition_time=old.last_transition_time if same and old else now,
        observed_generation=generation,
    )


def plain(condition: ResourceCondition) -> Condition:
    return Condition(condition.type, condition.status, condition.reason, condition.message)


def moment(seconds: float) -> datetime:
    """To whole seconds, as the API server keeps times."""
    return datetime.fromtimestamp(int(seconds), UTC)


def status_body(resource: Any, status: StatusBase) -> Mapping[str, Any]:
    """For server-side apply on /status; the resource version makes a write over a newer status a conflict."""
    metadata = resource.metadata
    return {
        "apiVersion": API_VERSION,
        "kind": type(resource).__name__,
        "metadata": {
            "name": metadata.name,
            "namespace": metadata.namespace,
            "resourceVersion": metadata.resource_version,
        },
        "status": status.body(),
    }
