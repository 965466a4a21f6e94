"""The operator as a process of its own, which can be killed."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession

QUICK = {
    "CYNOSURE_HOST": "127.0.0.1",
    "CYNOSURE_RESYNC_SECONDS": "1",
    "CYNOSURE_SIGNAL_SECONDS": "0.5",
    "CYNOSURE_QUERY_SECONDS": "1",
    "CYNOSURE_STATUS_SECONDS": "0.5",
    "CYNOSURE_STABILISATION_SECONDS": "0",
    "CYNOSURE_SETTLE_SECONDS": "0",
    "CYNOSURE_LEASE_SECONDS": "4",
    "CYNOSURE_RENEW_SECONDS": "0.5",
    "CYNOSURE_MARGIN_SECONDS": "1",
    "CYNOSURE_REQUEST_SECONDS": "1",
    "CYNOSURE_EMULATED_FAULTS": "true",
}


class Process:
    def __init__(self, child: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.child = child
        self.url = f"http://127.0.0.1:{port}"
        self.log = log

    def kill(self) -> None:
        """SIGKILL: it cannot say goodbye."""
        if self.child.returncode is None:
            self.child.kill()

    async def text(self, path: str) -> str:
        try:
            async with ClientSession() as session, session.get(self.url + path) as answer:
                return await answer.text()
        except OSError:
            return ""

    async def leads(self) -> bool:
        return "holds the lease" in await self.text("/readyz")


async def revived(
    start: Callable[[int], AbstractAsyncContextManager[Process]],
    over: Callable[[], Awaitable[bool]],
    born: list[Process],
    *,
    most: int,
    seconds: float,
) -> None:
    """Start a process anew, with its number from 1 on, when the one before has died or ``seconds`` have gone.

    Until it is ``over``, or so many were started. Each stands in ``born`` as long as it may be killed.
    """
    for number in range(1, most + 1):
        async with start(number) as process:
            born.append(process)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.child.wait(), seconds)
        if await over():
            return


@asynccontextmanager
async def running(
    kubeconfig: Path, prometheus_url: str, port: int, log: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """``cynosure run`` until the end of the block, then SIGTERM, and SIGKILL if that is not enough."""
    environment = {
        **os.environ,
        **QUICK,
        "KUBECONFIG": str(kubeconfig),
        "CYNOSURE_PROMETHEUS_URL": prometheus_url,
        "CYNOSURE_PORT": str(port),
        **(settings or {}),
    }
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cynosure.cli",
            "run",
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=output,
        )
        process = Process(child, port, log)
        try:
            yield process
        finally:
            if child.returncode is None:
                child.terminate()
                try:
                    await asyncio.wait_for(child.wait(), 15)
                except TimeoutError:
                    child.kill()
            await child.wait()
