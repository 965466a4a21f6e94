"""The image classifier's HTTP route, in the shape of KServe's Open Inference Protocol (v2)."""

import time
import uuid

from aiohttp import web
from pydantic import BaseModel, Field, PositiveInt

from serving.dynamic_batching import Classification, DynamicBatch
from serving.engine import Engine
from serving.gate import Gate
from serving.metrics import Metrics
from serving.refusal import Refusal, parse_body
from serving.timing import ClassifierTiming


class _Input(BaseModel):
    name: str = "images"
    shape: list[PositiveInt] = Field(min_length=1, max_length=8)


class _Inference(BaseModel):
    """The tensors' data is not looked at, so a load test need not send any; no input at all means one image."""

    id: str | None = None
    inputs: list[_Input] = Field(default_factory=list)


class Classifier:
    def __init__(self, model: str, timing: ClassifierTiming, gate: Gate) -> None:
        machine = DynamicBatch(timing)
        self.engine = Engine(machine)
        self.metrics = Metrics(model, machine)
        self._model = model
        self._max_batch = timing.max_batch
        self._gate = gate

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v2/models/{name}/infer", self._infer)]

    async def _infer(self, request: web.Request) -> web.StreamResponse:
        with self._gate.enter():
            inference, images = self._parse(request.match_info["name"], await request.read())
            self.metrics.requests.inc()
            self._gate.raise_injected_error()
            await self._classify(Classification(uuid.uuid4().hex, images))
            outputs = [{"name": "class", "datatype": "INT32", "shape": [images], "data": [0] * images}]
            return web.json_response({"model_name": self._model, "id": inference.id, "outputs": outputs})

    def _parse(self, name: str, body: bytes) -> tuple[_Inference, int]:
        if name != self._model:
            raise Refusal(404, f"model {name!r} is not served here; {self._model!r} is")
        inference = parse_body(_Inference, body)
        images = inference.inputs[0].shape[0] if inference.inputs else 1
        if images > self._max_batch:
            message = f"inputs.0.shape: {images} images exceed the largest batch; at most {self._max_batch} fit"
            raise Refusal(400, message, field="inputs")
        return inference, images

    async def _classify(self, work: Classification) -> None:
        arrived = time.monotonic()
        reason = "abort"
        try:
            with self.engine.serve(work) as progress:
                await progress.get()
            reason = "stop"
            self.metrics.e2e_seconds.observe(time.monotonic() - arrived)
        finally:
            self.metrics.finished[reason].inc()
