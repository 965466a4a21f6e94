"""The built-in engine sends on time, measures from the intended time, and hides no failure."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import uvloop

from loadgen.build import Recipe, TokenLimit, build_schedule
from loadgen.engine import EngineOptions, OpenLoop
from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes, Status
from loadgen.play import play
from loadgen.populate import populated
from loadgen.readers import read_requests
from loadgen.report import report_of
from loadgen.schedule import Kind, Schedule
from loadgen.slo import Slo
from loadgen.targets import admit, admit_all
from loadgen.transforms import Compress, Slice
from loadgen.users import Patience, Users
from tests.loadgen.builders import evenly
from tests.loadgen.server import TinyServer, serving


def engine(schedule: Schedule, *urls: str, **options: float) -> OpenLoop:
    return OpenLoop(schedule, admit_all(urls, (), "chat", "ids"), EngineOptions(**options))  # type: ignore[arg-type]


async def replayed(schedule: Schedule, *urls: str, **options: float) -> Outcomes:
    return await play(engine(schedule, *urls, **options))


async def test_every_request_is_sent_once_at_its_time() -> None:
    async with serving(TinyServer()) as server:
        outcomes = await replayed(evenly(50, 0.25), server.url)
    assert outcomes.succeeded.all()
    assert outcomes.tokens.tolist() == [3] * 50
    intervals = np.diff(server.arrived_seconds)
    assert np.sum(intervals) == pytest.approx(0.245, abs=0.1)
    assert np.median(outcomes.lag_seconds) < 0.01


async def test_latencies_are_those_of_the_server() -> None:
    async with serving(TinyServer(prefill_seconds=0.08, token_seconds=0.02)) as server:
        outcomes = await replayed(evenly(8, 0.08, output_tokens=5), server.url)
    # the least of each: a busy machine adds to a latency, and nothing takes from it
    assert outcomes.first_seconds.min() == pytest.approx(0.08, abs=0.02)
    assert outcomes.tpot_seconds.min() == pytest.approx(0.02, abs=0.005)
    assert outcomes.latency_seconds.min() == pytest.approx(0.16, abs=0.03)


async def test_waiting_for_a_connection_counts_into_the_latency_and_as_late() -> None:
    """Coordinated omission: one connection serves 50 requests/s, 200 are due."""
    async with serving(TinyServer(prefill_seconds=0.02)) as server:
        outcomes = await replayed(evenly(20, 0.1, output_tokens=1), server.url, max_connections=1)
    report = report_of(outcomes, Slo.parse("ttft_p95_ms=50"))
    assert outcomes.latency_seconds[-1] > 0.25
    assert report["late"] >= 17
    assert report["send_lag_ms_p99"] > 200
    assert report["verdict"]["attainment"] < 0.25


async def test_images_and_texts_go_to_their_own_targets() -> None:
    texts, images = evenly(10, 0.1), evenly(10, 0.1, kind=Kind.CLASSIFICATION)
    both = Schedule.of(
        np.concatenate([texts.send_at_seconds, images.send_at_seconds + 0.1]),
        np.concatenate([texts.input_tokens, images.input_tokens]),
        np.concatenate([texts.output_tokens, images.output_tokens]),
        np.concatenate([texts.kind, images.kind]),
        0.2,
    )
    async with serving(TinyServer()) as server:
        infer = f"{server.url}/v2/models/resnet/infer"
        outcomes = await replayed(both, server.url, infer)
        assert outcomes.succeeded.all()
        report = report_of(outcomes, Slo.parse("e2e_p95_ms=2000"))
    assert {url: t["sent"] for url, t in report["targets"].items()} == {f"{server.url}/v1/completions": 10, infer: 10}
    assert report["targets"][infer]["ttft_ms"]["p50"] is None, "a classifier has no first token"
    with pytest.raises(BadLoadInput, match="none takes the classifications"):
        engine(both, server.url)


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("503", "http_503"),
        ("302", "http_302"),
        ("cut", "broken_stream"),
        ("error", "broken_stream"),
        ("empty", "broken_stream"),
        ("hang", "timeout"),
    ],
)
async def test_a_failure_is_counted_by_its_reason_and_not_retried(fault: str, failure: str) -> None:
    async with serving(TinyServer()) as server:
        outcomes = await replayed(evenly(5, 0.05), f"{server.url}/{fault}/completions", timeout_seconds=0.15)
    report = report_of(outcomes, Slo())
    assert report["failures"] == {failure: 5}
    assert (report["sent"], report["succeeded"], report["failed"]) == (5, 0, 5)
    assert (report["verdict"]["met"], report["verdict"]["attainment"]) == (False, 0.0)
    assert report["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert len(server.bodies) == 5


@pytest.mark.parametrize("answer", ["document", "201", "200"])
async def test_an_answer_that_is_no_stream_succeeds_and_has_no_time_between_tokens(answer: str) -> None:
    async with serving(TinyServer()) as server:
        outcomes = await replayed(evenly(3, 0.03), f"{server.url}/{answer}/completions")
    report = report_of(outcomes, Slo.parse("e2e_p95_ms=5000"))
    assert report["succeeded"] == 3
    assert report["verdict"]["met"]
    assert report["latency_ms"]["p50"] > 0
    assert (report["ttft_ms"]["p50"] is None) == (answer != "document"), "no byte, no first token"
    assert report["tpot_ms"]["p50"] is report["itl_ms"]["p50"] is None


async def test_users_without_patience_go_away_and_free_their_connection() -> None:
    schedule = populated(evenly(20, 0.05), Users(Patience(0.1)), 0)
    async with serving(TinyServer(prefill_seconds=0.2)) as server:
        outcomes = await replayed(schedule, server.url, max_connections=20)
    abandoned = int(np.sum(outcomes.status == Status.ABANDONED))
    assert 10 <= abandoned < 20, "an exponential patience of 0.1 s outlasts 0.2 s in 14 % of users"
    report = report_of(outcomes, Slo())
    assert report["failures"] == {"abandoned": abandoned}
    assert report["abandoned"] == report["failed"] == abandoned
    assert report["verdict"]["attainment"] == report["succeeded"] / 20
    assert np.isnan(outcomes.first_seconds[outcomes.status == Status.ABANDONED]).all()


async def test_who_reads_already_does_not_go_away() -> None:
    async with serving(TinyServer(token_seconds=0.05)) as server:
        schedule = populated(evenly(5, 0.01, output_tokens=9), Users(Patience(0.3, "fixed")), 0)
        outcomes = await replayed(schedule, server.url, timeout_seconds=20)
        assert outcomes.succeeded.all()
        assert outcomes.latency_seconds.min() > 0.3
        outcomes = await replayed(evenly(5, 0.01, output_tokens=9), server.url, timeout_seconds=0.2)
    assert set(outcomes.status.tolist()) == {Status.TIMEOUT}


async def test_times_between_tokens_are_those_of_the_server() -> None:
    async with serving(TinyServer(token_seconds=0.02)) as server:
        outcomes = await replayed(evenly(5, 0.05, output_tokens=6), server.url)
    assert outcomes.token_gaps.counts.total() == 5 * 5
    assert 0.018 < report_of(outcomes, Slo())["itl_ms"]["p50"] / 1000 < 0.06


def test_nothing_is_sent_before_its_time_and_lags_are_finer_than_a_timer() -> None:
    """A loop's timer counts milliseconds, and a request sent early falls into the second before its own."""

    async def replay() -> Outcomes:
        async with serving(TinyServer()) as server:
            return await replayed(evenly(100, 0.1), server.url)

    lag = uvloop.run(replay()).lag_seconds
    assert lag.min() >= 0
    assert len(np.unique(np.rint(lag * 1e6) % 1000)) > 20


async def test_nobody_listening_is_a_connection_failure(unused_tcp_port: int) -> None:
    outcomes = await replayed(evenly(3, 0.03), f"http://127.0.0.1:{unused_tcp_port}")
    assert set(outcomes.status.tolist()) == {Status.CONNECTION}


async def test_stopping_early_gives_an_honest_partial_report() -> None:
    async with serving(TinyServer(prefill_seconds=5.0)) as server:
        running = engine(evenly(100, 4.0), server.url)
        asyncio.get_running_loop().call_later(0.12, running.stop)
        report = report_of(await play(running), Slo())
    assert 2 <= report["sent"] <= 5
    assert report["unsent"] == 100 - report["sent"]
    assert report["failures"] == {"unfinished": report["sent"], "unsent": report["unsent"]}
    assert report["offered"] == 100


@pytest.mark.parametrize(("keep_alive", "connections"), [(True, 1), (False, 5)])
async def test_connections_are_kept_or_new_for_each_request(keep_alive: bool, connections: int) -> None:
    async with serving(TinyServer()) as server:
        await replayed(evenly(5, 0.25), server.url, keep_alive=keep_alive)
    assert len(server.connections) == connections


@pytest.mark.parametrize("prompt", ["ids", "text", "count"])
async def test_a_prompt_has_about_the_length_asked_for(prompt: str) -> None:
    async with serving(TinyServer()) as server:
        target = admit(server.url, model="chat", prompt=prompt)  # type: ignore[arg-type]
        await play(OpenLoop(evenly(3, 0.03), {Kind.COMPLETION: target}, EngineOptions()))
    for body in server.bodies:
        given = body["prompt"]
        lengths = {"ids": len(given), "text": len(str(given).split()), "count": body.get("prompt_tokens")}
        assert lengths[prompt] == 10
        assert (body["model"], body["stream"]) == ("chat", True)
    if prompt != "count":
        assert len({str(b["prompt"]) for b in server.bodies}) == 3, "no two prompts share a cached prefix"


async def test_all_start_at_the_common_time() -> None:
    async with serving(TinyServer()) as server:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        outcomes = await engine(evenly(10, 0.1), server.url).run(begun + 0.15)
    assert 0.15 <= server.arrived_seconds[0] - begun < 0.4
    assert np.median(outcomes.lag_seconds) < 0.1


@pytest.mark.slow
async def test_the_empty_minutes_and_bursts_of_the_azure_hour_are_sent_as_they_were(shared_data: Path) -> None:
    """Four minutes of the raw hour in half a second: hundreds of requests in one burst, then nothing."""
    hour = read_requests(shared_data / "azure_llm_2023/AzureLLMInferenceTrace_code.csv")
    burst = int(np.argmax(hour.rates(60.0).rps))
    recipe = Recipe(
        transforms=(Slice(60 * (burst - 2), 60 * (burst + 2)), Compress(480.0)), limit=TokenLimit(output_tokens=3)
    )
    schedule = build_schedule(hour, recipe)
    async with serving(TinyServer()) as server:
        target = admit(server.url, model="code", prompt="count")
        outcomes = await play(OpenLoop(schedule, {Kind.COMPLETION: target}, EngineOptions(max_connections=200)))
    assert len(schedule) > 400
    assert outcomes.succeeded.all()
    assert outcomes.tokens.tolist() == schedule.output_tokens.tolist()
    assert len(server.bodies) == len(schedule)
