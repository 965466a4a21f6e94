"""From a ModelProfile, as an object or a file, to the measurements that sizing interpolates."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from cynosure.api import API_VERSION, Invalid, ModelProfile, parse
from cynosure.api.model_profile import ProfilePoint
from cynosure.errors import BadInput
from cynosure.model.profile import Point, Profile


def profile_of(resource: ModelProfile) -> Profile:
    spec = resource.spec
    points = tuple(_point(point) for point in spec.points)
    return Profile(resource.metadata.name, spec.task, float(spec.load_seconds), points)


def read_profile(path: Path) -> Profile:
    """Read a ModelProfile manifest or its bare ``spec``, YAML or JSON. :raises BadInput: naming file and field."""
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not YAML or JSON ({' '.join(str(error).split())})") from error
    if isinstance(body, dict) and "spec" not in body:
        body = {"apiVersion": API_VERSION, "kind": "ModelProfile", "metadata": {"name": path.stem}, "spec": body}
    read = parse(ModelProfile, body)
    if isinstance(read, Invalid):
        raise BadInput(f"{path}: not a ModelProfile: {read.message}")
    return profile_of(read)


def interpolation_error(points: Sequence[Point]) -> float | None:
    """Return by how much a time between points is missed at most, found by leaving each inner point out.

    ``points`` are those of one partition, by rising batch; None for fewer than three, which cannot tell.
    """
    batch = np.array([point.batch for point in points], dtype=float)
    errors: list[float] = []
    for name in ("ttft_seconds", "tpot_seconds", "latency_seconds"):
        seconds = np.array([getattr(point, name) for point in points])
        for n in range(1, len(points) - 1):
            left, right = n - 1, n + 1
            between = np.interp(batch[n], batch[[left, right]], seconds[[left, right]])
            errors.append(abs(float(between / seconds[n]) - 1) if seconds[n] > 0 else 0.0)
    return max(errors, default=None)


def _point(point: ProfilePoint) -> Point:
    return Point(
        gpu=point.gpu,
        partition=point.partition,
        batch=point.concurrency or point.batch or 1,
        throughput_rps=float(point.throughput_rps),
        input_tokens=point.input_tokens or 0,
        output_tokens=point.output_tokens or 0,
        ttft_seconds=float(point.ttft_milliseconds or 0) / 1000,
        tpot_seconds=float(point.tpot_milliseconds or 0) / 1000,
        latency_seconds=float(point.latency_milliseconds or 0) / 1000,
        kv_cache_tokens=point.kv_cache_tokens or 0,
        memory_gib=float(point.memory_gib or 0),
        watts=float(point.watts or 0),
    )
