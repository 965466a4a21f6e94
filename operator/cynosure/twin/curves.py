"""The measured points of a profile as tables by whole batch sizes, so that compiled code need not interpolate."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from cynosure.errors import BadInput
from cynosure.model.mig import geometry_of
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.signals import Floats
from cynosure.twin.tally import Integers

IDLE_WATTS_SHARE: Final = 0.4
"""An assumption: a partition without work draws this part of what it draws with one request (an A100 that holds a
model idles at some 55 W and draws some 130 W with one request)."""


class Curves(NamedTuple):
    """One row for each partition; the columns of a table are batch sizes from 0 (nothing runs) to the largest."""

    is_text: bool
    step_seconds: Floats
    """Of an iteration, or of a whole batch of images."""
    prompt_seconds: Floats
    """Of one prompt token."""
    watts: Floats
    largest_batch: Integers
    kv_cache_tokens: Floats
    """Infinite where the profile has none."""
    gpu_share: Floats


def curves_of(profile: Profile, gpu: str, partitions: Sequence[str]) -> Curves:
    """:raises BadInput: a partition was not measured, or its points lack what its task needs."""
    points = [_points(profile, gpu, partition) for partition in partitions]
    is_text = profile.task is Task.TEXT_GENERATION
    size = 1 + max(each[-1].batch for each in points)
    share = geometry_of(gpu).gpu_share
    return Curves(
        is_text=is_text,
        step_seconds=_table(points, size, lambda p: p.tpot_seconds if is_text else p.latency_seconds),
        prompt_seconds=_table(points, size, lambda p: p.ttft_seconds / max(p.input_tokens, 1)),
        watts=_watts(points, size),
        largest_batch=np.array([each[-1].batch for each in points]),
        kv_cache_tokens=np.array([_kv_cache_tokens(each) for each in points]),
        gpu_share=np.array([share(partition) for partition in partitions]),
    )


def _points(profile: Profile, gpu: str, partition: str) -> tuple[Point, ...]:
    points = profile.on(gpu, partition)
    if not points:
        measured = sorted({f"{p.partition} on {p.gpu}" for p in profile.points})
        raise BadInput(f"profile {profile.name}: no point for {partition} on {gpu}; it has {', '.join(measured)}")
    needed = "tpot" if profile.task is Task.TEXT_GENERATION else "latency"
    if any(getattr(point, f"{needed}_seconds") <= 0 for point in points):
        raise BadInput(f"profile {profile.name}: a point for {partition} on {gpu} has no {needed}")
    return points


def _kv_cache_tokens(points: Sequence[Point]) -> float:
    return min((float(p.kv_cache_tokens) for p in points if p.kv_cache_tokens), default=np.inf)


def _table(points: Sequence[tuple[Point, ...]], size: int, value: Callable[[Point], float]) -> Floats:
    batches = np.arange(size)
    rows = [np.interp(batches, [p.batch for p in each], [value(p) for p in each]) for each in points]
    return np.array(rows, dtype=np.float64)


def _watts(points: Sequence[tuple[Point, ...]], size: int) -> Floats:
    watts = _table(points, size, lambda p: p.watts)
    watts[:, 0] = IDLE_WATTS_SHARE * watts[:, 1]
    return watts
