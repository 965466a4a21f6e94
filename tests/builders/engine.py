"""The emulated engine's own scheduler under Poisson arrivals, in compressed time."""

from dataclasses import dataclass

import numpy as np
from cynosure.model.profile import Point
from cynosure.model.service import Metric
from cynosure.size.lengths import AZURE_CODE_2023
from cynosure.size.text import TextReplica

from serving.batching import ContinuousBatch, Generation
from serving.timing import Curve, DecoderTiming

REQUESTS = 3000
CODE, CHAT = (2048, 28), (512, 128)
"""Mean input and output tokens."""


@dataclass(frozen=True, slots=True)
class Served:
    """Seconds of each request."""

    ttft: np.ndarray
    tpot: np.ndarray
    e2e: np.ndarray

    def of(self, metric: Metric) -> np.ndarray:
        return {Metric.TTFT: self.ttft, Metric.TPOT: self.tpot, Metric.E2E: self.e2e}[metric]


def poisson(rps: float, requests: int = REQUESTS, seed: int = 1) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rps, requests))


def serve(points: tuple[Point, ...], arrivals: np.ndarray, tokens: tuple[int, int] = CODE, seed: int = 2) -> Served:
    """Serve requests with the mean ``tokens`` and the spread of the code trace on the engine's own scheduler."""
    prefill = Curve.through((p.batch, p.ttft_seconds / p.input_tokens) for p in points)
    timing = DecoderTiming(prefill, Curve.through((p.batch, p.tpot_seconds) for p in points), points[0].kv_cache_tokens)
    random, engine, count = np.random.default_rng(seed), ContinuousBatch(timing), len(arrivals)
    ratios = (AZURE_CODE_2023.input_ratios, AZURE_CODE_2023.output_ratios)
    inputs, outputs = (
        np.maximum(1, np.rint(n * random.choice(r, count))).astype(int) for n, r in zip(tokens, ratios, strict=True)
    )
    first, last = np.zeros(count), np.zeros(count)

    def note(event: float) -> None:
        for progress in engine.advance(event):
            n = int(progress.id)
            first[n] = first[n] or progress.at_seconds
            last[n] = progress.at_seconds

    for n, at in enumerate(arrivals.tolist()):
        while (event := engine.next_event) is not None and event <= at:
            note(event)
        engine.submit(Generation(str(n), int(inputs[n]), int(outputs[n])), at)
    while (event := engine.next_event) is not None:
        note(event)
    return Served(first - arrivals, (last - first) / np.maximum(outputs - 1, 1), last - arrivals)


def stable_rps(replica: TextReplica) -> float:
    """The rate above which the model sees the queue grow."""
    low, high = 0.0, replica.measured_rps
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if replica.state(middle) is None else (middle, high)
    return low
