"""A Gymnasium environment over the twin: a TrafficReplay to train a policy on, instead of sending it.

It needs ``pip install 'cynosure[train]'``. The simulation is the one that ``cynosure simulate`` and ``engine: twin``
run, asked as often as the operator plans.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import gymnasium
import numpy as np
import yaml
from gymnasium import spaces

from cynosure.api import InferenceService, Invalid, ModelProfile, TrafficReplay, parse
from cynosure.api.metadata import Resource
from cynosure.errors import BadInput
from cynosure.model.bounds import Bounds
from cynosure.model.condition import Status
from cynosure.model.gpu import Gpu
from cynosure.model.profile import Profile, Task
from cynosure.model.snapshot import Observation, Replica, ReplicaPhase, Snapshot
from cynosure.observe.services import service_of
from cynosure.plan import Tuning, plan_cluster
from cynosure.reconcile.replays.schedules import from_name
from cynosure.reconcile.replays.users import with_users
from cynosure.settings import Settings
from cynosure.size.measured import profile_of
from cynosure.twin.foresight import Foresight
from cynosure.twin.observation import ABSENT, HIGHEST, Vector, names, vector
from cynosure.twin.port import Seen, Setting, Wanted
from cynosure.twin.replayed import experiment_of
from cynosure.twin.simulation import Outcome, Simulation
from cynosure.twin.site import NO_LOAD, Site, site_of
from cynosure.twin.tally import DROPPED, FINISHED, OFFERED
from loadgen.schedule import Kind, Schedule

Document = Mapping[str, Any] | Path | str
"""A manifest, or the file that holds it."""
Action = Any
"""An integer, or two of them."""
_R = TypeVar("_R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a step costs, in one currency: the reward is what is paid, with a minus."""

    gpu_cost_per_hour: float = 1.0
    """Of a whole GPU; of a partition its share of the compute slices."""
    miss_cost: float = 0.001
    """Of a request that misses a target, is dropped, or never ends: a thousand of them cost as much as a GPU-hour."""


class ReplayEnvironment(gymnasium.Env[Vector, Action]):
    """One episode is one replay; its end truncates the episode, since the service would serve on.

    Observation: a Box of float32; ``names`` says of what, and ``ABSENT`` (-1) is what is not known. Action: how many
    replicas are wanted, and with ``choose_partition`` the index of their partition; fewer than the service's minimum
    are its minimum. Reward of a step: -(GPU-hours x ``gpu_cost_per_hour``) - missed requests x ``miss_cost``; a request
    counts when it ends, so that the sum over an episode is the cost of the whole replay, less what the start had cost.

    ``reset(seed=n)`` plays the replay that has ``seed: n``; without one, each episode draws another load.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  as the base class has it

    def __init__(
        self,
        site: Site,
        schedule_of: Callable[[int], Schedule],
        terms: Terms | None = None,
        *,
        choose_partition: bool = False,
    ) -> None:
        self.site = site
        self.schedule_of, self._terms, self._chooses = schedule_of, terms or Terms(), choose_partition
        self.setting: Setting = experiment_of(site, schedule_of(0), 0).setting
        self.names = names(self.setting)
        counts = 1 + self.setting.max_replicas
        self.observation_space = spaces.Box(ABSENT, HIGHEST, (len(self.names),), np.float32)
        self.action_space = (
            spaces.MultiDiscrete([counts, len(self.setting.partitions)])
            if choose_partition
            else spaces.Discrete(counts)
        )
        self._outcome: Outcome | None = None
        self._run: Simulation | None = None
        self._foresight = Foresight(site.forecasting, site.snapshot.now_seconds)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Vector, dict[str, Any]]:
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(2**31)) if seed is None else seed
        experiment = experiment_of(self.site, self.schedule_of(drawn), drawn)
        self.setting = experiment.setting
        self._run = Simulation(experiment, self.site.resync_seconds)
        self._outcome = None
        self._foresight = Foresight(self.site.forecasting, self.site.snapshot.now_seconds)
        return self._observed(), self._figures()

    def step(self, action: Action) -> tuple[Vector, float, bool, bool, dict[str, Any]]:
        """:raises BadInput: the episode is over, or none was begun."""
        run = self._running()
        if self._outcome is not None:
            raise BadInput("step: the episode is over; call reset() first")
        before = self._paid()
        run.obey(self._wanted(action))
        observed = self._observed()
        if run.is_over:
            self._outcome = run.outcome()
        return observed, before - self._paid(), False, run.is_over, self._figures()

    @property
    def seen(self) -> Seen:
        """What a policy of the twin is asked with now."""
        return self._running().seen

    @property
    def outcome(self) -> Outcome:
        """Of the episode. :raises BadInput: it is not over."""
        if self._outcome is None:
            raise BadInput("outcome: the episode is not over; step until it is truncated")
        return self._outcome

    def action_of(self, wanted: Wanted) -> Action:
        """What a policy of the twin answers, as an action. :raises BadInput: it wants a partition that none can say."""
        partition = wanted.partition or self.seen.partition
        count = min(max(wanted.replicas, 0), self.setting.max_replicas)
        if self._chooses:
            return np.array([count, self.setting.partitions.index(partition)])
        if partition != self.seen.partition:
            raise BadInput(f"action: {partition} cannot be said; make the environment with choose_partition=True")
        return count

    def _wanted(self, action: Action) -> Wanted:
        if not self._chooses:
            return Wanted(max(int(action), self.site.service.min_replicas))
        count, partition = (int(each) for each in action)
        return Wanted(max(count, self.site.service.min_replicas), self.setting.partitions[partition])

    def _observed(self) -> Vector:
        seen = self.seen
        return vector(seen, self.setting, self._foresight.at(seen), self.site.snapshot.now_seconds)

    def _figures(self) -> dict[str, Any]:
        """Raw, since the beginning of the episode."""
        run = self._running()
        ready, starting = run.fleet.counts()
        return {
            "seconds": run.now_seconds,
            "gpu_hours": self._gpu_hours(),
            "cost": self._paid(),
            "offered": int(run.tally.counts[OFFERED]),
            "finished": int(run.tally.counts[FINISHED]),
            "within_slo": int(run.tally.met[-1]),
            "dropped": int(run.tally.counts[DROPPED]),
            "missed": self._missed(),
            "ready": ready,
            "starting": starting,
            "partition": run.fleet.partition,
        }

    def _paid(self) -> float:
        return self._gpu_hours() * self._terms.gpu_cost_per_hour + self._missed() * self._terms.miss_cost

    def _gpu_hours(self) -> float:
        return self._outcome.gpu_hours if self._outcome else self._running().fleet.gpu_hours

    def _missed(self) -> int:
        """Of those that have ended; in the end all that did not meet every target."""
        tally = self._running().tally
        ended = tally.counts[OFFERED] if self._outcome else tally.counts[FINISHED] + tally.counts[DROPPED]
        return int(ended - tally.met[-1])

    def _running(self) -> Simulation:
        if self._run is None:
            raise BadInput("the environment has no episode; call reset() first")
        return self._run


def environment_of(
    replay: Document,
    service: Document,
    profile: Document,
    gpus: Mapping[str, int],
    terms: Terms | None = None,
    *,
    choose_partition: bool = False,
    schedule: Schedule | None = None,
) -> ReplayEnvironment:
    """Return the environment of a TrafficReplay, for its first target, on so many GPUs of each product.

    The service begins with the replicas that the operator gives a new one, ready. A trace that is no name cannot be
    read here: give its ``schedule``, which is then played whatever the seed is.
    :raises BadInput: naming the object and what is wrong.
    """
    asked, served = _read(TrafficReplay, replay), _read(InferenceService, service)
    measured = profile_of(_read(ModelProfile, profile))
    kind = Kind.COMPLETION if measured.task is Task.TEXT_GENERATION else Kind.CLASSIFICATION
    if schedule is None and asked.spec.trace.name is None:
        raise BadInput("trace: only a name is read here; write the schedule to a file and give it as schedule=")

    def schedule_of(seed: int) -> Schedule:
        if schedule is not None:
            return schedule
        seeded = asked.model_copy(update={"spec": asked.spec.model_copy(update={"seed": seed})})
        return with_users(from_name(seeded.spec.trace.name or "", seeded, kind), seeded)

    return ReplayEnvironment(_site(served, measured, gpus), schedule_of, terms, choose_partition=choose_partition)


def _site(served: InferenceService, profile: Profile, gpus: Mapping[str, int]) -> Site:
    service = service_of(served)
    standing = tuple(
        Gpu(f"{product}-{n}", f"node-{product}-{n // 8}", n % 8, product)
        for product, count in gpus.items()
        for n in range(count)
    )
    new = Observation(service, NO_LOAD, lead_time_seconds=profile.load_seconds)
    cluster = Snapshot(0.0, (new,), standing, (), {service.profile: profile})
    return site_of(_begun(cluster), service.key, Bounds(), Tuning(), Settings())


def _begun(cluster: Snapshot) -> Snapshot:
    """With the replicas that the operator gives a new service, ready."""
    plan = plan_cluster(cluster, {}, Bounds())
    decision = next(iter(plan.decisions), None)
    if decision is None or not plan.placement.slots:
        failed = (c.message for _, conditions in plan.conditions for c in conditions if c.status is Status.FALSE)
        told = next(failed, "there is no room")
        raise BadInput(f"{cluster.observations[0].service.key}: cannot be placed on these GPUs: {told}")
    replicas = tuple(
        Replica(f"pod-{n}", slot.partition, ReplicaPhase.READY, 0.0, slot)
        for n, slot in enumerate(plan.placement.slots)
    )
    return replace(cluster, observations=(replace(cluster.observations[0], replicas=replicas, last=decision),))


def _read(kind: type[_R], given: Document) -> _R:
    body = given if isinstance(given, Mapping) else yaml.safe_load(Path(given).read_text(encoding="utf-8"))
    read = parse(kind, body)
    if isinstance(read, Invalid):
        raise BadInput(f"{kind.__name__} {read.name}: {read.message}")
    return read
