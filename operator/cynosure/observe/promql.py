"""The queries, each for all services at once: a pass costs the same for two services as for two hundred."""

import math

from cynosure.model.service import Metric
from cynosure.settings import PrometheusSettings

BY = "by (namespace, service)"
HISTOGRAMS = {
    Metric.TTFT: "vllm:time_to_first_token_seconds",
    Metric.TPOT: "vllm:inter_token_latency_seconds",
    Metric.E2E: "vllm:e2e_request_latency_seconds",
}
LONG_TOKEN_WINDOW_SECONDS = 86400.0
"""After a quiet night the lengths of yesterday's requests are better than none."""


def duration(seconds: float) -> str:
    """PromQL has whole milliseconds."""
    return f"{max(1, math.ceil(seconds * 1000))}ms"


def quoted(value: str) -> str:
    """A label's value as a PromQL string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _rate(counter: str, window_seconds: float, selector: str = "") -> str:
    return f"sum {BY} (rate({counter}{selector}[{duration(window_seconds)}]))"


def arrivals(window_seconds: float, selector: str = "") -> str:
    """Requests per second. vLLM counts no arrivals, so there the finished ones stand in for them."""
    counted = _rate("cynosure:requests_total", window_seconds, selector)
    finished = _rate("vllm:request_success_total", window_seconds, selector)
    return f"{counted} or {finished}"


def tokens_per_request(counter: str, settings: PrometheusSettings) -> str:
    """The mean of the last minutes; of the last day where the last minutes had no request."""
    recent, long = (
        f"{_rate(counter, window)} / ({_rate('vllm:request_success_total', window)} > 0)"
        for window in (settings.token_window_seconds, LONG_TOKEN_WINDOW_SECONDS)
    )
    return f"({recent}) or ({long})"


def total(gauge: str) -> str:
    return f"sum {BY} ({gauge})"


RUNNING = total("vllm:num_requests_running")
WAITING = total("vllm:num_requests_waiting")
NEWEST = f"max {BY} (timestamp(vllm:num_requests_running))"
"""When the newest sample of any pod was taken: an instant query itself answers with the time of asking."""
REPORTING = f"count {BY} (vllm:num_requests_running)"
"""How many pods are being scraped."""


def latency_milliseconds(metric: Metric, percentile: float, window_seconds: float) -> str:
    buckets = f"rate({HISTOGRAMS[metric]}_bucket[{duration(window_seconds)}])"
    return f"1000 * histogram_quantile({percentile / 100:g}, sum by (namespace, service, le) ({buckets}))"


def within(metric: Metric, step_seconds: float, namespace: str, service: str) -> str:
    """How many requests of one service finished in each step, by the bucket of their latency."""
    selector = f"{{namespace={quoted(namespace)}, service={quoted(service)}}}"
    return f"sum by (le) (increase({HISTOGRAMS[metric]}_bucket{selector}[{duration(step_seconds)}]))"


def history(step_seconds: float, namespace: str, service: str) -> str:
    """The past request rate of one service."""
    selector = f"{{namespace={quoted(namespace)}, service={quoted(service)}}}"
    return arrivals(step_seconds, selector)
