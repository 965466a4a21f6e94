"""The measured behaviour of a model on partitions of a GPU."""

from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    TEXT_GENERATION = "text-generation"
    IMAGE_CLASSIFICATION = "image-classification"


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement. Text generation fills ttft/tpot, image classification latency; see ``Task``.

    ``batch`` is the number of requests (or images) worked on together. ``ttft_seconds`` is the prefill of
    one request of ``input_tokens`` while ``batch`` requests run, without queueing; ``tpot_seconds`` is the
    time of one decode step; ``latency_seconds`` is the time of one batch of images. ``throughput_rps`` is of
    the whole partition.
    """

    gpu: str
    partition: str
    batch: int
    throughput_rps: float
    input_tokens: int = 0
    output_tokens: int = 0
    ttft_seconds: float = 0.0
    tpot_seconds: float = 0.0
    latency_seconds: float = 0.0
    kv_cache_tokens: int = 0
    memory_gib: float = 0.0
    watts: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """All points of one model; ``load_seconds`` runs from container start to ready."""

    name: str
    task: Task
    load_seconds: float
    points: tuple[Point, ...]

    def on(self, gpu: str, partition: str) -> tuple[Point, ...]:
        """The points of one partition, by rising batch; empty when it was not measured."""
        points = (p for p in self.points if p.gpu == gpu and p.partition == partition)
        return tuple(sorted(points, key=lambda p: p.batch))
