"""A way to the real API server on which a process can be killed right after a write of its own has been done."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector, web
from cynosure.kube.credentials import Credentials

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NOT_STEPS = ("/leases", "/events", "/status")
"""Whoever dies after these has done nothing to a workload."""
BESIDE = ("/leases", "/events", "/configmaps")
"""What every process writes anew, or all the time."""
_HOP_BY_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding"})


class Proxy:
    """``written`` is told of each write that the server has answered, before the process hears of it."""

    def __init__(
        self, session: ClientSession, server: str, written: Callable[[str, str], None], ignored: tuple[str, ...]
    ) -> None:
        self._session = session
        self._server = server
        self._written = written
        self._ignored = ignored

    async def forward(self, request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        body = await request.read()
        async with self._session.request(
            request.method, self._server + request.raw_path, headers=headers, data=body or None
        ) as upstream:
            if request.method in _WRITES and not any(part in request.path for part in self._ignored):
                self._written(request.method, request.path)
            kept = {k: v for k, v in upstream.headers.items() if k.lower() not in _HOP_BY_HOP}
            answer = web.StreamResponse(status=upstream.status, headers=kept)
            with contextlib.suppress(ClientConnectionError):  # the process that asked has been killed
                await answer.prepare(request)
                async for chunk in upstream.content.iter_any():
                    await answer.write(chunk)
            return answer


@asynccontextmanager
async def proxied(
    credentials: Credentials,
    written: Callable[[str, str], None],
    folder: Path,
    *,
    ignored: tuple[str, ...] = _NOT_STEPS,
) -> AsyncIterator[Path]:
    """A kubeconfig by which a process reaches the server through us; it shows the same credentials as we would.

    Of writes with one of ``ignored`` in their path nobody is told.
    """
    connector = TCPConnector(ssl=credentials.tls() or True, limit=0)
    headers = {"Authorization": token} if (token := credentials.authorization()) else {}
    async with ClientSession(
        connector=connector, headers=headers, timeout=ClientTimeout(total=None), auto_decompress=False
    ) as session:
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", Proxy(session, credentials.server, written, ignored).forward)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield _kubeconfig(folder / "proxied.kubeconfig", runner.addresses[0][1])
        finally:
            await runner.cleanup()


def _kubeconfig(path: Path, port: int) -> Path:
    name = "proxied"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": name,
                "clusters": [{"name": name, "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "users": [{"name": name, "user": {}}],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            }
        )
    )
    return path
