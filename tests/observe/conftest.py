"""A real Prometheus that scrapes engines which report what the test says."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession, web

from tests.fakes.waiting import eventually


@dataclass
class Engines:
    """``text`` is what every engine answers to a scrape; None: the scrape fails."""

    lines: list[str] | None = field(default_factory=list)
    url: str = ""


@dataclass(frozen=True)
class RealPrometheus:
    url: str
    engines: Engines
    process: asyncio.subprocess.Process


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    found = Engines()

    async def metrics(_: web.Request) -> web.Response:
        if found.lines is None:
            raise web.HTTPServiceUnavailable
        return web.Response(text="\n".join([*found.lines, ""]))

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def prometheus(engines: Engines, tmp_path: Path) -> AsyncIterator[RealPrometheus]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("needs prometheus on PATH (Debian: apt-get install prometheus)")
    labels = {"namespace": "shop", "service": "chat", "pod": "chat-1"}
    job = {"job_name": "pods", "static_configs": [{"targets": [engines.url], "labels": labels}]}
    config = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}, "scrape_configs": [job]}
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config))
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={tmp_path / 'prometheus.yaml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    ready: list[bool] = []
    probing = asyncio.create_task(_until_ready(url, ready))
    try:
        await eventually(lambda: bool(ready), 20)
        yield RealPrometheus(url, engines, process)
    finally:
        probing.cancel()
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_ready(url: str, ready: list[bool]) -> None:
    async with ClientSession() as session:
        while not ready:
            try:
                async with session.get(f"{url}/-/ready") as answer:
                    if answer.status == 200:
                        ready.append(True)
            except OSError:
                pass
            await asyncio.sleep(0.1)
