"""A text generator under load: continuous batching as an M/G/1 queue of prefills with decoding in between.

An engine prefills one prompt after the other, and decodes the running batch in between (Orca, OSDI 2022, section 4;
chunked prefills of Sarathi-Serve, OSDI 2024, keep the sum). So prefills see an M/G/1 queue: with S the prefill time of
a request, rate r and utilisation u = r·E[S], the mean wait is r·E[S²] / 2(1 - u) (Pollaczek-Khinchine), there is none
with probability 1 - u, and its tail is close to exponential (Abate, Choudhury and Whitt, 1995). Every request of the
batch gets a token in each iteration, so tokens come at r + (1 - u) / step(batch), and batch follows from Little's law.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from cynosure.model.profile import Point
from cynosure.model.service import Metric, Target
from cynosure.model.signals import Floats
from cynosure.size.lengths import Lengths

CHUNK_TOKENS = 2048
"""Prompt tokens of one iteration: vLLM's default of max_num_batched_tokens."""

_MOST_UTILISATION = 0.95
_CROWD = 2.0
"""Who waits meets a larger batch than the mean: prefills are timed at this many standard deviations above it."""
_FIXED_POINT_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class State:
    """A replica at a rate, in equilibrium. ``prefill`` in seconds for each group of input lengths."""

    prefill: Floats
    utilisation: float
    mean_wait_seconds: float
    tpot_seconds: float
    batch: float

    def waits_at_most(self, seconds: Floats) -> Floats:
        """Return the probability of a wait up to each of ``seconds``; 0 where that is negative."""
        if self.mean_wait_seconds <= 0:
            return np.where(seconds >= 0, 1.0, 0.0)
        rate = self.utilisation / self.mean_wait_seconds
        return np.where(seconds >= 0, 1 - self.utilisation * np.exp(-rate * np.maximum(seconds, 0)), 0.0)


@dataclass(frozen=True, slots=True)
class TextReplica:
    """``points`` are those of one partition, by rising batch."""

    points: Sequence[Point]
    input_tokens: float
    output_tokens: float
    lengths: Lengths

    @property
    def largest_batch(self) -> int:
        """Limited by the KV cache; 0 when it does not hold a single request of mean length."""
        room = self.points[-1].kv_cache_tokens
        fitting = int(room / max(1.0, self.input_tokens + self.output_tokens)) if room else self.points[-1].batch
        return min(self.points[-1].batch, fitting)

    @property
    def measured_rps(self) -> float:
        """Scaled from the points' lengths to these."""
        return 1 / (self._prefill_seconds(1.0) * float(np.mean(self.lengths.input_ratios)))

    def attainment(self, target: Target, rps: float) -> float:
        state = self.state(rps)
        if state is None:
            return 0.0
        limit = target.milliseconds / 1000
        if target.metric is Metric.TTFT:
            return float(np.mean(state.waits_at_most(limit - self._first_token(state, rps))))
        if target.metric is Metric.TPOT:
            return self._tpot_attainment(state, rps, limit)
        decoding = np.maximum(self._outputs() - 1, 0) * state.tpot_seconds
        return float(np.mean(state.waits_at_most(limit - self._first_token(state, rps)[:, None] - decoding[None, :])))

    def floor_milliseconds(self, target: Target) -> float:
        step = self._at(1.0, "tpot_seconds")
        prefill = self._inputs() * self._per_token(1.0)
        if target.metric is Metric.TPOT:
            return 1000 * step
        spread = prefill[:, None] + (
            np.maximum(self._outputs() - 1, 0)[None, :] * step if target.metric is Metric.E2E else 0.0
        )
        return float(1000 * np.percentile(spread, target.percentile, method="inverted_cdf"))

    def batch_at(self, rps: float) -> float:
        state = self.state(rps)
        return state.batch if state else float(self.largest_batch)

    def state(self, rps: float) -> State | None:
        """Return the equilibrium; None when there is none: the queue would grow, or nothing fits the KV cache."""
        batch = 1.0
        for _ in range(_FIXED_POINT_ROUNDS):
            prefill = self._inputs() * self._per_token(batch + _CROWD * batch**0.5)
            utilisation = rps * float(prefill.mean())
            if utilisation >= _MOST_UTILISATION:
                return None
            tpot = 1 / (rps + (1 - utilisation) / self._at(batch, "tpot_seconds"))
            held = float(prefill.mean()) + max(self.output_tokens - 1, 0) * tpot
            batch, before = max(1.0, rps * held), batch
            if batch > self.largest_batch:
                return None
            if abs(batch - before) < 1e-3:
                break
        wait = rps * float((prefill**2).mean()) / (2 * (1 - utilisation))
        return State(prefill, utilisation, wait, tpot, batch)

    def _first_token(self, state: State, rps: float) -> Floats:
        """Prefill as its own request sees it: the last chunk is filled up with the next prompt, if one waits."""
        chunk = CHUNK_TOKENS * float(state.prefill.mean()) / max(self.input_tokens, 1.0)
        shared = 1 - np.exp(-rps * (state.prefill + state.mean_wait_seconds))
        return state.prefill + shared * chunk / 2

    def _tpot_attainment(self, state: State, rps: float, limit: float) -> float:
        """A request of n + 1 tokens is stretched by the prefills that begin meanwhile, a compound Poisson sum.

        It is taken as jumps of one size, J = E[S²] / E[S], which keeps the sum's mean and variance; the mean time per
        token is within the limit as long as no more than (limit - step)·n / J of them begin.
        """
        step = self._at(state.batch, "tpot_seconds")
        if limit <= step:
            return 0.0
        mean, jump = float(state.prefill.mean()), float((state.prefill**2).mean() / state.prefill.mean())
        gaps = np.maximum(np.rint(self._outputs()) - 1, 1)
        allowed = np.floor((limit - step) * gaps / jump + 1e-9)
        expected = rps * gaps * state.tpot_seconds * mean / jump
        return float(np.mean([_poisson_at_most(int(k), m) for k, m in zip(allowed, expected, strict=True)]))

    def _inputs(self) -> Floats:
        return np.array(self.lengths.input_ratios) * max(self.input_tokens, 1.0)

    def _outputs(self) -> Floats:
        return np.array(self.lengths.output_ratios) * max(self.output_tokens, 1.0)

    def _prefill_seconds(self, batch: float) -> float:
        return max(self.input_tokens, 1.0) * self._per_token(batch)

    def _per_token(self, batch: float) -> float:
        seconds = [point.ttft_seconds / max(point.input_tokens, 1) for point in self.points]
        return float(np.interp(batch, [point.batch for point in self.points], seconds))

    def _at(self, batch: float, name: str) -> float:
        seconds = [getattr(point, name) for point in self.points]
        return float(np.interp(batch, [point.batch for point in self.points], seconds))


def _poisson_at_most(count: int, mean: float) -> float:
    term = total = exp(-mean)
    for n in range(1, min(count, int(mean + 20 * mean**0.5 + 20)) + 1):
        term *= mean / n
        total += term
    return min(total, 1.0)
