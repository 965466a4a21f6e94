"""Two Prometheus replicas behind a real Thanos: each request counts once, and half of an answer is none."""

import asyncio
import base64
import json
import math
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession
from cynosure.cli import main
from cynosure.errors import Unavailable
from cynosure.model.signals import AbsenceReason, Load, Reading
from cynosure.observe import promql
from cynosure.observe.prometheus import Prometheus
from cynosure.observe.signals import Signals
from cynosure.settings import PrometheusSettings

from testbed.errors import TestbedFailed
from testbed.programs import thanos_path
from testbed.progress import timed_progress
from tests.observe.conftest import Engines, free_port, running, running_prometheus
from tests.observe.replay import TTFT, Replay, load_when, settings, value

BUILD_SECONDS = 1200
pytestmark = [pytest.mark.api_server, pytest.mark.timeout(BUILD_SECONDS)]

TENANT = {"THANOS-TENANT": "shop"}
ONCE = {"dedup": "true", "partial_response": "false"}
PAST_RPS, PAST_SECONDS = 5, 7200
USERS = {"cynosure": "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"}
KNOWN_USER = {"Authorization": f"Basic {base64.b64encode(b'cynosure:secret').decode()}"}


@dataclass(frozen=True)
class Thanos:
    """Two replicas that saw the same, each with its sidecar; their series are the tenant ``shop``'s."""

    program: str
    sidecars: list[asyncio.subprocess.Process]
    stores: list[str]


@pytest.fixture(scope="session")
def thanos_program() -> str:
    try:
        return str(thanos_path(timed_progress()))
    except (TestbedFailed, OSError) as error:
        pytest.skip(f"NOT TESTED, Thanos cannot be built here: {error}")


@pytest.fixture
async def thanos(engines: Engines, tmp_path: Path, thanos_program: str) -> AsyncIterator[Thanos]:
    found = Thanos(thanos_program, [], [])
    async with AsyncExitStack() as stack:
        for name in ("a", "b"):
            folder = tmp_path / name
            folder.mkdir()
            write_past(folder)
            replica = running_prometheus(engines, folder, replica=name, tenant_id="shop")
            url = (await stack.enter_async_context(replica)).url
            http, store = (f"127.0.0.1:{free_port()}" for _ in range(2))
            sidecar = running(
                thanos_program, "sidecar", f"--prometheus.url={url}", f"--tsdb.path={folder / 'data'}",
                f"--http-address={http}", f"--grpc-address={store}", ready=f"http://{http}/-/ready",
            )  # fmt: skip
            found.sidecars.append(await stack.enter_async_context(sidecar))
            found.stores.append(store)
        yield found


def write_past(folder: Path) -> None:
    """Two hours of a service that takes ``PAST_RPS``, which end a minute ago: newer samples are still to be scraped."""
    since = int(time.time()) - 60 - PAST_SECONDS
    counter = 'cynosure:requests_total{namespace="shop",service="past",pod="past-1"}'
    lines = [f"{counter} {PAST_RPS * after} {since + after}" for after in range(0, PAST_SECONDS + 1, 15)]
    (folder / "past.txt").write_text("\n".join(["# TYPE cynosure:requests counter", *lines, "# EOF", ""]))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "past.txt", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.fixture
async def querier(thanos: Thanos) -> AsyncIterator[str]:
    async with AsyncExitStack() as stack:
        yield await started_querier(stack, thanos, "http")


async def started_querier(stack: AsyncExitStack, thanos: Thanos, scheme: str, *options: str) -> str:
    """Its stores are strict: one that does not answer is missed, and not forgotten with the next health check."""
    http, grpc = (f"127.0.0.1:{free_port()}" for _ in range(2))
    command = (
        thanos.program, "query", f"--http-address={http}", f"--grpc-address={grpc}",
        *(f"--endpoint-strict={store}" for store in thanos.stores),
        "--query.replica-label=replica", "--query.enforce-tenancy", *options,
    )  # fmt: skip
    await stack.enter_async_context(running(*command, ready=f"{scheme}://{http}/-/ready"))
    return f"{scheme}://{http}"


def through(url: str, headers: dict[str, str] = TENANT, **parameters: str) -> PrometheusSettings:
    return replace(settings(url), prometheus_headers=headers, prometheus_parameters={**ONCE, **parameters})


def signals_of(chosen: PrometheusSettings) -> Signals:
    return Signals(Prometheus(chosen), chosen, time.time, lambda: [TTFT])


def takes(rps: float) -> Callable[[Load], bool]:
    return lambda load: isinstance(load.arrival_rps, Reading) and load.arrival_rps.value > rps


async def test_replicas_count_once_and_half_of_them_is_no_answer(
    thanos: Thanos, querier: str, engines: Engines
) -> None:
    replay = asyncio.create_task(Replay(engines, 20).run())
    twice = await load_when(signals_of(through(querier, dedup="false")), takes(30))
    assert value(twice.running) == 6.0, "without deduplication the replicas add up"
    once = await load_when(signals_of(through(querier)), lambda load: True)
    assert value(once.arrival_rps) == pytest.approx(20, rel=0.25)
    assert (value(once.running), value(once.waiting)) == (3.0, 1.0)
    assert isinstance(once.running, Reading)
    assert time.time() - once.running.at_seconds < 2.0
    noted = "rate(vllm:num_requests_running[2s])"  # not of a counter, says PromQL; nothing is missing
    assert (await asked(querier, noted))["warnings"]
    assert await Prometheus(through(querier)).instant(noted)

    thanos.sidecars[1].kill()
    await thanos.sidecars[1].wait()
    half = await asked(querier, promql.RUNNING, dedup="false", partial_response="true")
    assert [entry["value"][1] for entry in half["data"]["result"]] == ["3"], "Thanos answers with the half that it has"
    assert half["warnings"]
    for partial_response in ("false", "true"):
        chosen = through(querier, partial_response=partial_response)
        gone = await load_when(signals_of(chosen), lambda load: True)
        assert gone.absent
        assert gone.absent.reason is AbsenceReason.ERROR
    with pytest.raises(Unavailable, match="a partial answer: "):
        await Prometheus(through(querier, partial_response="true")).instant(promql.RUNNING)
    replay.cancel()


async def asked(url: str, query: str, **parameters: str) -> dict[str, Any]:
    """What the querier says, without our adapter."""
    async with (
        ClientSession(headers=TENANT) as session,
        session.get(f"{url}/api/v1/query", params={"query": query, **parameters}) as answer,
    ):
        assert answer.status == 200
        return dict(await answer.json())


async def test_each_tenant_sees_its_own(querier: str) -> None:
    now = math.floor(time.time())
    past = (promql.history(60, "shop", "past"), now - 600, now - 120, 60)
    found = await Prometheus(through(querier)).range(*past)
    assert [series.values.tolist() for _, series in found] == [pytest.approx([PAST_RPS] * 9)]
    for stranger in ({"THANOS-TENANT": "bank"}, {}):
        assert await Prometheus(through(querier, stranger)).range(*past) == [], "no series, which is not no requests"


async def test_a_back_test_reads_the_past_by_tls_and_with_a_password(
    thanos: Thanos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = make_certificate(tmp_path)
    web = {"tls_server_config": {"cert_file": certificate, "key_file": "web.key"}, "basic_auth_users": USERS}
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(web))
    monkeypatch.setenv("CYNOSURE_PROMETHEUS_HEADERS", json.dumps({**TENANT, **KNOWN_USER}))
    monkeypatch.setenv("CYNOSURE_PROMETHEUS_PARAMETERS", json.dumps(ONCE))
    async with AsyncExitStack() as stack:
        url = await started_querier(stack, thanos, "https", f"--http.config={tmp_path / 'web.yaml'}")
        command = [
            "backtest", "--prometheus", url, "--service", "shop/past", "--days", "0.0833", "--start-fraction", "0.5",
            "--slo", "ttft_p95_ms=400", "--policy", "hpa", "--partition", "7g.80gb", "--json",
        ]  # fmt: skip
        for file, told in (("", "no trusted certificate; see CYNOSURE_PROMETHEUS_CA_FILE"), ("/none.pem", "/none.pem")):
            monkeypatch.setenv("CYNOSURE_PROMETHEUS_CA_FILE", file)
            assert await asyncio.to_thread(main, command) == 1
            assert f"{url}: " in (said := capsys.readouterr().err)
            assert told in said
        monkeypatch.setenv("CYNOSURE_PROMETHEUS_CA_FILE", certificate)
        assert await asyncio.to_thread(main, command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["requests"] == pytest.approx(PAST_RPS * PAST_SECONDS / 2, rel=0.1)


def make_certificate(folder: Path) -> str:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=querier", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "web.key", "-out", "web.crt"],
        cwd=folder, check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return str(folder / "web.crt")
