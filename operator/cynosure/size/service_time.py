"""How long an engine takes for its work, fitted to measured runs: a physical law, and kriging of what it leaves.

With continuous batching an iteration reads the weights once (constant), works on every running request (batch), reads
their KV caches (batch x context), and prefills the prompts of those that replace finished ones: in equilibrium
batch / output_tokens requests end in an iteration, so batch x input_tokens / output_tokens prompt tokens begin. LoRA
kernels add time for every slot, for every distinct adapter in the batch, and for both together (S-LoRA, MLSys 2024).
A prefill alone takes a constant, a time for each prompt token, and for each pair of them (attention).

The weights of the terms are never negative and minimise relative errors. The logarithm of what remains is interpolated
between the measured runs over the logarithms of what they worked on.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from cynosure.model.signals import Floats
from cynosure.size.kriging import Kriging

_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Work:
    """What an engine was doing, one entry for each run; all arrays are of one length.

    ``batch`` requests run together on average. Of ``adapters_served`` LoRA adapters of ``adapter_rank``,
    ``adapter_slots`` are loaded and ``adapters`` occur in the mean batch; without LoRA they are 0.
    """

    batch: Floats
    input_tokens: Floats
    output_tokens: Floats
    adapters: Floats
    adapter_slots: Floats
    adapter_rank: Floats
    adapters_served: Floats

    @classmethod
    def plain(cls, batch: Floats, input_tokens: Floats, output_tokens: Floats) -> "Work":
        """Work without adapters."""
        none = np.zeros_like(batch)
        return cls(batch, input_tokens, output_tokens, none, none, none, none)

    def places(self) -> Floats:
        """Return a point for each run, in which a distance of 1 is a factor of e in something."""
        return np.asarray(np.log1p(np.column_stack([getattr(self, field.name) for field in fields(self)])))


PREFILL_TERM = 3
"""The column of ``step_terms`` that is the prefills of other requests."""


def step_terms(work: Work) -> Floats:
    """Return the terms (runs x 7) of the time between two tokens of a request."""
    context = work.input_tokens + work.output_tokens / 2
    return np.column_stack(
        [
            np.ones_like(work.batch),
            work.batch,
            work.batch * context,
            work.batch * work.input_tokens / work.output_tokens,
            work.adapter_slots,
            work.adapters,
            work.adapters * work.batch,
        ]
    )


def prefill_terms(work: Work) -> Floats:
    """Return the terms (runs x 3) of the prefill of ``batch`` prompts together."""
    tokens = work.batch * work.input_tokens
    return np.column_stack([np.ones_like(tokens), tokens, tokens * work.input_tokens])


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """The fitted law: seconds for ``terms``, corrected by the residual at ``places``."""

    weights: Floats
    residual: Kriging

    @classmethod
    def fit(cls, terms: Floats, places: Floats, seconds: Floats) -> "ServiceTime":
        """Fit at least three positive ``seconds``, one for each row of ``terms`` and ``places``."""
        weights = _non_negative(terms / seconds[:, None])
        return cls(weights, Kriging.fit(places, np.log(seconds / (terms @ weights))))

    def seconds(self, terms: Floats, places: Floats) -> tuple[Floats, Floats]:
        """Return the expected times, and their standard deviations relative to them."""
        residual, deviation = self.residual.at(places)
        return terms @ self.weights * np.exp(residual), deviation

    def law_seconds(self, terms: Floats) -> Floats:
        """Return the times by the physical law alone."""
        return np.asarray(terms @ self.weights)

    def share_without(self, terms: Floats, term: int) -> Floats:
        """Return the part of the law's times that is left without one term."""
        return np.asarray(1 - terms[:, term] * self.weights[term] / (terms @ self.weights))


def running_batch(step_seconds: Callable[[Floats], Floats], tokens_per_second: Floats, most: Floats) -> Floats:
    """Return the batch at which tokens are made as fast as they are asked for, at most ``most`` (KV memory, settings).

    By Little's law batch = tokens/s x step(batch). Started low, the fixed point is the equilibrium that a queue comes
    to by itself; where there is none below ``most``, the engine is saturated.
    """
    batch = np.minimum(1.0, most)
    for _ in range(_ROUNDS):
        batch = np.minimum(tokens_per_second * step_seconds(batch), most)
    return batch


def _non_negative(terms: Floats) -> Floats:
    """Return the least squares weights of ``terms`` for ones, leaving out the most negative until there is none."""
    scale = np.maximum(np.abs(terms).max(axis=0), 1e-300)
    kept = list(range(terms.shape[1]))
    while True:
        found = np.linalg.lstsq(terms[:, kept] / scale[kept], np.ones(len(terms)), rcond=None)[0]
        if len(kept) == 1 or found.min() >= 0:
            break
        del kept[int(np.argmin(found))]
    weights = np.zeros(terms.shape[1])
    weights[kept] = np.maximum(found, 0)
    return np.asarray(weights / scale)
