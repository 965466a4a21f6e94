"""The emulated engine's HTTP server: the routes that every engine has, around those of its task."""

import time

from aiohttp import web

from serving.classification import Classifier
from serving.completions import Completions
from serving.gate import Faults, Gate, Phase
from serving.profile import Profile, classifier_timing, decoder_timing
from serving.refusal import parse_body, render_refusals

TEXT = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


class EngineServer:
    """ProfileError or TimingError when the profile has no usable points for this partition."""

    def __init__(self, profile: Profile, gpu: str, partition: str, model: str, *, allow_faults: bool = False) -> None:
        self.gate = Gate(profile.load_seconds)
        self._model = model
        self._allow_faults = allow_faults
        self._started = int(time.time())
        self._task: Completions | Classifier = (
            Completions(model, decoder_timing(profile, gpu, partition), self.gate)
            if profile.task == "text-generation"
            else Classifier(model, classifier_timing(profile, gpu, partition), self.gate)
        )

    def application(self) -> web.Application:
        app = web.Application(middlewares=[render_refusals])
        app.add_routes(self._task.routes())
        app.add_routes(
            [
                web.get("/live", self._live),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.get("/v1/models", self._models),
            ]
        )
        if self._allow_faults:
            app.add_routes([web.get("/fault", self._read_fault), web.put("/fault", self._set_fault)])
        return app

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _health(self, _: web.Request) -> web.Response:
        phase = self.gate.phase
        return web.json_response({"status": phase}, status=200 if phase is Phase.READY else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._task.metrics.render(), headers=TEXT)

    async def _models(self, _: web.Request) -> web.Response:
        model = {"id": self._model, "object": "model", "created": self._started, "owned_by": "cynosure"}
        return web.json_response({"object": "list", "data": [model]})

    async def _read_fault(self, _: web.Request) -> web.Response:
        return web.json_response(self.gate.faults.model_dump(by_alias=True))

    async def _set_fault(self, request: web.Request) -> web.Response:
        self.gate.faults = parse_body(Faults, await request.read())
        self._task.engine.disturb(slowdown=self.gate.faults.slow_factor, hangs=self.gate.faults.hang)
        return await self._read_fault(request)
