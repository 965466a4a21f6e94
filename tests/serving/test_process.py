"""The program as a pod runs it: python -m serving.emulated, ended by SIGTERM."""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.serving.builders import text_spec

pytestmark = pytest.mark.slow

Start = Callable[..., Awaitable[tuple[Process, aiohttp.ClientSession]]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def run(repository: Path, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "serving.emulated", *arguments, cwd=repository, stderr=PIPE
    )


def arguments(default_profile: Path, **changed: str) -> list[str]:
    options = {"profile": str(default_profile), "gpu": "A100-80GB", "partition": "3g.40gb", "model": "chat"}
    options |= {"host": "127.0.0.1"} | changed
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]


@pytest.fixture
async def start(repository: Path, tmp_path: Path) -> AsyncIterator[Start]:
    """Start the program on a free loopback port and wait until it is ready; whatever is left is killed."""
    started: list[tuple[Process, aiohttp.ClientSession]] = []

    async def begin(spec: dict[str, Any], **options: str) -> tuple[Process, aiohttp.ClientSession]:
        profile = tmp_path / "profile.json"
        profile.write_text(json.dumps(spec))
        port = str(free_port())
        process = await run(repository, *arguments(profile, port=port, **options))
        session = aiohttp.ClientSession(f"http://127.0.0.1:{port}")
        started.append((process, session))
        await until_ready(session)
        return process, session

    yield begin
    for process, session in started:
        await session.close()
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until_ready(session: aiohttp.ClientSession) -> None:
    for _ in range(200):
        try:
            async with session.get("/health") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientConnectionError:
            pass
        await asyncio.sleep(0.05)
    pytest.fail("the engine did not become ready within 10 s")


async def complete(session: aiohttp.ClientSession, output_tokens: int) -> int:
    body = {"prompt_tokens": 400, "max_tokens": output_tokens}
    async with session.post("/v1/completions", json=body) as response:
        await response.read()
        return response.status


async def test_sigterm_finishes_running_and_queued_requests_and_ends_with_0(start: Start) -> None:
    process, session = await start(text_spec(step_ms=30, kv=500, load_seconds=0.2))
    requests = [asyncio.create_task(complete(session, 10)) for _ in range(3)]
    await asyncio.sleep(0.2)

    process.send_signal(signal.SIGTERM)

    assert await asyncio.gather(*requests) == [200, 200, 200]
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_the_drain_limit_cuts_off_what_is_left_and_says_so(start: Start) -> None:
    process, session = await start(text_spec(step_ms=100), drain_seconds="0.2")
    request = asyncio.create_task(complete(session, 3000))
    await asyncio.sleep(0.2)

    process.send_signal(signal.SIGTERM)

    with pytest.raises(aiohttp.ClientError):
        await asyncio.wait_for(request, 10)
    assert await asyncio.wait_for(process.wait(), 5) == 1
    assert process.stderr is not None
    assert b"1 requests cut off after 0.2 s of draining" in await process.stderr.read()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"partition": "1g.10gb"}, "measured are A100-80GB 3g.40gb", id="partition without measurement"),
        pytest.param({"profile": "/nowhere.yaml"}, "/nowhere.yaml: cannot be read", id="no such file"),
    ],
)
async def test_bad_input_ends_with_2_and_one_line(
    repository: Path, tmp_path: Path, changed: dict[str, str], says: str
) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps(text_spec()))

    process = await run(repository, *arguments(profile, **changed))
    _, errors = await process.communicate()

    assert process.returncode == 2
    assert says in errors.decode()
    assert len(errors.decode().splitlines()) == 1
