"""The engine against the emulated engine's own machine, which shares no code with it."""

import numpy as np
import pytest
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.service import Metric, Target
from cynosure.twin.curves import curves_of
from cynosure.twin.tally import Tally, record, tally_for
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batching import ContinuousBatch, Generation
from serving.dynamic_batching import Classification, DynamicBatch
from serving.timing import ClassifierTiming, Curve, DecoderTiming
from tests.twin.conftest import GPU, arrivals, served

TARGETS = (Target(Metric.TTFT, 95, 300), Target(Metric.TPOT, 95, 12), Target(Metric.E2E, 95, 600))
PARTITION = "3g.40gb"
SIZES, PROMPT_MS, STEP_MS, KV = (1, 4, 8), (0.1, 0.12, 0.2), (8.0, 10.0, 15.0), 9000
BESIDE_A_STEP_SECONDS = 1.37e-5
"""Who comes in the very moment in which a step ends is before or after it by rounding."""

requests = st.lists(st.tuples(st.floats(0, 0.3), st.integers(1, 5000), st.integers(1, 60)), min_size=1, max_size=60)


def text_profile() -> Profile:
    points = [
        Point(GPU, PARTITION, size, 1.0, 1000, 20, prompt, step / 1000, 0.0, KV)
        for size, prompt, step in zip(SIZES, PROMPT_MS, STEP_MS, strict=True)
    ]
    return Profile("text", Task.TEXT_GENERATION, 0.0, tuple(points))


def by_serving(at: list[float], inputs: list[int], outputs: list[int]) -> Tally:
    timing = DecoderTiming(
        Curve.through(zip(SIZES, [ms / 1000 for ms in PROMPT_MS], strict=True)),
        Curve.through(zip(SIZES, [ms / 1000 for ms in STEP_MS], strict=True)),
        KV,
    )
    machine, happened = ContinuousBatch(timing), []
    for n, now in enumerate(at):
        happened += machine.advance(now)
        machine.submit(Generation(str(n), inputs[n], outputs[n]), now)
    happened += machine.advance(float("inf"))
    first: dict[int, float] = {}
    tally = tally_for(TARGETS)
    for progress in happened:
        n = int(progress.id)
        first.setdefault(n, progress.at_seconds)
        if progress.finished:
            record(tally, n, at[n], first[n], progress.at_seconds, outputs[n])
    return tally


def moved(one: Tally, other: Tally) -> float:
    """By how many buckets (2 % each) a request is off, on average: earth mover's distance of the histograms."""
    apart = np.abs(np.cumsum(one.buckets - other.buckets, axis=1)).sum()
    return float(apart) / max(1, int(other.buckets.sum()))


@settings(max_examples=60, deadline=None)
@given(requests)
def test_every_request_takes_as_long_as_in_the_machine_that_steps_token_by_token(
    load: list[tuple[float, int, int]],
) -> None:
    gaps, inputs, outputs = (list(column) for column in zip(*load, strict=True))
    at = np.cumsum(np.array(gaps) + BESIDE_A_STEP_SECONDS).tolist()

    mine = served(arrivals(at, inputs, outputs), curves_of(text_profile(), GPU, [PARTITION]), targets=TARGETS)

    assert moved(mine, by_serving(at, inputs, outputs)) < 0.1, "but for rounding at the edge of a bucket"


def test_a_busy_ten_minutes_agree_in_attainment_and_percentiles() -> None:
    random = np.random.default_rng(3)
    at = np.cumsum(random.exponential(1 / 4.5, 2700)).tolist()
    inputs, outputs = random.integers(100, 3000, 2700).tolist(), random.integers(1, 60, 2700).tolist()

    mine = served(arrivals(at, inputs, outputs), curves_of(text_profile(), GPU, [PARTITION]), targets=TARGETS)
    theirs = by_serving(at, inputs, outputs)

    assert moved(mine, theirs) < 0.01
    assert mine.met.tolist() == pytest.approx(theirs.met.tolist(), abs=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 0.02), min_size=1, max_size=80))
def test_images_take_as_long_as_in_the_dynamic_batcher(gaps: list[float]) -> None:
    at = np.cumsum(gaps).tolist()
    sizes, seconds = (1, 4, 8), (0.010, 0.013, 0.025)
    points = [Point(GPU, PARTITION, size, 1.0, latency_seconds=s) for size, s in zip(sizes, seconds, strict=True)]
    curves = curves_of(Profile("image", Task.IMAGE_CLASSIFICATION, 0.0, tuple(points)), GPU, [PARTITION])
    machine, happened = DynamicBatch(ClassifierTiming(Curve.through(zip(sizes, seconds, strict=True)))), []
    for n, now in enumerate(at):
        happened += machine.advance(now)
        machine.submit(Classification(str(n)), now)
    happened += machine.advance(float("inf"))
    theirs = tally_for(TARGETS)
    for progress in happened:
        record(theirs, int(progress.id), at[int(progress.id)], progress.at_seconds, progress.at_seconds, 1)

    assert moved(served(arrivals(at), curves, targets=TARGETS), theirs) < 0.1
