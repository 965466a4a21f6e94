"""Images before a deadline: both integer programs of González-Vidal et al. (WoSC'23), solved to proven optimality.

GPU i works on mini-batches of m images, 1 <= m <= MB_i. The first one is part of a warm-up of W_i(m) = c + d·m
seconds; t more, 0 <= t <= M_i, take L_i(m) = a + b·m seconds each. That makes (t + 1)·m images.

1. Fewest GPUs: min N_G, such that max_i (W_i(m_i) + t_i·L_i(m_i)) <= T and Σ (t_i + 1)·m_i >= N and N_G <= N_GPU.
2. Most images: max Σ (t_i + 1)·m_i, such that max_i (W_i(m_i) + t_i·L_i(m_i)) <= T. The paper has the factor N_GPU
   before this sum. With i running over the GPUs that would count each of them N_GPU times, so it is left out.

Reduction. The deadline binds each GPU by itself and the images add up, so no choice for one GPU limits another. Let
C_i be the most images of GPU i alone in T: for each m the images rise with t, so only the largest t that fits can be
best, and C_i is a maximum over m alone. Then (2) is Σ C_i. For (1), k given GPUs suffice iff their C_i add up to N;
of all sets of k, the k largest C_i have the largest sum (exchange any other member for a larger one: the sum does not
fall); so the answer is the least k whose k largest C_i reach N. Of the answers with that k, the one that ends first is
given: no C_i falls when T grows, so bisection finds it, up to one part in a million.

Floats only propose and exact fractions decide: a deadline that is reached exactly is met, as written in decimals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cynosure.errors import BadInput
from cynosure.model.signals import Floats
from cynosure.size.lists import read_list

_Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]

_ROUNDING = 1e-14
"""More than the rounding of the few float operations below, relative to the deadline."""
_PRECISION, _INSTANT_SECONDS = 1e-6, 1e-12
"""Of the earliest finish; what is shorter than an instant is not told apart."""


class ImageGpu(BaseModel):
    """One GPU: seconds of a run and of the warm-up as (constant, per image)."""

    model_config = ConfigDict(frozen=True)

    latency_seconds: tuple[_Seconds, _Seconds]
    warmup_seconds: tuple[_Seconds, _Seconds]
    max_minibatch: Annotated[int, Field(ge=1, le=100_000)]
    max_runs: Annotated[int, Field(ge=0, le=1_000_000_000)]


@dataclass(frozen=True, slots=True)
class Share:
    """What one GPU does: ``runs`` are those after the warm-up, which works on a mini-batch as well."""

    index: int
    minibatch: int
    runs: int
    seconds: float

    @property
    def images(self) -> int:
        return (self.runs + 1) * self.minibatch


def most_images(gpus: Sequence[ImageGpu], deadline_seconds: float) -> tuple[Share, ...]:
    """Solve program 2. Of equal shares the one done first is taken; a GPU that cannot warm up in time has none."""
    return _Choices.of(gpus).shares(deadline_seconds)


def fewest_gpus(gpus: Sequence[ImageGpu], images: int, deadline_seconds: float) -> tuple[Share, ...] | None:
    """Solve program 1, done as early as so many GPUs can; None when all GPUs together do not do ``images``."""
    choices = _Choices.of(gpus)
    largest = _largest_first(choices.shares(deadline_seconds))
    done = accumulate(share.images for share in largest)
    count = next((n for n, total in enumerate(done, start=1) if total >= images), None)
    if count is None:
        return None
    sooner = _earliest(choices, count, images, deadline_seconds)
    return tuple(sorted(_largest_first(choices.shares(sooner))[:count], key=lambda share: share.index))


def earliest_seconds(gpus: Sequence[ImageGpu], images: int) -> float | None:
    """Return how soon all GPUs together do ``images``; None when their limits of mini-batch and runs forbid it."""
    if sum((gpu.max_runs + 1) * gpu.max_minibatch for gpu in gpus) < images:
        return None
    slowest = max(_seconds(gpu, gpu.max_minibatch, gpu.max_runs) for gpu in gpus)
    return _earliest(_Choices.of(gpus), len(gpus), images, (1 + _PRECISION) * float(slowest))


def read_gpus(path: Path) -> tuple[ImageGpu, ...]:
    """:raises BadInput: naming the file and the field."""
    found = read_list(path, TypeAdapter(tuple[ImageGpu, ...]), "GPU")
    if not found:
        raise BadInput(f"{path}: an empty list; write one object for each GPU")
    return found


def _largest_first(shares: Sequence[Share]) -> list[Share]:
    return sorted(shares, key=lambda share: (-share.images, share.seconds, share.index))


@dataclass(frozen=True, slots=True)
class _Choices:
    """Every mini-batch of every kind of GPU, one kind after the other from ``starts``; ``kinds`` of all the GPUs."""

    gpus: Sequence[ImageGpu]
    kinds: Sequence[int]
    starts: Sequence[int]
    minibatch: Floats
    warmup: Floats
    run: Floats
    most_runs: Floats

    @classmethod
    def of(cls, gpus: Sequence[ImageGpu]) -> "_Choices":
        distinct = list(dict.fromkeys(gpus))
        place = {gpu: kind for kind, gpu in enumerate(distinct)}
        sizes = [gpu.max_minibatch for gpu in distinct]
        minibatch = np.concatenate([np.arange(1.0, size + 1) for size in sizes])
        columns = [(*gpu.warmup_seconds, *gpu.latency_seconds, gpu.max_runs) for gpu in distinct]
        warmup, per_warmup, run, per_run, most_runs = np.repeat(np.array(columns, dtype=float), sizes, axis=0).T
        return cls(
            distinct,
            [place[gpu] for gpu in gpus],
            [0, *accumulate(sizes[:-1])],
            minibatch,
            warmup + per_warmup * minibatch,
            run + per_run * minibatch,
            most_runs,
        )

    def images(self, seconds: float, rounding: float) -> Floats:
        """Return the images that each choice does in time; an upper bound (``rounding`` > 0), or a lower one."""
        left = (1 + rounding) * seconds - self.warmup
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            runs = np.fmin(np.floor(left / self.run), self.most_runs)
        return np.where(left >= 0, (runs + 1) * self.minibatch, 0.0)

    def shares(self, seconds: float) -> tuple[Share, ...]:
        """Return the exact largest share of each GPU that has one."""
        bounds = np.split(self.images(seconds, _ROUNDING), self.starts[1:])
        best = [_best(gpu, of, seconds) for gpu, of in zip(self.gpus, bounds, strict=True)]
        found = ((index, best[kind]) for index, kind in enumerate(self.kinds))
        return tuple(Share(index, *share) for index, share in found if share is not None)


def _earliest(choices: _Choices, count: int, images: int, enough_seconds: float) -> float:
    """Return about the least time in which some ``count`` GPUs do ``images``."""
    low, high = 0.0, enough_seconds
    while high - low > max(_PRECISION * high, _INSTANT_SECONDS):
        middle = (low + high) / 2
        most = np.maximum.reduceat(choices.images(middle, -_ROUNDING), choices.starts)[choices.kinds]
        low, high = (low, middle) if np.sort(most)[-count:].sum() >= images else (middle, high)
    return high


def _best(gpu: ImageGpu, bounds: Floats, seconds: float) -> tuple[int, int, float] | None:
    """Return mini-batch, runs and seconds: what the floats put first is checked, until no bound is above the best."""
    while (bound := bounds.max()) > 0:
        shares = []
        for first in np.flatnonzero(bounds == bound).tolist():
            minibatch = first + 1
            runs = _most_runs(gpu, minibatch, seconds)
            bounds[first] = (runs + 1) * minibatch
            if bounds[first] == bound:
                shares.append((_seconds(gpu, minibatch, runs), minibatch, runs))
        if shares:
            total, minibatch, runs = min(shares)
            return minibatch, runs, float(total)
    return None


def _most_runs(gpu: ImageGpu, minibatch: int, seconds: float) -> int:
    """Return how many runs fit after the warm-up; -1 when that does not fit."""
    warmup, run = (_exact(constant) + _exact(each) * minibatch for constant, each in _times(gpu))
    left = _exact(seconds) - warmup
    if left < 0:
        return -1
    return min(gpu.max_runs, left // run) if run else gpu.max_runs


def _seconds(gpu: ImageGpu, minibatch: int, runs: int) -> Fraction:
    warmup, run = (_exact(constant) + _exact(each) * minibatch for constant, each in _times(gpu))
    return warmup + runs * run


def _times(gpu: ImageGpu) -> tuple[tuple[float, float], tuple[float, float]]:
    return gpu.warmup_seconds, gpu.latency_seconds


@lru_cache(maxsize=4096)
def _exact(seconds: float) -> Fraction:
    """Return the shortest decimal that reads as this float: what was written."""
    return Fraction(repr(seconds))
