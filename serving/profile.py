"""Reads a profile file: the ``.spec`` of a ModelProfile, or the whole manifest, as YAML or JSON."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError
from pydantic.alias_generators import to_camel

from serving.timing import ClassifierTiming, Curve, DecoderTiming


class ProfileError(ValueError):
    """The profile cannot be used; the one-line message names the field, the limit and what would work."""


class _Border(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, allow_inf_nan=False)


class Point(_Border):
    """One measurement. Text generation fills concurrency, image classification fills batch."""

    gpu: str
    partition: str
    concurrency: PositiveInt | None = None
    input_tokens: PositiveInt | None = None
    ttft_milliseconds: PositiveFloat | None = None
    tpot_milliseconds: PositiveFloat | None = None
    kv_cache_tokens: PositiveInt | None = None
    batch: PositiveInt | None = None
    processes: PositiveInt = 1
    latency_milliseconds: PositiveFloat | None = None


class Profile(_Border):
    """The part of a ModelProfile's spec that timing needs; other fields are the operator's business."""

    task: Literal["text-generation", "image-classification"]
    load_seconds: float = Field(default=0.0, ge=0)
    points: tuple[Point, ...] = Field(min_length=1)

    def on(self, gpu: str, partition: str) -> tuple[Point, ...]:
        points = tuple(p for p in self.points if p.gpu == gpu and p.partition == partition)
        if not points:
            measured = ", ".join(sorted({f"{p.gpu} {p.partition}" for p in self.points}))
            raise ProfileError(f"points: no measurement on {gpu} {partition}; measured are {measured}")
        return points


def read_profile(path: Path) -> Profile:
    """The profile in ``path``; ProfileError when it cannot be read or a field is wrong."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProfileError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    spec = document.get("spec", document) if isinstance(document, dict) else document
    try:
        return Profile.model_validate(spec)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ProfileError(f"{path}: {field}: {first['msg']}") from error


def decoder_timing(profile: Profile, gpu: str, partition: str) -> DecoderTiming:
    points = profile.on(gpu, partition)
    rows = [
        _row(p, "concurrency", "ttft_milliseconds", "tpot_milliseconds", "input_tokens", "kv_cache_tokens")
        for p in points
    ]
    prefill_per_token = Curve.through([(int(c), ttft / 1000 / tokens) for c, ttft, _, tokens, _ in rows])
    step = Curve.through([(int(c), tpot / 1000) for c, _, tpot, _, _ in rows])
    kv_cache_tokens = min(int(kv) for *_, kv in rows)
    return DecoderTiming(prefill_per_token, step, kv_cache_tokens)


def classifier_timing(profile: Profile, gpu: str, partition: str) -> ClassifierTiming:
    """Points measured with one process; several processes on a partition are several engines, not one."""
    alone = [p for p in profile.on(gpu, partition) if p.processes == 1]
    if not alone:
        raise ProfileError(f"points: {gpu} {partition} has none with processes 1, which is what one engine is")
    rows = [_row(p, "batch", "latency_milliseconds") for p in alone]
    return ClassifierTiming(Curve.through([(int(batch), latency / 1000) for batch, latency in rows]))


def _row(point: Point, *fields: str) -> tuple[float, ...]:
    values: dict[str, Any] = {field: getattr(point, field) for field in fields}
    missing = [to_camel(field) for field, value in values.items() if value is None]
    if missing:
        raise ProfileError(f"points: {point.gpu} {point.partition}: {', '.join(missing)} missing")
    return tuple(float(value) for value in values.values())
