"""Builders of profiles, timings and runs of a machine in compressed time."""

from collections import defaultdict
from typing import Any

from serving.batching import ContinuousBatch, Generation, Progress
from serving.timing import Curve, DecoderTiming

GPU, PARTITION, MODEL = "A100-80GB", "3g.40gb", "chat"


def text_spec(*, step_ms: float = 2.0, ttft_ms: float = 4.0, kv: int = 4000, load_seconds: float = 0) -> dict[str, Any]:
    """Concurrency 1 to 4; at 4, steps and prefills take half as long again."""
    point = {"gpu": GPU, "partition": PARTITION, "inputTokens": 400, "outputTokens": 20, "kvCacheTokens": kv}
    points = [
        {**point, "concurrency": c, "tpotMilliseconds": str(step_ms * f), "ttftMilliseconds": str(ttft_ms * f)}
        for c, f in ((1, 1.0), (4, 1.5))
    ]
    return {"task": "text-generation", "loadSeconds": load_seconds, "points": points}


def image_spec(*, base_ms: float = 4.0) -> dict[str, Any]:
    """Batches 1 to 8; latency doubles from 1 to 8."""
    point = {"gpu": GPU, "partition": PARTITION, "processes": 1}
    points = [{**point, "batch": b, "latencyMilliseconds": str(base_ms * f)} for b, f in ((1, 1.0), (8, 2.0))]
    return {"task": "image-classification", "points": points}


def decoder(*, kv: int = 10_000) -> DecoderTiming:
    """1 ms of prefill per token; steps of 10 ms alone, 40 ms for four."""
    return DecoderTiming(
        prefill_per_token=Curve.through([(1, 0.001), (4, 0.001)]),
        step=Curve.through([(1, 0.010), (4, 0.040)]),
        kv_cache_tokens=kv,
    )


def run_to_the_end(machine: ContinuousBatch, arrivals: list[tuple[float, Generation]]) -> dict[str, list[float]]:
    """The times at which each request got its tokens, when the requests arrive at the given times."""
    happened: list[Progress] = []
    for at, request in sorted(arrivals, key=lambda arrival: arrival[0]):
        happened += machine.advance(at)
        machine.submit(request, at)
    happened += machine.advance(float("inf"))
    return token_times(happened)


def token_times(happened: list[Progress]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = defaultdict(list)
    for progress in happened:
        times[progress.id].append(progress.at_seconds)
    return dict(times)
