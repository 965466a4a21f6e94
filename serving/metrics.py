"""The engine's Prometheus metrics, under vLLM's names, so that one adapter reads real and emulated engines alike."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from serving.batching import ContinuousBatch
from serving.dynamic_batching import DynamicBatch

# vLLM's buckets and, between them, finer ones: an SLO of 400 ms is not to be judged by the edges 250 and 500 ms.
_TTFT = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.75)
_TTFT_SECONDS = (*_TTFT, 1.0, 1.5, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0)
_ITL = (0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4)
_ITL_SECONDS = (*_ITL, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0)
_E2E = (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5)
_E2E_SECONDS = (*_E2E, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0)

# Nobody reads the *_created series, and they add one to each counter and histogram.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """What both kinds of engine expose. The gauges are read from the machine at each scrape."""

    def __init__(self, model: str, machine: ContinuousBatch | DynamicBatch) -> None:
        self.registry = CollectorRegistry()
        self._model = model
        self.requests = self._counter("cynosure:requests", "Arrivals accepted by the HTTP server")
        self.e2e_seconds = self._histogram("vllm:e2e_request_latency_seconds", "Arrival to last byte", _E2E_SECONDS)
        success = Counter(
            "vllm:request_success", "Requests done", ["model_name", "finished_reason"], registry=self.registry
        )
        self.finished = {reason: success.labels(model, reason) for reason in ("stop", "length", "abort")}
        self._gauge("vllm:num_requests_running", "Requests in the batch").set_function(lambda: machine.running)
        self._gauge("vllm:num_requests_waiting", "Requests in the queue").set_function(lambda: machine.waiting)

    def render(self) -> bytes:
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, ["model_name"], registry=self.registry).labels(self._model)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, ["model_name"], registry=self.registry).labels(self._model)

    def _histogram(self, name: str, text: str, edges: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, ["model_name"], registry=self.registry, buckets=edges).labels(self._model)


class DecoderMetrics(Metrics):
    def __init__(self, model: str, machine: ContinuousBatch) -> None:
        super().__init__(model, machine)
        self.prompt_tokens = self._counter("vllm:prompt_tokens", "Prompt tokens prefilled")
        self.generation_tokens = self._counter("vllm:generation_tokens", "Tokens generated")
        self.ttft_seconds = self._histogram("vllm:time_to_first_token_seconds", "Arrival to first token", _TTFT_SECONDS)
        self.itl_seconds = self._histogram("vllm:inter_token_latency_seconds", "Between two tokens", _ITL_SECONDS)
        usage = self._gauge("vllm:kv_cache_usage_perc", "Share of the KV cache in use, 0 to 1")
        usage.set_function(lambda: machine.kv_cache_usage)
