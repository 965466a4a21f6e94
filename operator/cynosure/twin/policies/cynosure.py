"""The product itself: the same forecasts and the same ``plan_cluster`` as the operator, driven by simulated time."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import numpy as np

from cynosure.forecast import Horizon, Learner
from cynosure.model.bounds import Bounds
from cynosure.model.forecast import Forecast
from cynosure.model.gpu import Gpu, Slot
from cynosure.model.plan import Action, Decision, Plan
from cynosure.model.service import Service, ServiceKey
from cynosure.model.signals import AbsenceReason, Absent, Load, Reading, Series, Signal
from cynosure.model.snapshot import Observation, Replica, ReplicaPhase, Snapshot, Workload
from cynosure.plan import Tuning, plan_cluster
from cynosure.settings import ForecastSettings, LoopSettings, PrometheusSettings
from cynosure.twin.port import Seen, Setting, Wanted, Window

_KEY: Final = ServiceKey("twin", "service")
_ABSENT: Final = Absent(AbsenceReason.MISSING, "the scenario has no metrics now")


class Cynosure:
    """Asked as often as the operator's loop resyncs; forecasts are fitted anew as often as there."""

    name = "cynosure"

    def __init__(
        self,
        setting: Setting,
        tuning: Tuning | None = None,
        change: Callable[[Service], Service] = lambda service: service,
        bounds: Bounds | None = None,
    ) -> None:
        """``change`` makes the service another one than the setting says, ``bounds`` are those of intents in force."""
        self.latest: tuple[Snapshot, Plan] | None = None
        """What was seen and decided last."""
        self._bounds = bounds or Bounds()
        self.interval_seconds = LoopSettings().resync_seconds
        self._setting = setting
        self._tuning = tuning or Tuning()
        self._metrics, self._learning = PrometheusSettings(), ForecastSettings()
        learning = self._learning
        self._learner = Learner(Horizon(learning.step_seconds, learning.horizon_seconds, learning.season_seconds))
        plain = Service(
            _KEY,
            setting.profile.name,
            setting.targets,
            max_replicas=setting.max_replicas,
            partitions=setting.partitions,
            gpu_products=(setting.gpu_product,),
        )
        self._service = change(plain)
        count = setting.gpus or setting.max_replicas
        self._gpus = tuple(Gpu(f"gpu-{n:04d}", f"node-{n // 8:03d}", n % 8, setting.gpu_product) for n in range(count))
        self._forecast: Forecast | None = None
        self._last: Decision | None = None
        self._leaving: Workload | None = None
        self._gained_at: float | None = None
        self._slots: tuple[Slot, ...] = ()

    def decide(self, seen: Seen) -> Wanted:
        self._refit(seen)
        if seen.ready >= seen.replicas:
            self._leaving = None
        forecasts = {_KEY: self._forecast} if self._forecast else {}
        snapshot = self._snapshot(seen)
        plan = plan_cluster(snapshot, forecasts, self._bounds, self._tuning)
        self.latest = (snapshot, plan)
        self._slots = plan.placement.slots
        decision = next(iter(plan.decisions), None)
        if decision is None:
            return Wanted(seen.replicas)
        if decision.action is Action.UP:
            self._gained_at = seen.now_seconds
        if decision.action is Action.MIGRATE:
            self._leaving = Workload(seen.partition, seen.replicas)
        self._last = decision
        return Wanted(decision.option.replicas, decision.option.partition, f"{decision.reason}: {decision.message}")

    def _refit(self, seen: Seen) -> None:
        made_at = self._forecast.made_at_seconds if self._forecast else -np.inf
        if seen.now_seconds - made_at < self._learning.refit_seconds:
            return
        rates, step = seen.history, seen.history_step_seconds
        times = seen.history_until_seconds - step * np.arange(len(rates) - 1, -1, -1.0)
        known = np.isfinite(rates) & (times > seen.now_seconds - self._learning.history_seconds)
        fitted = self._learner.forecast(Series(times[known], rates[known]), seen.now_seconds)
        self._forecast = fitted or self._forecast

    def _snapshot(self, seen: Seen) -> Snapshot:
        observation = Observation(
            self._service,
            self._load(seen),
            tuple(filter(None, (Workload(seen.partition, seen.replicas), self._leaving))),
            self._replicas(seen),
            self._last,
            self._setting.lead_time_seconds,
            self._gained_at,
        )
        profile = self._setting.profile
        profiles = MappingProxyType({profile.name: profile})
        return Snapshot(seen.now_seconds, (observation,), self._gpus, (), profiles)

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
        now = seen.look(1.0) or window
        surge = seen.look(self._tuning.surge_window_seconds)
        tokens = seen.look(self._metrics.token_window_seconds) or window
        return Load(
            arrival_rps=_reading(window.arrival_rps, seen),
            input_tokens=_reading(_known(tokens.input_tokens, self._setting.input_tokens), seen),
            output_tokens=_reading(_known(tokens.output_tokens, self._setting.output_tokens), seen),
            running=_reading(_total(now, "running"), seen),
            waiting=_reading(_total(now, "waiting"), seen),
            latency=tuple((target, _reading(value, seen)) for target, value in window.latency_milliseconds.items()),
            surge_rps=_reading(surge.arrival_rps, seen) if surge else _ABSENT,
            attained=seen.attained,
        )


def _reading(value: float, seen: Seen) -> Signal:
    if not np.isfinite(value):
        return Absent(AbsenceReason.NAN, "no request finished in the window")
    return Reading(value, seen.now_seconds, "twin")


def _known(value: float, otherwise: float) -> float:
    return value if np.isfinite(value) else otherwise


def _total(window: Window, name: str) -> float:
    return float(getattr(window, name).sum())
