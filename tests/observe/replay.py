"""Engines under a known load, and what is read of it."""

import asyncio
import time
from collections.abc import Callable

from cynosure.model.service import Metric, ServiceKey, Target
from cynosure.model.signals import Load, Reading, Signal
from cynosure.observe.signals import Signals
from cynosure.settings import PrometheusSettings

from tests.observe.conftest import Engines

CHAT = ServiceKey("shop", "chat")
TTFT = Target(Metric.TTFT, 95.0, 400.0)


def settings(url: str) -> PrometheusSettings:
    return PrometheusSettings(
        prometheus_url=url,
        rate_window_seconds=2.0,
        token_window_seconds=2.0,
        stale_after_seconds=1.5,
        query_seconds=2.0,
    )


class Replay:
    """Engines that take ``rps`` requests per second of 500 in and 100 out, each first token within 0.2 s."""

    def __init__(self, engines: Engines, rps: float) -> None:
        self._engines, self._rps, self._begun = engines, rps, time.monotonic()

    async def run(self) -> None:
        while True:
            n = int((time.monotonic() - self._begun) * self._rps)
            self._engines.lines = [
                f"cynosure:requests_total {n}",
                f'vllm:request_success_total{{finished_reason="stop"}} {n}',
                f"vllm:prompt_tokens_total {n * 500}",
                f"vllm:generation_tokens_total {n * 100}",
                "vllm:num_requests_running 3",
                "vllm:num_requests_waiting 1",
                f'vllm:time_to_first_token_seconds_bucket{{le="0.1"}} {n // 2}',
                f'vllm:time_to_first_token_seconds_bucket{{le="0.2"}} {n}',
                f'vllm:time_to_first_token_seconds_bucket{{le="+Inf"}} {n}',
            ]
            await asyncio.sleep(0.05)


async def load_when(signals: Signals, ready: Callable[[Load], bool], seconds: float = 15.0) -> Load:
    async with asyncio.timeout(seconds):
        while True:
            await signals.refresh()
            load = signals.load(CHAT, (TTFT,), None)
            if ready(load):
                return load
            await asyncio.sleep(0.2)


def value(signal: Signal) -> float:
    assert isinstance(signal, Reading), signal
    return signal.value
