"""Measured points of models on partitions, as CSV (``.gz`` too): what a partition serves, and how quickly."""

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final, TextIO

from cynosure.errors import BadInput
from cynosure.model.mig import Profile, geometry_of

_COLUMNS: Final = ("model", "gpcs", "batch", "processes", "throughput_rps", "latency_ms")
_GPCS: Final = (1, 2, 3, 4, 7)


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """``throughput_rps`` of the whole partition; 0 where the model does not fit."""

    gpcs: int
    throughput_rps: float
    latency_ms: float


Points = Mapping[str, tuple[MeasuredPoint, ...]]
"""By model."""


def read_points(path: Path) -> Points:
    """:raises BadInput: naming the file, the line and the column."""
    found: dict[str, list[MeasuredPoint]] = {}
    try:
        with _opened(path) as file:
            for model, point in _rows(file, path):
                found.setdefault(model, []).append(point)
    except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile) as error:
        raise BadInput(f"{path}: not a CSV file ({error})") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
    return {model: tuple(points) for model, points in found.items()}


def profile_for(product: str, gpcs: int) -> Profile | None:
    """Return the profile with so many compute slices; where there are several, the one with the least memory."""
    found = [p for p in geometry_of(product).profiles if p.compute_slices == gpcs and not p.has_media]
    return min(found, key=lambda profile: profile.memory_slices, default=None)


def throughputs(points: tuple[MeasuredPoint, ...], product: str, latency_ms: float) -> dict[str, float]:
    """Return the most that each profile serves below ``latency_ms``; those that cannot are left out."""
    best: dict[str, float] = {}
    for point in points:
        profile = profile_for(product, point.gpcs)
        if profile is not None and point.throughput_rps > 0 and point.latency_ms < latency_ms:
            best[profile.name] = max(best.get(profile.name, 0.0), point.throughput_rps)
    return best


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(file: TextIO, path: Path) -> Iterator[tuple[str, MeasuredPoint]]:
    reader = csv.DictReader(file)
    for column in _COLUMNS:
        if column not in (reader.fieldnames or ()):
            raise BadInput(f"{path}: no column {column!r}; the header must have {','.join(_COLUMNS)}")
    for row in reader:
        where = f"{path}: line {reader.line_num}"
        model = (row["model"] or "").strip()
        if not model:
            raise BadInput(f"{where}: model is empty; write its name")
        gpcs = _number(row, "gpcs", where)
        if gpcs not in _GPCS:
            raise BadInput(f"{where}: gpcs is {gpcs:g}; MIG has {', '.join(map(str, _GPCS))}")
        throughput, latency = (_number(row, column, where) for column in ("throughput_rps", "latency_ms"))
        yield model, MeasuredPoint(int(gpcs), throughput, latency)


def _number(row: Mapping[str, str | None], column: str, where: str) -> float:
    text = (row[column] or "").strip()
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"{where}: {column} is {text!r}; write a number from 0") from None
    if not isfinite(value) or value < 0:
        raise BadInput(f"{where}: {column} is {text}; write a finite number from 0")
    return value
