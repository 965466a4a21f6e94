"""The present load of every service, read in a task of its own; a pass looks up what was read last."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cynosure.errors import Unavailable
from cynosure.model.profile import Profile, Task
from cynosure.model.service import Metric, ServiceKey, Target
from cynosure.model.signals import AbsenceReason, Absent, Load, Reading, Signal
from cynosure.observe import promql
from cynosure.observe.prometheus import Metrics, Sample
from cynosure.settings import PrometheusSettings

SURGE_SHARE = 2
"""A jump is seen sooner in half of the window of rates, which still has two scrapes."""

Values = Mapping[ServiceKey, float]

_ARRIVALS, _SURGE, _INPUT, _OUTPUT, _RUNNING, _WAITING, _NEWEST, _REPORTING = (
    "arrival rate",
    "arrival rate of the last scrapes",
    "input tokens",
    "output tokens",
    "running requests",
    "waiting requests",
    "time of the newest sample",
    "pods that report",
)


@dataclass(frozen=True, slots=True)
class Readings:
    """One round of queries. ``failure`` is why there are none."""

    at_seconds: float = 0.0
    values: Mapping[str, Values] = field(default_factory=dict)
    latencies: Mapping[tuple[Metric, float], Values] = field(default_factory=dict)
    failure: str = "Prometheus has not been asked yet"


class Signals:
    """``wanted`` tells the targets of all services, whose percentiles are to be asked for."""

    def __init__(
        self,
        metrics: Metrics,
        settings: PrometheusSettings,
        clock: Callable[[], float],
        wanted: Callable[[], Iterable[Target]],
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._clock = clock
        self._wanted = wanted
        self.readings = Readings()

    async def run(self, changed: Callable[[], None]) -> None:
        """Until cancelled; ``changed`` is called after each round."""
        while True:
            await self.refresh()
            changed()
            await asyncio.sleep(self._settings.signal_seconds)

    async def refresh(self) -> None:
        """Ask everything at once. Either all of it answers or nothing counts: half a picture misleads."""
        targets = sorted({(target.metric, target.percentile) for target in self._wanted()})
        now = self._clock()
        queries = self._queries()
        window = self._settings.rate_window_seconds
        texts = [*queries.values(), *(promql.latency_milliseconds(m, p, window) for m, p in targets)]
        try:
            answers = [_by_service(s) for s in await asyncio.gather(*(self._metrics.instant(t) for t in texts))]
        except Unavailable as error:
            self.readings = Readings(now, failure=str(error))
            return
        values = dict(zip(queries, answers, strict=False))
        latencies = dict(zip(targets, answers[len(queries) :], strict=True))
        self.readings = Readings(now, values, latencies, failure="")

    def _queries(self) -> dict[str, str]:
        return {
            _ARRIVALS: promql.arrivals(self._settings.rate_window_seconds),
            _SURGE: promql.arrivals(self._settings.rate_window_seconds / SURGE_SHARE),
            _INPUT: promql.tokens_per_request("vllm:prompt_tokens_total", self._settings),
            _OUTPUT: promql.tokens_per_request("vllm:generation_tokens_total", self._settings),
            _RUNNING: promql.RUNNING,
            _WAITING: promql.WAITING,
            _NEWEST: promql.NEWEST,
            _REPORTING: promql.REPORTING,
        }

    def load(self, key: ServiceKey, targets: tuple[Target, ...], profile: Profile | None, expected: int = 0) -> Load:
        """The load of one service. ``expected`` pods have been ready for long enough to be in the metrics."""
        missing = self._missing(key, expected)
        if missing:
            return Load(missing, missing, missing, missing, missing, tuple((target, missing) for target in targets))
        return Load(
            arrival_rps=self._signal(_ARRIVALS, key),
            input_tokens=self._tokens(_INPUT, key, profile),
            output_tokens=self._tokens(_OUTPUT, key, profile),
            running=self._signal(_RUNNING, key),
            waiting=self._signal(_WAITING, key),
            latency=tuple((target, self._latency(target, key)) for target in targets),
            surge_rps=self._signal(_SURGE, key),
        )

    def _missing(self, key: ServiceKey, expected: int) -> Absent | None:
        """Why nothing about this service can be trusted."""
        readings, limit = self.readings, self._settings.stale_after_seconds
        if readings.failure:
            return Absent(AbsenceReason.ERROR, readings.failure)
        newest = readings.values[_NEWEST].get(key)
        if newest is None:
            return Absent(AbsenceReason.MISSING, f"Prometheus has no series of {key}")
        age = self._clock() - newest
        if not age <= limit:  # also when it is NaN
            return Absent(AbsenceReason.STALE, f"the newest sample of {key} is {age:.0f} s old; limit: {limit:g} s")
        reporting = readings.values[_REPORTING].get(key, 0.0)
        if reporting < expected:
            return Absent(AbsenceReason.MISSING, f"{reporting:.0f} of {expected} ready pods of {key} report metrics")
        return None

    def _signal(self, name: str, key: ServiceKey) -> Signal:
        return self._read(self.readings.values[name].get(key), f"{name} of {key}", key)

    def _latency(self, target: Target, key: ServiceKey) -> Signal:
        values = self.readings.latencies.get((target.metric, target.percentile), {})
        return self._read(values.get(key), f"{target.metric} p{target.percentile:g} of {key}", key)

    def _read(self, value: float | None, what: str, key: ServiceKey) -> Signal:
        if value is None:
            return Absent(AbsenceReason.MISSING, f"Prometheus has no {what}")
        if not math.isfinite(value):
            return Absent(AbsenceReason.NAN, f"{what} is {value}")
        return Reading(value, self.readings.values[_NEWEST][key], what)

    def _tokens(self, name: str, key: ServiceKey, profile: Profile | None) -> Signal:
        """Until the first request has finished, the lengths that the profile was measured with stand in."""
        measured = self._signal(name, key)
        if isinstance(measured, Reading) or profile is None or measured.reason is AbsenceReason.NAN:
            return measured
        at = self.readings.values[_NEWEST][key]
        if profile.task is Task.IMAGE_CLASSIFICATION:
            return Reading(1.0, at, "images have no tokens")
        lengths = [p.input_tokens if name == _INPUT else p.output_tokens for p in profile.points]
        return Reading(sum(lengths) / len(lengths), at, f"profile {profile.name}, no request has finished yet")


def _by_service(samples: Iterable[Sample]) -> dict[ServiceKey, float]:
    return {
        ServiceKey(s.labels["namespace"], s.labels["service"]): s.value
        for s in samples
        if "namespace" in s.labels and "service" in s.labels
    }
