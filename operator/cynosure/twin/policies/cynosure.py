"""The product itself: the same forecasts and the same ``plan_cluster`` as the operator, driven by simulated time."""

from dataclasses import replace
from typing import Final

import numpy as np

from cynosure.model.plan import Action, Plan
from cynosure.model.signals import AbsenceReason, Absent, Load, Reading, Signal
from cynosure.model.snapshot import Replica, ReplicaPhase, Snapshot, Workload
from cynosure.plan import Tuning, plan_cluster
from cynosure.twin.foresight import Foresight
from cynosure.twin.port import Seen, Setting, Wanted, Window
from cynosure.twin.site import Site, imagined

_ABSENT: Final = Absent(AbsenceReason.MISSING, "the scenario has no metrics now")


class Cynosure:
    """Asked as often as the operator's loop resyncs; forecasts are fitted anew as often as there."""

    name = "cynosure"

    def __init__(self, setting: Setting, tuning: Tuning | None = None, site: Site | None = None) -> None:
        site = self._site = site or imagined(setting, tuning or Tuning())
        self.latest: tuple[Snapshot, Plan] | None = None
        """What was seen and decided last."""
        self.interval_seconds = site.resync_seconds
        self._setting = setting
        self._start, observed = site.snapshot.now_seconds, site.observed
        self._key = observed.service.key
        self._foresight = Foresight(site.forecasting, self._start)
        self._last = observed.last
        self._leaving: Workload | None = None
        self._gained_at = observed.capacity_gained_at_seconds
        self._slots = tuple(replica.slot for replica in observed.replicas if replica.slot is not None)

    def decide(self, seen: Seen) -> Wanted:
        now = self._start + seen.now_seconds
        forecast = self._foresight.at(seen)
        if seen.ready >= seen.replicas:
            self._leaving = None
        forecasts = {self._key: forecast} if forecast else {}
        snapshot = self._snapshot(seen)
        plan = plan_cluster(snapshot, forecasts, self._site.bounds, self._site.tuning)
        self.latest = snapshot, plan
        self._slots = plan.placement.slots
        decision = next(iter(plan.decisions), None)
        if decision is None:
            return Wanted(seen.replicas)
        self._last = decision
        reason = f"{decision.reason}: {decision.message}"
        if decision.dry:
            return Wanted(seen.replicas, reason=reason)
        if decision.action is Action.UP:
            self._gained_at = now
        if decision.action is Action.MIGRATE:
            self._leaving = Workload(seen.partition, seen.replicas)
        return Wanted(decision.option.replicas, decision.option.partition, reason)

    def _snapshot(self, seen: Seen) -> Snapshot:
        owner = next((workload.foreign_owner for workload in self._site.observed.workloads), None)
        observation = replace(
            self._site.observed,
            load=self._load(seen),
            workloads=tuple(filter(None, (Workload(seen.partition, seen.replicas, owner), self._leaving))),
            replicas=self._replicas(seen),
            last=self._last,
            capacity_gained_at_seconds=self._gained_at,
        )
        return replace(self._site.snapshot, now_seconds=self._start + seen.now_seconds, observations=(observation,))

    def _replicas(self, seen: Seen) -> tuple[Replica, ...]:
        """In the places that the last plan gave them: the twin's fleet has none of its own."""
        slots = iter([slot for slot in self._slots if slot.partition == seen.partition])
        phases = [ReplicaPhase.READY] * seen.ready + [ReplicaPhase.PENDING] * seen.starting
        return tuple(
            Replica(f"pod-{n}", seen.partition, phase, 0.0, next(slots, None)) for n, phase in enumerate(phases)
        )

    def _load(self, seen: Seen) -> Load:
        window = seen.window
        if window is None:
            return Load(_ABSENT, _ABSENT, _ABSENT, _ABSENT, _ABSENT, tuple((t, _ABSENT) for t in self._setting.targets))
        at = self._start + seen.now_seconds
        now = seen.look(1.0) or window
        surge = seen.look(self._site.tuning.surge_window_seconds)
        tokens = seen.look(self._site.token_window_seconds) or window
        return Load(
            arrival_rps=_reading(window.arrival_rps, at),
            input_tokens=_reading(_known(tokens.input_tokens, self._setting.input_tokens), at),
            output_tokens=_reading(_known(tokens.output_tokens, self._setting.output_tokens), at),
            running=_reading(_total(now, "running"), at),
            waiting=_reading(_total(now, "waiting"), at),
            latency=tuple((target, _reading(value, at)) for target, value in window.latency_milliseconds.items()),
            surge_rps=_reading(surge.arrival_rps, at) if surge else _ABSENT,
            attained=seen.attained,
        )


def _reading(value: float, at_seconds: float) -> Signal:
    if not np.isfinite(value):
        return Absent(AbsenceReason.NAN, "no request finished in the window")
    return Reading(value, at_seconds, "twin")


def _known(value: float, otherwise: float) -> float:
    return value if np.isfinite(value) else otherwise


def _total(window: Window, name: str) -> float:
    return float(getattr(window, name).sum())
