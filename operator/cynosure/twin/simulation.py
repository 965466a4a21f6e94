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
    """What is the same for every policy. ``absent`` are times without metrics; ``replicas`` are ready at the start.

    ``starting`` are ready after the lead time. ``kept`` is how many requests get a line in the ledger.
    """

    setting: Setting
    ground: Ground
    traffic: Traffic
    past: Floats
    replicas: int
    absent: tuple[tuple[float, float], ...] = ()
    starting: int = 0
    kept: int = 0


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


class Simulation:
    """A run that goes from decision to decision: look at ``seen``, ``obey``, until it ``is_over``; ``outcome`` once.

    Before the first window nobody is asked: it would take the start for an absence of metrics.
    """

    def __init__(self, experiment: Experiment, interval_seconds: float) -> None:
        setting = experiment.setting
        self._setting, self._interval = setting, interval_seconds
        self._end = experiment.traffic.seconds
        self._tick = min(SCRAPE_SECONDS, interval_seconds)
        self.tally = tally_for(setting.targets, experiment.kept)
        self._scrapes = Scrapes(setting.targets, self._tick, experiment.absent, experiment.past)
        arrivals = experiment.traffic.chunks()
        self.fleet = Fleet(
            experiment.ground, self.tally, arrivals, setting.partition, experiment.replicas, experiment.starting
        )
        self._rows: list[_Row] = []
        self.now_seconds = self._asked_at = 0.0
        self._scrapes.take(self.fleet, 0.0)
        while self.now_seconds < min(2 * self._tick, self._end):
            self._go_on(Wanted(self.fleet.wanted, self.fleet.partition, "the start"))

    @property
    def is_over(self) -> bool:
        return self.now_seconds >= self._end

    @property
    def seen(self) -> Seen:
        now = self.now_seconds
        ready, starting = self.fleet.counts()
        history, history_until = self._scrapes.history(now)
        return Seen(
            now_seconds=now,
            partition=self.fleet.partition,
            replicas=self.fleet.wanted,
            ready=ready,
            starting=starting,
            window=self._scrapes.window(now, RATE_WINDOW_SECONDS),
            look=lambda seconds: self._scrapes.window(now, seconds),
            history=history,
            history_step_seconds=HISTORY_STEP_SECONDS,
            history_until_seconds=history_until,
            attained=self._scrapes.attained(now),
        )

    def obey(self, wanted: Wanted) -> None:
        """Scale, and go on to the time at which the policy is asked again, or to the end."""
        partition = wanted.partition or self.fleet.partition
        self.fleet.scale(min(max(wanted.replicas, 0), self._setting.max_replicas), partition)
        self._go_on(wanted)

    def outcome(self) -> Outcome:
        """Pay, and give what is in flight its time to end."""
        last = self._counted()
        gpu_hours, joules = self.fleet.finish(GRACE_SECONDS)
        actions = self.fleet.scale_actions
        timeline = self._timeline(last, self._end)
        return Outcome(self.tally, self._end, gpu_hours, joules / 3.6e6, actions, timeline)

    def _go_on(self, wanted: Wanted) -> None:
        self._rows.append(_Row(self.now_seconds, wanted, self.fleet.counts()[0], self._counted()))
        self._asked_at += self._interval
        while self.now_seconds < min(self._asked_at - 1e-9, self._end):
            self.now_seconds = min(self.now_seconds + self._tick, self._end)
            self.fleet.run_until(self.now_seconds)
            self._scrapes.take(self.fleet, self.now_seconds)

    def _counted(self) -> tuple[int, int, int]:
        tally = self.tally
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
    run = Simulation(experiment, policy.interval_seconds)
    while not run.is_over:
        run.obey(policy.decide(run.seen))
    return run.outcome()
