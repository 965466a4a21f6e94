"""A text generator under load: continuous batching as an M/G/1 queue of prefills with decoding in between.

An engine prefills one prompt after the other, and decodes the running batch in between (Orca, OSDI 2022, section 4;
chunked prefills of Sarathi-Serve, OSDI 2024, keep the sum). So prefills see an M/G/1 queue: with S the prefill time of
a request, rate r and utilisation u = r·E[S], the mean wait is r·E[S²] / 2(1 - u) (Pollaczek-Khinchine), there is none
with probability 1 - u, and its tail is close to exponential (Abate, Choudhury and Whitt, 1995).

A prefill makes the iteration longer that it shares with the running requests. Who arrives during a decode step lets it
go on, on average half a step later; who arrives during a prefill gets the next iteration. With E the extension, tokens
come every step / (1 - r·E[E]) seconds. How many requests run follows from how long they stay (``occupancy``).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import erf
from typing import Final

import numpy as np

from cynosure.model.profile import Point
from cynosure.model.service import Metric, Target
from cynosure.model.signals import Floats
from cynosure.size.lengths import Lengths
from cynosure.size.occupancy import Occupancy, occupancy

CHUNK_TOKENS = 2048
"""Prompt tokens of one iteration: vLLM's default of max_num_batched_tokens."""

_MOST_UTILISATION = 0.95
_GRID = 48
"""Batches at which times are worked out; they hardly bend in between."""


@dataclass(frozen=True, slots=True)
class State:
    """A replica at a rate, in equilibrium. ``prefill`` in seconds for each group of input lengths."""

    rps: float
    prefill: Floats
    utilisation: float
    mean_wait_seconds: float
    occupancy: Occupancy

    @property
    def batch(self) -> float:
        return self.occupancy.mean

    def waits_at_most(self, seconds: Floats) -> Floats:
        """Return the probability of a wait up to each of ``seconds``, for prefills and for room; 0 if negative."""
        patience = np.maximum(seconds, 0)
        queue, room = self.utilisation / max(self.mean_wait_seconds, 1e-12), self.occupancy.room_rps
        apart = queue - room if abs(queue - room) > 1e-6 * room else 1e-6 * room
        prefills, place = np.exp(-queue * patience), np.exp(-room * patience)
        both = place + self.utilisation * room * (place - prefills) / apart
        late = (1 - self.occupancy.full) * self.utilisation * prefills + self.occupancy.full * both
        return np.where(seconds >= 0, 1 - late, 0.0)


@dataclass(frozen=True, slots=True)
class TextReplica:
    """``points`` are those of one partition, by rising batch."""

    points: tuple[Point, ...]
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
        return 1 / float(np.mean(self._inputs() * self._per_token(1.0)))

    def attainment(self, target: Target, rps: float) -> float:
        state = _equilibrium(self, rps)
        if state is None:
            return 0.0
        limit = target.milliseconds / 1000
        if target.metric is Metric.TTFT:
            return float(np.mean(state.waits_at_most(limit - self._first_token(state))))
        if target.metric is Metric.TPOT:
            return self._tpot_attainment(state, limit)
        tpot = self._tpot_seconds(rps, state.occupancy.met + 1)
        decoding = np.maximum(self._outputs() - 1, 0)[None, :] * tpot[:, None]
        left = limit - self._first_token(state)[:, None, None] - decoding[None, :, :]
        return float(np.mean(state.waits_at_most(left)))

    def floor_milliseconds(self, target: Target) -> float:
        step = float(self._step_seconds(1.0))
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
        most = self.largest_batch
        if most == 0:
            return None
        some = _grid(most)
        decoding = max(self.output_tokens - 1, 0) * self._tpot_seconds(rps, some)
        held = self._per_token(some) * self._inputs().mean() + decoding
        found = occupancy(rps, np.interp(np.arange(1.0, most + 1), some, held))
        if found is None:
            return None
        prefill = self._inputs() * self._per_token(max(1.0, found.mean))
        utilisation = rps * float(prefill.mean())
        if utilisation >= _MOST_UTILISATION:
            return None
        wait = rps * float((prefill**2).mean()) / (2 * (1 - utilisation))
        return State(rps, prefill, utilisation, wait, found)

    def _first_token(self, state: State) -> Floats:
        """Prefill as its own request sees it: the last chunk is filled up with the next prompt, if one waits."""
        chunk = CHUNK_TOKENS * float(state.prefill.mean()) / max(self.input_tokens, 1.0)
        shared = 1 - np.exp(-state.rps * (state.prefill + state.mean_wait_seconds))
        return state.prefill + shared * chunk / 2

    def _tpot_attainment(self, state: State, limit: float) -> float:
        """A request of n + 1 tokens is stretched by the prefills that begin meanwhile, a compound Poisson sum.

        They are those that arrive while it decodes, and those that it left waiting: the arrivals of its own wait and
        prefill. The sum is taken as jumps of one size, J = E[E²] / E[E], which keeps its mean and variance; the mean
        time per token is within the limit as long as no more than (limit - step)·n / J of them begin. As no iteration
        has more than a chunk of prompts, a limit above its time is always met.
        """
        batches = state.occupancy.met + 1
        extension, step = self._extensions(state.rps, batches), self._step_seconds(batches)[:, None]
        mean = extension.mean(axis=1, keepdims=True)
        jump = (extension**2).mean(axis=1, keepdims=True) / mean
        gaps = np.maximum(np.rint(self._outputs()) - 1, 1)
        begun = gaps * self._tpot_seconds(state.rps, batches)[:, None] + state.mean_wait_seconds + state.prefill.mean()
        met = _poisson_at_most(np.floor((limit - step) * gaps / jump + 1e-9), state.rps * begun * mean / jump)
        chunk = CHUNK_TOKENS * self._per_token(max(1.0, state.batch))
        return float(np.mean(np.where(limit >= np.maximum(step, chunk + step / 2), 1.0, met)))

    def _tpot_seconds(self, rps: float, batch: Floats) -> Floats:
        """Return the mean time per token at each batch. Prefills that leave no time get nearly all of it."""
        stretched = np.minimum(rps * self._extensions(rps, batch).mean(axis=1), 0.97)
        return np.asarray(self._step_seconds(batch) / (1 - stretched))

    def _extensions(self, rps: float, batch: Floats) -> Floats:
        """Return by how much the prefill of each group of lengths (columns) makes an iteration of ``batch`` longer."""
        prefill, step = self._per_token(batch)[:, None] * self._inputs(), self._step_seconds(batch)[:, None]
        utilisation = np.minimum(rps * prefill.mean(axis=1, keepdims=True), 1.0)
        joining = np.where(prefill < step, prefill**2 / (2 * step), prefill - step / 2)
        return np.asarray((1 - utilisation) * joining + utilisation * np.maximum(prefill - step, 0))

    def _inputs(self) -> Floats:
        return np.array(self.lengths.input_ratios) * max(self.input_tokens, 1.0)

    def _outputs(self) -> Floats:
        return np.array(self.lengths.output_ratios) * max(self.output_tokens, 1.0)

    def _per_token(self, batch: float | Floats) -> Floats:
        return self._at(batch, [point.ttft_seconds / max(point.input_tokens, 1) for point in self.points])

    def _step_seconds(self, batch: float | Floats) -> Floats:
        return self._at(batch, [point.tpot_seconds for point in self.points])

    def _at(self, batch: float | Floats, seconds: list[float]) -> Floats:
        return np.asarray(np.interp(batch, [point.batch for point in self.points], seconds))


@lru_cache(maxsize=256)
def _equilibrium(replica: TextReplica, rps: float) -> State | None:
    """Remembered: every target of an SLO asks for the same one."""
    return replica.state(rps)


@lru_cache(maxsize=256)
def _grid(most: int) -> Floats:
    return np.unique(np.rint(np.geomspace(1, most, _GRID)))


def _poisson_at_most(counts: Floats, means: Floats) -> Floats:
    """Return the probabilities of at most ``counts`` events, 0 below 0; exact for none, else by Wilson and Hilferty."""
    shape = np.maximum(counts, 0) + 1
    deviations = 3 * np.sqrt(shape) * ((means / shape) ** (1 / 3) - 1 + 1 / (9 * shape))
    many = (1 - _ERF(deviations / 2**0.5).astype(float)) / 2
    return np.where(counts < 0, 0.0, np.where(counts == 0, np.exp(-means), many))


_ERF: Final = np.frompyfunc(erf, 1, 1)
