"""One policy on one load: asked at its interval, obeyed after the lead time, judged by every request."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.fleet import Fleet, Ground
from cynosure.twin.port import Policy, Seen, Setting, Wanted
from cynosure.twin.scrapes import HISTORY_STEP_SECONDS, Scrapes
from cynosure.twin.tally import FINISHED, OFFERED, Tally, tally_for
from cynosure.twin.traffic import Traffic

SCRAPE_SECONDS: Final = 15.0
"""Of Prometheus; a policy that is asked more often reads its metrics as often itself."""
RATE_WINDOW_SECONDS: Final = 60.0
"""Of the window that every policy is given; four scrapes."""
GRACE_SECONDS: Final = 600.0
"""Requests in flight at the end may take so long; later ones are unfinished, which is missed."""


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """What is the same for every policy. ``absent`` are times without metrics; ``replicas`` are ready at the start."""

    setting: Setting
    ground: Ground
    traffic: Traffic
    past: Floats
    replicas: int
    absent: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """One row for each time that the policy was asked: what it led to until the next."""

    at_seconds: Floats
    arrival_rps: Floats
    wanted: Floats
    ready: Floats
    partition: tuple[str, ...]
    attainment: Floats
    """Of the requests that finished; NaN when none did."""
    reason: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    tally: Tally
    seconds: float
    gpu_hours: float
    energy_kwh: float
    scale_actions: int
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class _Row:
    """``counted`` so far: requests offered, finished, and finished within every target."""

    at_seconds: float
    wanted: Wanted
    ready: int
    counted: tuple[int, int, int]


class _Run:
    def __init__(self, experiment: Experiment, policy: Policy) -> None:
        setting = experiment.setting
        self._setting, self._policy = setting, policy
        self._tick = min(SCRAPE_SECONDS, policy.interval_seconds)
        self._tally = tally_for(setting.targets)
        self._scrapes = Scrapes(setting.targets, self._tick, experiment.absent, experiment.past)
        arrivals = experiment.traffic.chunks()
        self._fleet = Fleet(experiment.ground, self._tally, arrivals, setting.partition, experiment.replicas)
        self._rows: list[_Row] = []

    def until(self, end: float) -> Outcome:
        now, ask_at = 0.0, 0.0
        self._scrapes.take(self._fleet, now)
        while now < end:
            if now >= ask_at - 1e-9:
                self._rows.append(self._asked(now))
                ask_at += self._policy.interval_seconds
            now = min(now + self._tick, end)
            self._fleet.run_until(now)
            self._scrapes.take(self._fleet, now)
        last = self._counted()
        gpu_hours, joules = self._fleet.finish(GRACE_SECONDS)
        actions = self._fleet.scale_actions
        return Outcome(self._tally, end, gpu_hours, joules / 3.6e6, actions, self._timeline(last, end))

    def _asked(self, now: float) -> _Row:
        """Before the first window no policy is asked: it would take the start for an absence of metrics."""
        if now < 2 * self._tick:
            wanted = Wanted(self._fleet.wanted, self._fleet.partition, "the start")
        else:
            wanted = self._policy.decide(self._seen(now))
            partition = wanted.partition or self._fleet.partition
            self._fleet.scale(min(max(wanted.replicas, 0), self._setting.max_replicas), partition)
        return _Row(now, wanted, self._fleet.counts()[0], self._counted())

    def _seen(self, now: float) -> Seen:
        ready, starting = self._fleet.counts()
        history, history_until = self._scrapes.history(now)
        return Seen(
            now_seconds=now,
            partition=self._fleet.partition,
            replicas=self._fleet.wanted,
            ready=ready,
            starting=starting,
            window=self._scrapes.window(now, RATE_WINDOW_SECONDS),
            look=lambda seconds: self._scrapes.window(now, seconds),
            history=history,
            history_step_seconds=HISTORY_STEP_SECONDS,
            history_until_seconds=history_until,
            attained=self._scrapes.attained(now),
        )

    def _counted(self) -> tuple[int, int, int]:
        tally = self._tally
        return int(tally.counts[OFFERED]), int(tally.counts[FINISHED]), int(tally.met[-1])

    def _timeline(self, last: tuple[int, int, int], end: float) -> Timeline:
        at = np.array([row.at_seconds for row in self._rows])
        offered, finished, met = np.diff(np.array([*(row.counted for row in self._rows), last]), axis=0).T
        return Timeline(
            at_seconds=at,
            arrival_rps=offered / np.diff(np.append(at, end)),
            wanted=np.array([row.wanted.replicas for row in self._rows], dtype=np.float64),
            ready=np.array([row.ready for row in self._rows], dtype=np.float64),
            partition=tuple(row.wanted.partition for row in self._rows),
            attainment=np.where(finished > 0, met / np.maximum(finished, 1), np.nan),
            reason=tuple(row.wanted.reason for row in self._rows),
        )


def simulate(experiment: Experiment, policy: Policy) -> Outcome:
    """Run a policy. The same experiment and policy give the same outcome, and every policy gets the same requests."""
    return _Run(experiment, policy).until(experiment.traffic.seconds)
