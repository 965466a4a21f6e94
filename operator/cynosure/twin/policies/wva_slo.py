"""The model-based mode of llm-d's workload variant autoscaler: the fewest replicas whose queue model meets the SLO.

llm-d-incubation/workload-variant-autoscaler (read 2026-11, v0.3): pkg/core/allocation.go for the count of replicas,
pkg/analyzer/queueanalyzer.go, mm1modelstatedependent.go and utils.go for the queue. A replica is an M/M/1/K queue that
serves n requests at the rate n / (prefill(n) + (tokens - 1)·decode(n)), prefill(n) = gamma + delta·inputs·n and
decode(n) = alpha + beta·n, with K = 11 times the largest batch. Mean TTFT (wait and prefill) and mean ITL have to meet
the targets; a target for the whole request is unknown to it. The controller keeps the accelerator, so partitions stay.
"""

from dataclasses import dataclass, field
from functools import cache
from math import isfinite

import numpy as np

from cynosure.model.profile import Point
from cynosure.model.service import Metric
from cynosure.model.signals import Floats
from cynosure.twin.policies.recommend import ceiling, clamp
from cynosure.twin.port import Seen, Setting, Wanted

_QUEUE_TO_BATCH = 10
_EDGE = 0.001
_TOLERANCE = 1e-4
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Service:
    """Seconds, of one partition."""

    alpha: float
    beta: float
    gamma: float
    delta: float
    largest_batch: int

    def prefill(self, inputs: int, n: Floats | float) -> Floats | float:
        return self.gamma + self.delta * inputs * n

    def decode(self, n: Floats | float) -> Floats | float:
        return self.alpha + self.beta * n


def fit(points: tuple[Point, ...]) -> Service:
    """From measurements as its own procedure takes them: decoding by batch, and n prompts prefilled at once.

    A profile times the prefill of one prompt, in an iteration that also decodes; n prompts take n times the rest.
    """
    batch = np.array([point.batch for point in points], dtype=np.float64)
    alpha, beta = _line(batch, np.array([point.tpot_seconds for point in points]))
    alone = points[0]
    compute = max(0.0, alone.ttft_seconds - alone.tpot_seconds)
    return Service(alpha, beta, alone.ttft_seconds - compute, compute / max(1, alone.input_tokens), int(batch[-1]))


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Least squares, without a falling slope or a negative base; a single point has no slope."""
    slope = max(0.0, float(np.polyfit(x, y, 1)[0])) if len(np.unique(x)) > 1 else 0.0
    base = float(np.mean(y - slope * x))
    return (base, slope) if base > 0 else (0.0, float(x @ y / (x @ x)))


class Queue:
    """The state-dependent M/M/1/K queue of one replica, for one size of request."""

    def __init__(self, service: Service, inputs: int, outputs: int) -> None:
        self._service, self._inputs, self._tokens = service, inputs, max(outputs - 1, 0)
        n = np.arange(1, service.largest_batch + 1, dtype=np.float64)
        rates = n / (service.prefill(inputs, n) + self._tokens * service.decode(n))
        self.rates = (float(rates[0]) * _EDGE, float(rates[-1]) * (1 - _EDGE))
        all_rates = np.concatenate([rates, np.full(_QUEUE_TO_BATCH * len(n), rates[-1])])
        self._log_rates = np.concatenate([[0.0], np.cumsum(np.log(all_rates))])
        self._present = np.arange(len(all_rates) + 1)
        self._served = np.minimum(self._present, service.largest_batch)

    def means(self, rps: float) -> tuple[float, float]:
        """Return mean TTFT and ITL in seconds."""
        logs = self._present * np.log(rps) - self._log_rates
        p = np.exp(logs - logs.max())
        p /= p.sum()
        throughput = rps * (1 - p[-1])
        serving = float(p @ self._served) / throughput
        wait = max(0.0, float(p @ self._present) / throughput - serving)
        n = self._concurrency(serving)
        return wait + float(self._service.prefill(self._inputs, n)), float(self._service.decode(n))

    def _concurrency(self, serving_seconds: float) -> float:
        """The batch at which a request takes as long as the queue serves it on average."""
        own = serving_seconds - self._service.gamma - self._service.alpha * self._tokens
        per_request = self._service.delta * self._inputs + self._service.beta * self._tokens
        return min(max(own / per_request, 0.0), self._service.largest_batch) if per_request > 0 else 0.0

    def largest_rate(self, metric: int, seconds: float) -> float | None:
        """The rate at which a mean reaches the target; None when even an idle replica misses it."""
        low, high = self.rates
        if self.means(low)[metric] > seconds:
            return None
        if self.means(high)[metric] <= seconds:
            return high
        for _ in range(_HALVINGS):
            rate = (low + high) / 2
            mean = self.means(rate)[metric]
            if abs(mean - seconds) <= _TOLERANCE * seconds:
                return rate
            low, high = (rate, high) if mean < seconds else (low, rate)
        return low


@cache
def replica_rate(service: Service, inputs: int, outputs: int, ttft: float | None, itl: float | None) -> float | None:
    """The throughput of one replica at its largest rate within both targets, in requests per second."""
    queue = Queue(service, inputs, outputs)
    rates = [queue.largest_rate(i, target) for i, target in enumerate((ttft, itl)) if target is not None]
    found = [queue.rates[1], *(rate for rate in rates if rate is not None)]
    return None if None in rates else min(found)


@dataclass(slots=True)
class WvaSlo:
    setting: Setting
    window_seconds: float = 60.0
    margin: float = 1.0
    """Factor of the targets: the published rule compares means with them, whatever percentile the SLO names."""
    interval_seconds: float = 60.0
    name: str = "wva-slo"
    _service: Service | None = field(init=False)

    def __post_init__(self) -> None:
        points = self.setting.profile.on(self.setting.gpu_product, self.setting.partition)
        self._service = fit(points) if points and points[0].tpot_seconds > 0 else None

    def decide(self, seen: Seen) -> Wanted:
        window = seen.look(self.window_seconds)
        if window is None or not isfinite(window.arrival_rps):
            return Wanted(seen.replicas, reason="no metrics")
        if window.arrival_rps == 0 or not isfinite(window.output_tokens):
            return Wanted(1, reason="no load")
        rate = self._rate(window.input_tokens, window.output_tokens)
        if rate is None:
            return Wanted(seen.replicas, reason="no allocation meets the targets")
        return Wanted(clamp(ceiling(window.arrival_rps / rate), 1, self.setting.max_replicas))

    def _rate(self, input_tokens: float, output_tokens: float) -> float | None:
        if self._service is None:
            return self.setting.replica_rps
        ttft, itl = self._target(Metric.TTFT), self._target(Metric.TPOT)
        return replica_rate(self._service, round(input_tokens), max(1, round(output_tokens)), ttft, itl)

    def _target(self, metric: Metric) -> float | None:
        limits = [target.milliseconds for target in self.setting.targets if target.metric is metric]
        return self.margin * min(limits) / 1000 if limits else None
