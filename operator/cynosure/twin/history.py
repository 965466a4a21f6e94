"""The history of a served model from Prometheus or Thanos, as a trace: nothing is installed in the cluster for it."""

import asyncio
import math
from dataclasses import replace
from typing import Final

import numpy as np

from cynosure.clock import Clock, system_clock
from cynosure.errors import BadInput
from cynosure.observe import promql
from cynosure.observe.prometheus import Metrics, Prometheus
from cynosure.settings import read_settings
from loadgen.trace import RateSeries, rate_series

_STEP_SECONDS: Final = 60.0
_DAY_SECONDS: Final = 86_400.0


def read_history(
    url: str,
    service: str,
    days: float,
    query: str | None = None,
    *,
    clock: Clock | None = None,
) -> RateSeries:
    """Return the requests/s of the last days. ``service`` is ``namespace/name``; ``query`` may give the rate instead.

    Headers (tenant, token) and parameters (dedup, partial response) are those of CYNOSURE_PROMETHEUS_HEADERS and
    CYNOSURE_PROMETHEUS_PARAMETERS. :raises BadInput: there is no such series. :raises Unavailable: no answer.
    """
    namespace, _, name = service.rpartition("/")
    asked = query or promql.history(_STEP_SECONDS, namespace or "default", name)
    settings = replace(read_settings().prometheus, prometheus_url=url)
    until = math.floor((clock or system_clock)() / _STEP_SECONDS) * _STEP_SECONDS
    return asyncio.run(_read(Prometheus(settings), asked, until - days * _DAY_SECONDS, until, f"{url} {service}"))


async def _read(metrics: Metrics, query: str, since: float, until: float, source: str) -> RateSeries:
    found = await metrics.range(query, since, until, _STEP_SECONDS)
    known = [series for _, series in found if len(series) >= 2]
    if len(known) != 1:
        what = "no series" if not known else f"{len(known)} series"
        raise BadInput(f"{source}: {what} for {query}; give NAMESPACE/NAME, or a --query that sums to one")
    times, values = known[0].times, known[0].values
    # A rate that ends at a time is that of the step before it.
    steps = np.round((times - times[0]) / _STEP_SECONDS).astype(np.int64)
    regular = np.full(int(steps[-1]) + 1, np.nan)
    regular[steps] = np.maximum(values, 0.0)
    return rate_series(times[0] - _STEP_SECONDS + _STEP_SECONDS * np.arange(len(regular)), regular, source)
