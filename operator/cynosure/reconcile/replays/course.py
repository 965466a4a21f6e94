"""A replay on its course: the status that it is about to get."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cynosure.api import TrafficReplay
from cynosure.api.conditions import Reason, Type
from cynosure.api.traffic_replay import ReplayEngine, TrafficReplayStatus
from cynosure.model.condition import Condition, Status
from cynosure.reconcile.lifecycle.progress import plain, stored
from cynosure.reconcile.replays.hindrance import LASTING, Hindered

_WHOLE = frozenset({Reason.FINISHED, Reason.SIMULATED})


@dataclass(slots=True)
class Course:
    replay: TrafficReplay
    now: datetime
    status: TrafficReplayStatus = field(init=False)
    conditions: dict[str, Condition] = field(init=False)

    def __post_init__(self) -> None:
        self.status = self.replay.status
        self.conditions = {c.type: plain(c) for c in self.status.conditions}

    @property
    def is_sending(self) -> bool:
        """Its Jobs were made: from then on none is made again. Or it is simulated."""
        started = self.conditions.get(Type.STARTED)
        return started is not None and started.status is Status.TRUE

    @property
    def is_simulated(self) -> bool:
        return self.replay.spec.engine is ReplayEngine.TWIN

    @property
    def is_given_up(self) -> bool:
        """Hindered by its own spec, which is as it was."""
        complete = self.conditions.get(Type.COMPLETE)
        same = self.status.observed_generation == self.replay.metadata.generation
        return same and complete is not None and complete.reason in LASTING

    @property
    def is_over(self) -> bool:
        return self.status.finished_at is not None

    @property
    def is_expired(self) -> bool:
        ended, keep = self.status.finished_at, self.replay.spec.ttl_seconds_after_finished
        return ended is not None and (self.now - ended).total_seconds() >= keep

    def say(self, kind: Type, status: Status, reason: Reason, message: str) -> None:
        self.conditions[kind] = Condition(kind, status, reason, message)

    def set(self, **fields: Any) -> None:
        self.status = self.status.model_copy(update=fields)

    def hindered(self, by: Hindered) -> None:
        self.conditions = {kind: c for kind, c in self.conditions.items() if c.status is Status.TRUE}
        for kind in (by.type, Type.COMPLETE):
            self.say(kind, Status.FALSE, by.reason, str(by))

    def prepared(self, trace: str, message: str) -> None:
        self.say(Type.TRACE_FOUND, Status.TRUE, Reason.TRACE_READ, trace)
        for kind in (Type.STARTED, Type.COMPLETE):
            self.say(kind, Status.UNKNOWN, Reason.PREPARING, message)

    def sending(self, message: str) -> None:
        self.say(Type.STARTED, Status.TRUE, Reason.SENDING, message)
        self.say(Type.COMPLETE, Status.UNKNOWN, Reason.SENDING, message)

    def simulating(self, trace: str, message: str) -> None:
        self.say(Type.TRACE_FOUND, Status.TRUE, Reason.TRACE_READ, trace)
        self.say(Type.STARTED, Status.TRUE, Reason.SIMULATING, message)
        self.say(Type.COMPLETE, Status.UNKNOWN, Reason.SIMULATING, message)

    def ended(self, reason: Reason, message: str, at: datetime) -> None:
        """Only a whole schedule is good; a replay that was cancelled before it sent anything has not started."""
        started = Status.TRUE if self.is_sending else Status.FALSE
        self.say(Type.STARTED, started, reason, message)
        self.say(Type.COMPLETE, Status.TRUE if reason in _WHOLE else Status.FALSE, reason, message)
        self.set(finished_at=at)

    def finished(self) -> TrafficReplayStatus:
        """The whole status; a condition that stays as it was keeps its time of transition."""
        generation = self.replay.metadata.generation
        conditions = stored(list(self.conditions.values()), self.replay.status, generation, self.now)
        return self.status.model_copy(update={"observed_generation": generation, "conditions": conditions})
