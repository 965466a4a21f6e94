"""Over a window and never over one sample: how long, how many, and whether chance explains it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cynosure.diagnose.evidence import Sample, SloStep
from cynosure.intents.verification import wilson
from cynosure.model.service import Target

FEWEST_SAMPLES = 6
"""Fewer say nothing about a window."""
FEWEST_REQUESTS = 100.0
_Z = 4.0
"""One window in thirty thousand is beyond so many standard deviations by chance; a week has some thousand windows."""
_EXCESS = 1.5
"""The misses have to be so many times what the SLO allows: a percentile scatters around its target all the time."""
_BAD_STEPS = 3
"""In one step alone any service may be late."""


def within(samples: Sequence[Sample], now_seconds: float, seconds: float) -> tuple[Sample, ...]:
    return tuple(s for s in samples if now_seconds - seconds < s.at_seconds <= now_seconds)


def share(samples: Sequence[Sample], is_so: Callable[[Sample], bool | None]) -> float | None:
    """The part of the samples in which it is so; None where less than half of them, or too few, can tell."""
    told = [answer for sample in samples if (answer := is_so(sample)) is not None]
    if len(told) < max(FEWEST_SAMPLES, len(samples) / 2):
        return None
    return sum(told) / len(told)


def level(values: Iterable[float | None], quantile: float) -> float | None:
    """A quantile of what is known; None when too little is."""
    known = [value for value in values if value is not None]
    return float(np.quantile(known, quantile)) if len(known) >= FEWEST_SAMPLES else None


@dataclass(frozen=True, slots=True)
class Missed:
    """A target that more requests missed than chance explains. ``steps`` are those with misses beyond the objective."""

    target: Target
    requests: float
    within: float
    steps: tuple[SloStep, ...]

    @property
    def attained(self) -> float:
        return self.within / self.requests


def missed(steps: Sequence[SloStep]) -> Missed | None:
    """The target that is missed most, over all of ``steps`` together; None where none is missed beyond chance."""
    found = (_missed(target, [s for s in steps if s.target == target]) for target in {s.target for s in steps})
    return max(filter(None, found), key=lambda m: (1 - m.attained) / (1 - m.target.objective), default=None)


def _missed(target: Target, steps: Sequence[SloStep]) -> Missed | None:
    requests, hits = sum(s.requests for s in steps), sum(s.within for s in steps)
    if requests < FEWEST_REQUESTS:
        return None
    allowed = 1 - target.objective
    bad = tuple(s for s in steps if s.requests > 0 and s.missed / s.requests > allowed)
    beyond_chance = wilson(hits, requests, _Z)[1] < target.objective and 1 - hits / requests > _EXCESS * allowed
    return Missed(target, requests, hits, bad) if beyond_chance and len(bad) >= _BAD_STEPS else None


def grows(samples: Sequence[Sample]) -> float | None:
    """How many more requests wait in the last third than in the first, where the thirds rise; else None.

    Fewer than one for each ready replica are no queue.
    """
    waiting = [(s.waiting, s.ready) for s in samples if s.waiting is not None]
    third = len(waiting) // 3
    if third < FEWEST_SAMPLES / 2:
        return None
    thirds = [np.median([w for w, _ in part]) for part in (waiting[:third], waiting[third:-third], waiting[-third:])]
    queue = float(np.median([ready for _, ready in waiting]))
    rises = thirds[0] < thirds[1] < thirds[2] and thirds[2] > max(2 * thirds[0], 4 * max(queue, 1.0))
    return float(thirds[2] - thirds[0]) if rises else None
