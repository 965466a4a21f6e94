"""A cluster of three services that does what a pass wants of it, as far as moves can see."""

from dataclasses import dataclass, field, replace
from typing import Any

from cynosure.act.victims import victims
from cynosure.model.bounds import Bounds
from cynosure.model.gpu import Slot
from cynosure.model.plan import Decision, Plan
from cynosure.model.repacking import Defragmentation, Scope
from cynosure.model.service import ServiceKey
from cynosure.model.snapshot import Observation, Replica, ReplicaPhase, Snapshot, Workload
from cynosure.plan import Tuning, plan_cluster

from tests.builders.snapshots import CHAT, NOW, gpus, load, observation, profile, service

VISION, CODE = ServiceKey("shop", "vision"), ServiceKey("shop", "code")
EVERYTHING = Scope("shop")
PART = "2g.20gb"


def slot(gpu: int, start: int, key: ServiceKey = CHAT) -> Slot:
    return Slot(f"gpu-{gpu}", start, PART, key)


@dataclass
class World:
    """``at`` is where the replicas of each service stand; all of them serve at first."""

    at: dict[ServiceKey, list[Slot]]
    changes: dict[ServiceKey, dict[str, Any]] = field(default_factory=dict)
    foreign: tuple[Slot, ...] = ()
    gpus: int = 4
    pods: dict[ServiceKey, list[Replica]] = field(init=False)
    wanted: dict[ServiceKey, int] = field(init=False)
    last: dict[ServiceKey, Decision] = field(default_factory=dict)
    born: int = 0

    def __post_init__(self) -> None:
        self.pods = {key: [self._pod(key, s, ReplicaPhase.READY) for s in slots] for key, slots in self.at.items()}
        self.wanted = {key: len(slots) for key, slots in self.at.items()}

    def _pod(self, key: ServiceKey, at: Slot | None, phase: ReplicaPhase = ReplicaPhase.PENDING) -> Replica:
        self.born += 1
        return Replica(f"{key.name}-{self.born}", PART, phase, NOW - 5000 + self.born, at)

    def snapshot(self) -> Snapshot:
        seen = tuple(self._observation(key) for key in self.pods)
        return Snapshot(NOW, seen, gpus(self.gpus), self.foreign, {"llm": profile()})

    def _observation(self, key: ServiceKey) -> Observation:
        count = len(self.at[key])
        what = service(key, partitions=(PART,), min_replicas=count, **self.changes.get(key, {}))
        plain = observation(count, of=what, partition=PART)
        return replace(
            plain,
            load=load(0.1),
            replicas=tuple(self.pods[key]),
            workloads=(Workload(PART, self.wanted[key]),),
            last=self.last.get(key, plain.last),
        )

    def plan(self, bounds: Bounds) -> Plan:
        return plan_cluster(self.snapshot(), {}, bounds, Tuning(stabilisation_seconds=0))

    def proposal(self, scope: Scope = EVERYTHING, bounds: Bounds | None = None) -> Defragmentation:
        found = self.plan(replace(bounds or Bounds(), defragment=scope)).defragmentation
        assert found is not None
        return found

    def act(self, plan: Plan) -> None:
        for decision in plan.decisions:
            if not decision.dry:
                self._scale(decision, plan)

    def _scale(self, decision: Decision, plan: Plan) -> None:
        key, planned = decision.service, [s for s in plan.placement.slots if s.service == decision.service]
        surplus = self.wanted[key] - decision.option.replicas
        gone = {pod.pod for pod in victims(self.pods[key], planned, surplus)}
        self.wanted[key] = decision.option.replicas
        self.pods[key] = [pod for pod in self.pods[key] if pod.pod not in gone]
        while len(self.pods[key]) < self.wanted[key]:
            taken = {pod.slot for pod in self.pods[key]}
            target = plan.move.target if plan.move and plan.move.service == key else None
            self.pods[key].append(self._pod(key, target or next(s for s in planned if s not in taken)))

    def record(self, plan: Plan) -> None:
        self.last = {decision.service: decision for decision in plan.decisions}

    def start(self) -> None:
        """What was pending serves."""
        ready = ReplicaPhase.READY
        self.pods = {key: [replace(pod, phase=ready) for pod in pods] for key, pods in self.pods.items()}

    def ready(self, key: ServiceKey) -> int:
        return sum(pod.phase is ReplicaPhase.READY for pod in self.pods[key])

    def used(self) -> set[str]:
        return {pod.slot.gpu for pods in self.pods.values() for pod in pods if pod.slot}

    def check(self) -> None:
        for key, slots in self.at.items():
            assert self.ready(key) >= len(slots), f"{key} is below its floor"
            assert self.wanted[key] <= len(slots) + 1, f"{key} has more than one surplus replica"
        places = [pod.slot for pods in self.pods.values() for pod in pods]
        assert len(places) == len(set(places)), "two pods in one place"


def holes() -> World:
    """Three services that shrank: five 2g on four GPUs, where two would do."""
    return World(
        {CHAT: [slot(0, 0), slot(1, 4)], VISION: [slot(2, 2, VISION), slot(3, 0, VISION)], CODE: [slot(0, 4, CODE)]}
    )
