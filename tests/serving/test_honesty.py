"""What the engine does takes as long as its profile says: within 5 %, at each point of the committed profiles."""

import asyncio
import statistics
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.batching import ContinuousBatch, Generation
from serving.dynamic_batching import BATCHING_WINDOW_SECONDS, Classification, DynamicBatch
from serving.profile import classifier_timing, decoder_timing, read_profile
from tests.serving.builders import text_spec, token_times
from tests.serving.conftest import Client, Serve

pytestmark = pytest.mark.slow

PROFILES = Path(__file__).resolve().parents[2] / "examples" / "profiles"
TEXT, IMAGES = PROFILES / "opt-1.3b.yaml", PROFILES / "resnet-152.yaml"


def points(path: Path) -> list[Any]:
    """As measured, read without the code under test."""
    return [
        pytest.param(point, id=f"{point['partition']} at {point.get('concurrency') or point['batch']}")
        for point in yaml.safe_load(path.read_text())["spec"]["points"]
    ]


def text_engine(point: dict[str, Any]) -> ContinuousBatch:
    return ContinuousBatch(decoder_timing(read_profile(TEXT), point["gpu"], point["partition"]))


def image_engine(point: dict[str, Any]) -> DynamicBatch:
    return DynamicBatch(classifier_timing(read_profile(IMAGES), point["gpu"], point["partition"]))


@pytest.mark.parametrize("point", points(TEXT))
def test_ttft_and_tpot_in_compressed_time(point: dict[str, Any]) -> None:
    machine = text_engine(point)
    step_seconds = float(point["tpotMilliseconds"]) / 1000
    for number in range(point["concurrency"] - 1):
        machine.submit(Generation(f"running {number}", 1, 400), 0.0)
    happened = machine.advance(20 * step_seconds)
    arrived = happened[-1].at_seconds + step_seconds / 3 if happened else 0.0  # in the middle of a step

    machine.submit(Generation("watched", point["inputTokens"], 40), arrived)
    times = token_times(machine.advance(arrived + 60))["watched"]

    assert times[0] - arrived == pytest.approx(float(point["ttftMilliseconds"]) / 1000, rel=0.05)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert statistics.median(gaps) == pytest.approx(step_seconds, rel=0.05)


@pytest.mark.parametrize("point", points(TEXT))
def test_text_throughput_of_as_many_clients_that_never_pause(point: dict[str, Any]) -> None:
    machine = text_engine(point)
    sent = done = 0
    now = 0.0
    while done < 400:
        while sent < done + point["concurrency"]:
            machine.submit(Generation(str(sent), point["inputTokens"], point["outputTokens"]), now)
            sent += 1
        now = machine.next_event or now
        done += sum(progress.finished for progress in machine.advance(now))

    assert done / now == pytest.approx(float(point["throughputRps"]), rel=0.05)


@pytest.mark.parametrize("point", points(IMAGES))
def test_batch_latency_in_compressed_time(point: dict[str, Any]) -> None:
    machine = image_engine(point)
    machine.submit(Classification("all", point["batch"]), 0.0)

    (answer,) = machine.advance(10.0)

    waited = 0.0 if point["batch"] == machine.timing.max_batch else BATCHING_WINDOW_SECONDS
    assert answer.at_seconds - waited == pytest.approx(float(point["latencyMilliseconds"]) / 1000, rel=0.05)


async def test_ttft_and_tpot_in_real_time_as_a_client_measures_them(serve: Serve) -> None:
    """Steps of 40 to 60 ms, so that the noise of a busy machine stays small against them; medians."""
    client = await serve(text_spec(step_ms=40, ttft_ms=240))
    for concurrency, factor in ((1, 1.0), (4, 1.5)):
        background = [asyncio.create_task(generate(client, 1, 60)) for _ in range(concurrency - 1)]
        await asyncio.sleep(0.2 if background else 0)
        measured = [await generate(client, 400, 5) for _ in range(3)]
        for request in background:
            request.cancel()
        await asyncio.gather(*background, return_exceptions=True)

        ttft = statistics.median(first for first, _ in measured)
        tpot = statistics.median(gap for _, gaps in measured for gap in gaps)
        assert ttft == pytest.approx(0.240 * factor, rel=0.05)
        assert tpot == pytest.approx(0.040 * factor, rel=0.05)


async def generate(client: Client, prompt_tokens: int, output_tokens: int) -> tuple[float, list[float]]:
    """(seconds to the first chunk, seconds between chunks)."""
    body = {"prompt_tokens": prompt_tokens, "max_tokens": output_tokens, "stream": True}
    began = time.monotonic()
    async with client.session.post("/v1/completions", json=body) as response:
        arrivals = [time.monotonic() async for line in response.content if line.startswith(b"data: {")]
    assert len(arrivals) == output_tokens
    return arrivals[0] - began, [later - earlier for earlier, later in pairwise(arrivals)]
