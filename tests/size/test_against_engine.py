"""The queueing model against the emulated engine's own scheduler, in compressed time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.service import Metric, Target
from cynosure.size.lengths import AZURE_CODE_2023
from cynosure.size.text import TextReplica

from serving.batching import ContinuousBatch, Generation
from serving.timing import Curve, DecoderTiming

REQUESTS = 3000
CODE, CHAT = (2048, 28), (512, 128)
"""Mean input and output tokens."""


@pytest.fixture(scope="module")
def profile(repository: Path) -> Profile:
    spec = yaml.safe_load((repository / "examples/profiles/opt-1.3b.yaml").read_text())["spec"]
    points = tuple(
        Point(
            p["gpu"],
            p["partition"],
            p["concurrency"],
            float(p["throughputRps"]),
            p["inputTokens"],
            p["outputTokens"],
            float(p["ttftMilliseconds"]) / 1000,
            float(p["tpotMilliseconds"]) / 1000,
            kv_cache_tokens=p["kvCacheTokens"],
        )
        for p in spec["points"]
    )
    return Profile("opt-1.3b", Task.TEXT_GENERATION, spec["loadSeconds"], points)


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


MOST_ABOVE = {Metric.TTFT: 0.04, Metric.TPOT: 0.07, Metric.E2E: 0.03}
"""A share that is predicted too high breaks a promise; one too low costs a little."""
MOST_BELOW = 0.1


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("tokens", [CODE, CHAT], ids=["prefill binds", "decode binds"])
@pytest.mark.parametrize("partition", ["1g.10gb", "3g.40gb", "7g.80gb"])
def test_the_model_predicts_the_share_within_each_target(
    profile: Profile, partition: str, tokens: tuple[int, int], load: float
) -> None:
    points = profile.on("A100-80GB", partition)
    replica = TextReplica(points, *tokens, AZURE_CODE_2023)
    rps = load * stable_rps(replica)
    served = serve(points, poisson(rps), tokens)
    for metric, most_above in MOST_ABOVE.items():
        errors = []
        for percentile in (90, 95, 99):
            limit = 1.05 * float(np.percentile(served.of(metric), percentile))
            measured = float(np.mean(served.of(metric) <= limit))
            errors.append(replica.attainment(Target(metric, percentile, 1000 * limit), rps) - measured)
        assert max(errors) < most_above, metric
        assert min(errors) > -MOST_BELOW, metric
        assert abs(np.mean(errors)) < 0.06, metric


@pytest.mark.parametrize("tokens", [CODE, CHAT], ids=["prefill binds", "decode binds"])
@pytest.mark.parametrize("partition", ["3g.40gb", "7g.80gb"])
def test_where_the_model_sees_the_queue_grow_it_grows(
    profile: Profile, partition: str, tokens: tuple[int, int]
) -> None:
    points = profile.on("A100-80GB", partition)
    edge = stable_rps(TextReplica(points, *tokens, AZURE_CODE_2023))
    below, above = (serve(points, poisson(share * edge), tokens).ttft for share in (0.85, 1.3))
    assert above[-300:].mean() > 5 * above[:300].mean()
    assert below[-300:].mean() < 0.2 * above[-300:].mean()


def test_random_routing_over_replicas_is_as_good_as_each_of_them(profile: Profile) -> None:
    points, random = profile.on("A100-80GB", "3g.40gb"), np.random.default_rng(5)
    replica = TextReplica(points, *CODE, AZURE_CODE_2023)
    each = 0.6 * stable_rps(replica)
    arrivals = poisson(3 * each, 3 * REQUESTS)
    routed = random.integers(0, 3, len(arrivals))
    ttft = np.concatenate([serve(points, arrivals[routed == n], seed=n).ttft for n in range(3)])
    limit = float(np.percentile(ttft, 95))
    assert replica.attainment(Target(Metric.TTFT, 95, 1000 * limit), each) == pytest.approx(0.95, abs=0.03)


def test_a_rate_that_the_engine_cannot_keep_up_with_has_no_attainment(profile: Profile) -> None:
    replica = TextReplica(profile.on("A100-80GB", "1g.10gb"), 2048, 28, AZURE_CODE_2023)
    assert replica.attainment(Target(Metric.TTFT, 95, 1e6), 8.0) == 0.0
