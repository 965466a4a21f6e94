"""From a ModelProfile, as an object or a file, to the measurements that sizing interpolates."""

from pathlib import Path

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
