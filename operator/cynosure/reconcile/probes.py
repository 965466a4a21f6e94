"""/healthz, /readyz and /metrics."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from cynosure.kube.caches import Caches
from cynosure.reconcile.lease import Lease
from cynosure.reconcile.loop import Loop
from cynosure.settings import ServerSettings
from cynosure.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Probes:
    """Alive is who passes, not whose process runs. A replica that stands by for the lease is alive and ready."""

    caches: Caches
    loop: Loop
    lease: Lease
    telemetry: Telemetry
    longest_seconds: float
    monotonic: Callable[[], float] = time.monotonic

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/readyz", self._ready)
        application.router.add_get("/metrics", self._metrics)
        return application

    async def _health(self, _: web.Request) -> web.Response:
        age = self.monotonic() - self.loop.passed_at
        alive = age <= self.longest_seconds or not self.lease.held
        return web.Response(status=200 if alive else 503, text=f"last pass {age:.0f} s ago\n")

    async def _ready(self, _: web.Request) -> web.Response:
        missing = sorted(self.caches.missing())
        if missing:
            return web.Response(status=503, text=f"not synced: {', '.join(missing)}\n")
        state = "holds the lease" if self.lease.held else f"stands by for {self.lease.holder or 'the lease'}"
        return web.Response(text=f"synced, {state}\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        for kind, silent in self.caches.silent_seconds():
            self.telemetry.watch_age.labels(kind).set(silent)
        self.telemetry.leading.set(self.lease.held)
        return web.Response(body=self.telemetry.render(), headers={"Content-Type": "text/plain; version=0.0.4"})


async def serve(probes: Probes, settings: ServerSettings) -> web.AppRunner:
    """Serve until the runner's ``cleanup``; its ``addresses`` say where."""
    runner = web.AppRunner(probes.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port).start()
    return runner
