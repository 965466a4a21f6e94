"""NVIDIA Dynamo's planner for engines that prefill and decode: predicted load over what a profiled engine serves.

ai-dynamo/dynamo (read 2026-11, main): components/src/dynamo/planner, core/throughput_scaling.py (the loop of 180 s),
core/perf_model/agg.py (the largest batch within TTFT and ITL), core/load/predictors.py (load), core/load_scaling.py
(the loop of 5 s with thresholds on the KV cache) and config/defaults.py. The optimisation target is "sla": the others
take no SLO. Load that is missing enters the predictor as 0, as published.
"""

from dataclasses import dataclass, field
from math import isfinite, nan

import numpy as np

from cynosure.model.profile import Point
from cynosure.model.service import Metric
from cynosure.model.signals import Floats
from cynosure.twin.policies.predictors import PREDICTORS, Predictor
from cynosure.twin.policies.recommend import ceiling, clamp
from cynosure.twin.port import Seen, Setting, Wanted


@dataclass(frozen=True, slots=True)
class Engine:
    """The points of one partition, by rising batch, read between them in a straight line."""

    points: tuple[Point, ...]

    def best_rps(self, inputs: float, outputs: float, ttft: float, itl: float) -> float:
        """The rate of the largest batch within both limits (seconds), or of batch 1 where none is.

        An iteration decodes the batch and prefills the prompts that come in meanwhile; by Little's law the rate is
        batch / (outputs x iteration).
        """
        batch = np.arange(1, self._largest_batch(inputs + outputs / 2) + 1, dtype=np.float64)
        per_token = self._at(batch, [point.ttft_seconds / max(1, point.input_tokens) for point in self.points])
        prompts = batch * inputs / outputs
        iteration = self._at(batch, [point.tpot_seconds for point in self.points]) + per_token * prompts
        missed = (iteration > itl) | (per_token * (inputs + prompts) > ttft)
        within = int(np.argmax(missed)) if missed.any() else len(batch)
        best = max(0, within - 1)
        return float(batch[best] / (outputs * iteration[best]))

    def _largest_batch(self, context: float) -> int:
        last = self.points[-1]
        fitting = int(last.kv_cache_tokens / max(1.0, context)) if last.kv_cache_tokens else last.batch
        return max(1, min(last.batch, fitting))

    def _at(self, batch: Floats, values: list[float]) -> Floats:
        return np.interp(batch, [point.batch for point in self.points], values)


@dataclass(slots=True)
class Dynamo:
    setting: Setting
    predictor: str = "arima"
    throughput_seconds: float = 180.0
    margin: float = 1.0
    """Factor of the targets, which the planner compares with means."""
    load_loop: bool = False
    """Also the loop of 5 s, for which the throughput loop only sets the lower bound."""
    load_seconds: float = 5.0
    kv_up: float = 1.0
    kv_down: float = 0.6
    name: str = "dynamo"
    interval_seconds: float = field(init=False)
    _load: Predictor = field(init=False)
    _inputs: Predictor = field(init=False)
    _outputs: Predictor = field(init=False)
    _engine: Engine | None = field(init=False)
    _bound: int | None = field(default=None, init=False)
    _next_seconds: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.interval_seconds = self.load_seconds if self.load_loop else self.throughput_seconds
        make = PREDICTORS[self.predictor]
        self._load, self._inputs, self._outputs = make(), make(), make()
        points = self.setting.profile.on(self.setting.gpu_product, self.setting.partition)
        self._engine = Engine(points) if points and points[0].tpot_seconds > 0 else None

    def decide(self, seen: Seen) -> Wanted:
        if self._next_seconds is None:
            self._warm(seen)
            self._next_seconds = seen.now_seconds
        if seen.now_seconds >= self._next_seconds:
            self._next_seconds = seen.now_seconds + self.throughput_seconds
            self._bound = self._throughput(seen)
        bound = seen.replicas if self._bound is None else self._bound
        if not self.load_loop:
            return Wanted(bound)
        return Wanted(clamp(max(self._loaded(seen), self._bound or 1), 1, self.setting.max_replicas))

    def _warm(self, seen: Seen) -> None:
        """The history is the planner's warm-up trace."""
        steps = max(1, round(self.throughput_seconds / seen.history_step_seconds))
        whole = len(seen.history) // steps * steps
        for rates in seen.history[len(seen.history) - whole :].reshape(-1, steps):
            known = rates[np.isfinite(rates)]
            self._load.observe(float(np.mean(known)) * self.throughput_seconds if len(known) else 0.0)
        self._inputs.observe(self.setting.input_tokens)
        self._outputs.observe(self.setting.output_tokens)

    def _throughput(self, seen: Seen) -> int | None:
        window = seen.look(self.throughput_seconds)
        rate = nan if window is None else window.arrival_rps
        self._load.observe(rate * self.throughput_seconds if isfinite(rate) else 0.0)
        if window is not None and isfinite(window.input_tokens) and isfinite(window.output_tokens):
            self._inputs.observe(window.input_tokens)
            self._outputs.observe(window.output_tokens)
        demand_rps = max(0.0, self._load.next()) / self.throughput_seconds
        return clamp(ceiling(demand_rps / self._engine_rps()), 1, self.setting.max_replicas)

    def _engine_rps(self) -> float:
        if self._engine is None:
            return self.setting.replica_rps
        inputs, outputs = max(1.0, self._inputs.next()), max(1.0, self._outputs.next())
        return self._engine.best_rps(inputs, outputs, self._limit(Metric.TTFT), self._limit(Metric.TPOT))

    def _limit(self, metric: Metric) -> float:
        limits = [target.milliseconds for target in self.setting.targets if target.metric is metric]
        return self.margin * min(limits, default=float("inf")) / 1000

    def _loaded(self, seen: Seen) -> int:
        """One more when any engine is above the upper threshold, one fewer when all are below the lower one."""
        window = seen.look(self.load_seconds)
        if window is None or seen.starting > 0 or len(window.kv_usage) != seen.replicas or seen.replicas == 0:
            return seen.replicas
        last = self._engine.points[-1] if self._engine else None
        queued = window.waiting * self._inputs.next() / last.kv_cache_tokens if last and last.kv_cache_tokens else 0.0
        usage = window.kv_usage + queued
        if np.any(usage > self.kv_up):
            return seen.replicas + 1
        return seen.replicas - 1 if seen.replicas > 1 and np.all(usage < self.kv_down) else seen.replicas
