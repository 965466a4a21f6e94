"""What every rule needs to know of the evidence, worked out once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cynosure.api.conditions import Type
from cynosure.diagnose.causes import Symptom
from cynosure.diagnose.evidence import Evidence, Pod, Sample, SloStep, replicas_for
from cynosure.diagnose.finding import Clue, FieldChange
from cynosure.diagnose.statistics import Missed, grows, level, missed, share, within
from cynosure.model.condition import Status
from cynosure.plan.allowed import Allowed, Now, allowed
from cynosure.plan.limits import targets_of
from cynosure.size.options import Needs, size_service

_DAY_SECONDS = 86400.0
_BUSY = 0.9
"""Quantile of the load over a window that counts as needed; the last tenth is chance."""
LASTING = 0.5
"""The part of a window that has to show it."""


@dataclass(frozen=True, eq=False)
class View:
    """``cached_property`` needs a dictionary, so it has no slots."""

    evidence: Evidence

    @cached_property
    def recent(self) -> tuple[Sample, ...]:
        return within(self.evidence.samples, self.evidence.now_seconds, self.evidence.window_seconds)

    @cached_property
    def steps(self) -> tuple[SloStep, ...]:
        """Of the last four windows: what comes back again and again needs longer to be seen than what stays."""
        begin = self.evidence.now_seconds - 4 * self.evidence.window_seconds
        return tuple(s for s in self.evidence.slo if s.at_seconds > begin)

    @cached_property
    def missed(self) -> Missed | None:
        """In the last window, or over the last four if the newest of them has misses as well."""
        begin = self.evidence.now_seconds - self.evidence.window_seconds
        newest = [s for s in self.steps if s.at_seconds > begin]
        if (now := missed(newest)) is not None:
            return now
        longer = missed(self.steps)
        return longer if longer and any(step.at_seconds > begin for step in longer.steps) else None

    @cached_property
    def queue(self) -> float | None:
        return grows(self.recent)

    @cached_property
    def trouble(self) -> Symptom | None:
        """Of requests: too late, or waiting."""
        if self.missed is not None:
            return Symptom.SLO_MISSED
        return Symptom.QUEUE_GROWING if self.queue is not None else None

    @property
    def clue_of_trouble(self) -> Clue:
        if (miss := self.missed) is not None:
            limit = f"{miss.target.objective:.2%} of {miss.requests:.0f} requests"
            return Clue(f"requests with {miss.target}", f"{miss.attained:.2%}", limit)
        return Clue("vllm:num_requests_waiting", f"{self.queue or 0:.0f} more than a third of the window ago")

    @cached_property
    def replica_rps(self) -> float | None:
        """What one replica serves within the SLO: as passes have sized it, else by the profile."""
        return level((s.replica_rps for s in self.recent), 0.5) or self._sized_rps()

    def _sized_rps(self) -> float | None:
        """A service that was held from its beginning was never sized."""
        evidence, lengths = self.evidence, self.recent
        if evidence.profile is None or evidence.decision is None:
            return None
        inputs = level((s.input_tokens for s in lengths), 0.5) or 0.0
        outputs = level((s.output_tokens for s in lengths), 0.5) or 0.0
        targets = targets_of(evidence.service, evidence.own_bounds)
        products = {gpu.product for gpu in evidence.gpus}
        sizing = size_service(evidence.service, evidence.profile, Needs(1e-3, inputs, outputs), targets, products)
        partition = evidence.decision.option.partition
        return next((o.capacity_rps / o.replicas for o in sizing.options if o.partition == partition), None)

    def load_of(self, sample: Sample) -> float | None:
        """What arrives for each replica that is ready, over what each serves: above 1 is too much."""
        each = sample.replica_rps or self.replica_rps
        return None if sample.arrival_rps is None or not each else sample.arrival_rps / (each * max(sample.ready, 1))

    @cached_property
    def busy_rps(self) -> float | None:
        return level((s.arrival_rps for s in self.recent), _BUSY)

    @cached_property
    def needed(self) -> int | None:
        """Replicas that the load of the window needs, by the profile."""
        if self.busy_rps is None or not self.replica_rps:
            return None
        return replicas_for(self.busy_rps, self.replica_rps)

    @cached_property
    def ready(self) -> float | None:
        return level((float(s.ready) for s in self.recent), 0.5)

    @cached_property
    def is_short(self) -> bool:
        """Fewer replicas are ready than the load of the window needs, for much of it."""
        over = self.lasting(lambda s: None if (load := self.load_of(s)) is None else load > 1.0)
        fewer = self.needed is not None and self.ready is not None and self.needed > self.ready
        return over is not None and fewer

    @cached_property
    def peak_rps(self) -> float | None:
        """Of the last day, in steps of the history; None where less than half of it is known."""
        history = self.evidence.history
        if history is None or len(history) < 2:
            return None
        last = history.times > self.evidence.now_seconds - _DAY_SECONDS
        times, values = history.times[last], history.values[last]
        if len(times) < 2 or len(times) * history.median_step_seconds < _DAY_SECONDS / 2:
            return None
        return float(np.quantile(values, 0.999))

    @cached_property
    def peak_needed(self) -> int | None:
        if self.peak_rps is None or not self.replica_rps:
            return None
        return replicas_for(self.peak_rps, self.replica_rps)

    @cached_property
    def limits(self) -> Allowed | None:
        decision = self.evidence.decision
        seen = self.evidence
        ready_by = seen.now_seconds + seen.observation.lead_time_seconds
        now = Now(seen.now_seconds, ready_by, seen.observation.ready, seen.classes)
        return allowed(seen.service, seen.bounds, decision.option, now) if decision else None

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        return tuple(pod for pod in self.evidence.pods if not pod.is_draining)

    def lasting(self, is_so: Callable[[Sample], bool | None]) -> float | None:
        """The part of the last window in which it was so, where that is at least half."""
        found = share(self.recent, is_so)
        return found if found is not None and found >= LASTING else None

    def says(self, kind: Type, reason: str) -> str | None:
        """The message of a condition that is False for this reason."""
        condition = self.evidence.condition(kind)
        said = condition is not None and condition.status is Status.FALSE and condition.reason == reason
        return condition.message if said and condition is not None else None

    def own(self, field: str, after: str, before: str = "") -> FieldChange:
        """A change of the InferenceService itself."""
        return FieldChange(f"InferenceService {self.evidence.service.key}", field, after, before)

    def container(self, field: str, after: str, before: str = "") -> FieldChange:
        """A change of the container that serves, where it is described: in the overlay, or in an adopted Deployment."""
        return self.own(f"spec.template.spec.containers[name=engine].{field}", after, before)
