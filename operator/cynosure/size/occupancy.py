"""How many requests are in an engine at once: a birth-death chain.

Requests arrive at rate r; with n of them in the engine each stays held(n) seconds in all, so they leave at n / held(n).
An engine that works on all alike is a symmetric queue: how many are in it depends on the lengths of requests by their
mean only (Kelly, Reversibility and Stochastic Networks, 1979, section 3.3). Above the most that it admits, requests
wait in a queue that is served at the rate of a full engine.
"""

from dataclasses import dataclass

import numpy as np

from cynosure.model.signals import Floats

_GROUPS = 9
_NONE = 1e-300
"""A rate of 0 has a logarithm too."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """``met``: numbers in the engine that an arrival finds, each equally likely and below the most that fit.

    With probability ``full`` it finds no room and waits, for a time that is exponential with rate ``room_rps``.
    """

    mean: float
    met: Floats
    full: float
    room_rps: float


def occupancy(rps: float, held_seconds: Floats) -> Occupancy | None:
    """Return the equilibrium for ``held_seconds`` with 1, 2, … requests in the engine; None when there is none."""
    count = np.arange(1.0, len(held_seconds) + 1)
    growth = rps * held_seconds / count
    if growth[-1] >= 1:
        return None
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(growth, _NONE)))])
    weights = np.exp(logs - logs.max())
    queued = weights[-1] * growth[-1] / (1 - growth[-1])
    total = float(weights.sum() + queued)
    mean = float(weights[1:] @ count + queued * len(count)) / total
    levels = (np.arange(_GROUPS) + 0.5) / _GROUPS
    met = np.searchsorted(np.cumsum(weights) / total, levels)
    return Occupancy(
        mean,
        np.minimum(met, len(count) - 1.0),
        float(weights[-1] + queued) / total,
        float(count[-1] / held_seconds[-1] - rps),
    )
