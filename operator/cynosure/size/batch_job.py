"""A job with a deadline (``slo.batch``): how many replicas of which partition classify its images in time.

The same program as ``cynosure.size.deadline``, for replicas that are all alike: each does as many images as the
deadline allows, and the fewest that add up to the job are taken. The warm-up of the paper is loading the model and
the first mini-batch, since the deadline of a job runs from its creation.
"""

from collections.abc import Iterable
from math import ceil

import numpy as np

from cynosure.model.mig import geometry_of
from cynosure.model.plan import Option
from cynosure.model.profile import Point, Profile
from cynosure.model.service import Service
from cynosure.size.deadline import ImageGpu, most_images
from cynosure.size.options import Sizing, cheapest_first

_MOST_RUNS = 1_000_000_000


def size_batch_job(
    service: Service, profile: Profile, images: int, deadline_seconds: float, products: Iterable[str]
) -> Sizing:
    """Return one option for each measured partition that does any image in time, the cheapest first."""
    return cheapest_first(
        service,
        profile,
        tuple(products),
        lambda points: _option(points, profile, images, deadline_seconds),
        lambda candidates: _too_soon(candidates, profile, deadline_seconds),
    )


def image_gpu(points: tuple[Point, ...], load_seconds: float) -> ImageGpu:
    """Fit the time of a mini-batch, a + b·m, to the measured ones; a single one counts for all up to its size."""
    sizes, seconds = np.array([(p.batch, p.latency_seconds) for p in points]).T
    per_image = max(0.0, float(np.polyfit(sizes, seconds, 1)[0])) if len(points) > 1 else 0.0
    constant = max(0.0, float(np.mean(seconds - per_image * sizes)))
    return ImageGpu(
        latency_seconds=(constant, per_image),
        warmup_seconds=(load_seconds + constant, per_image),
        max_minibatch=points[-1].batch,
        max_runs=_MOST_RUNS,
    )


def _option(points: tuple[Point, ...], profile: Profile, images: int, deadline_seconds: float) -> Option | None:
    shares = most_images([image_gpu(points, profile.load_seconds)], deadline_seconds)
    if not shares:
        return None
    each, replicas = shares[0].images, ceil(images / shares[0].images)
    gpu, partition = points[0].gpu, points[0].partition
    return Option(
        partition=partition,
        gpu_product=gpu,
        replicas=replicas,
        batch=shares[0].minibatch,
        capacity_rps=replicas * each / deadline_seconds,
        gpu_share=geometry_of(gpu).gpu_share(partition) * replicas,
        watts=max(point.watts for point in points) * replicas,
    )


def _too_soon(candidates: Iterable[tuple[Point, ...]], profile: Profile, deadline_seconds: float) -> str:
    gpus = {points[0].partition: image_gpu(points, profile.load_seconds) for points in candidates}
    needed, partition = min((sum(gpu.warmup_seconds), partition) for partition, gpu in gpus.items())
    return (
        f"deadlineSeconds: got {deadline_seconds:g}; loading {profile.name} and its first image take "
        f"{needed:.1f} s on {partition}, the fastest of those allowed"
    )
