"""The queueing model against the emulated engine's own scheduler, in compressed time."""

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


def first_tokens(points: tuple[Point, ...], rps: float, seed: int = 1) -> np.ndarray:
    """Serve Poisson arrivals with the lengths of the code trace; seconds to the first token of each."""
    prefill = Curve.through((p.batch, p.ttft_seconds / p.input_tokens) for p in points)
    timing = DecoderTiming(prefill, Curve.through((p.batch, p.tpot_seconds) for p in points), points[0].kv_cache_tokens)
    random, engine = np.random.default_rng(seed), ContinuousBatch(timing)
    arrivals = np.cumsum(random.exponential(1 / rps, REQUESTS))
    inputs = np.rint(2048 * random.choice(AZURE_CODE_2023.input_ratios, REQUESTS)).astype(int)
    outputs = np.rint(28 * random.choice(AZURE_CODE_2023.output_ratios, REQUESTS)).astype(int)
    first: dict[str, float] = {}
    for n, at in enumerate(arrivals.tolist()):
        while (event := engine.next_event) is not None and event <= at:
            note(first, engine, event)
        engine.submit(Generation(str(n), max(1, int(inputs[n])), max(1, int(outputs[n]))), at)
    while (event := engine.next_event) is not None:
        note(first, engine, event)
    return np.array([first[str(n)] - at for n, at in enumerate(arrivals.tolist())])


def note(first: dict[str, float], engine: ContinuousBatch, event: float) -> None:
    for progress in engine.advance(event):
        first.setdefault(progress.id, progress.at_seconds)


@pytest.mark.parametrize(
    ("partition", "rps", "milliseconds"),
    [
        ("2g.20gb", 2.0, 500),
        ("3g.40gb", 3.0, 300),
        ("3g.40gb", 5.0, 500),
        ("7g.80gb", 10.0, 200),
        ("7g.80gb", 15.0, 300),
    ],
)
def test_the_model_predicts_the_share_within_a_time_to_first_token(
    profile: Profile, partition: str, rps: float, milliseconds: float
) -> None:
    points = profile.on("A100-80GB", partition)
    replica = TextReplica(points, 2048, 28, AZURE_CODE_2023)
    measured = float(np.mean(first_tokens(points, rps) * 1000 <= milliseconds))
    predicted = replica.attainment(Target(Metric.TTFT, 95, milliseconds), rps)
    assert predicted == pytest.approx(measured, abs=0.03)


def test_a_rate_that_the_engine_cannot_keep_up_with_has_no_attainment(profile: Profile) -> None:
    replica = TextReplica(profile.on("A100-80GB", "1g.10gb"), 2048, 28, AZURE_CODE_2023)
    assert replica.attainment(Target(Metric.TTFT, 95, 1e6), 8.0) == 0.0
