"""A real Prometheus that scrapes engines which report what the test says."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession, web


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


def free_port() -> int:
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
    async with running_prometheus(engines, tmp_path) as found:
        yield found


@asynccontextmanager
async def running_prometheus(engines: Engines, folder: Path, **external_labels: str) -> AsyncIterator[RealPrometheus]:
    """It keeps its data in ``folder / "data"``, and takes over what is there."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("needs prometheus on PATH (Debian: apt-get install prometheus)")
    labels = {"namespace": "shop", "service": "chat", "pod": "chat-1"}
    job = {"job_name": "pods", "static_configs": [{"targets": [engines.url], "labels": labels}]}
    times = {"scrape_interval": "200ms", "scrape_timeout": "200ms"}
    config = {"global": {**times, "external_labels": external_labels}, "scrape_configs": [job]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = (
        program,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    )
    async with running(*command, ready=f"http://{address}/-/ready") as process:
        yield RealPrometheus(f"http://{address}", engines, process)


@asynccontextmanager
async def running(*command: str, ready: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program, from when ``ready`` answers until the end of the block."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(20):
            await _until_ready(ready)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_ready(url: str) -> None:
    async with ClientSession() as session:
        while True:
            try:
                async with session.get(url, ssl=False) as answer:
                    if answer.status in (200, 401):
                        return
            except OSError:
                pass
            await asyncio.sleep(0.1)
