"""The one adapter of Prometheus and of Thanos queriers: what was measured, when, or why that is not known."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util import Retry

from cynosure.errors import Unavailable
from cynosure.model.signals import Series
from cynosure.settings import PrometheusSettings

MOST_POINTS = 10_000
"""Of one range query; the server refuses more than 11,000 per series."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A value as the server gives it: it may be NaN."""

    labels: Labels
    value: float


class Metrics(Protocol):
    """What is asked of a metrics server. Every call may raise ``Unavailable``."""

    async def instant(self, query: str) -> list[Sample]: ...

    async def range(
        self, query: str, from_seconds: float, until_seconds: float, step_seconds: float
    ) -> list[tuple[Labels, Series]]: ...


class Prometheus:
    """``prometheus-api-client`` is synchronous, so each query runs in a thread, with a time limit of its own."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        # What is worth trying again is tried by the next reading, with fresh data; retries here would only hide it.
        self._client = PrometheusConnect(
            url=settings.prometheus_url.rstrip("/"),
            headers=dict(settings.prometheus_headers) or None,
            retry=Retry(total=0),
            session=_session(settings),
        )

    async def instant(self, query: str) -> list[Sample]:
        found = await asyncio.to_thread(self._instant, query)
        return [Sample(entry["metric"], float(entry["value"][1])) for entry in found]

    async def range(
        self, query: str, from_seconds: float, until_seconds: float, step_seconds: float
    ) -> list[tuple[Labels, Series]]:
        """One Series for each label set; samples that are no finite number are gaps."""
        parts: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
        start = from_seconds
        while start < until_seconds:
            end = min(until_seconds, start + MOST_POINTS * step_seconds)
            for entry in await asyncio.to_thread(self._range, query, start, end, step_seconds):
                key = tuple(sorted(entry["metric"].items()))
                parts.setdefault(key, []).extend((float(at), float(value)) for at, value in entry["values"])
            start = end + step_seconds
        return [(dict(key), _series(points)) for key, points in parts.items()]

    def _instant(self, query: str) -> list[dict[str, Any]]:
        return self._ask(
            lambda: self._client.custom_query(
                query, params=dict(self._settings.prometheus_parameters), timeout=self._settings.query_seconds
            )
        )

    def _range(self, query: str, start: float, end: float, step_seconds: float) -> list[dict[str, Any]]:
        return self._ask(
            lambda: self._client.custom_query_range(
                query,
                datetime.fromtimestamp(start, UTC),
                datetime.fromtimestamp(end, UTC),
                f"{step_seconds:g}",
                params=dict(self._settings.prometheus_parameters),
                timeout=self._settings.history_query_seconds,
            )
        )

    def _ask(self, query: "Any") -> list[dict[str, Any]]:
        try:
            answer: list[dict[str, Any]] = query()
        except (OSError, PrometheusApiClientException, AttributeError, KeyError, ValueError, TypeError) as error:
            raise Unavailable(f"{self._settings.prometheus_url}: {_shortly(error)}") from error
        return answer


def _session(settings: PrometheusSettings) -> requests.Session:
    session = requests.Session()
    session.verify = settings.prometheus_ca_file or True
    session.hooks["response"].append(_refuse_half_a_picture)
    return session


def _refuse_half_a_picture(answer: requests.Response, *_: Any, **__: Any) -> None:
    """A store that does not answer is a mere warning in what Thanos says, which the client library passes over.

    Notes of PromQL are about the query, and nothing is missing.
    """
    if answer.status_code != requests.codes.ok or b'"warnings"' not in answer.content:
        return
    missing = [told for told in answer.json().get("warnings") or () if not told.startswith("PromQL")]
    if missing:
        raise ValueError(f"a partial answer: {missing[0]}")


def _shortly(error: Exception) -> str:
    """One line without the object addresses that make each message of urllib3 another one."""
    if isinstance(error, requests.Timeout):
        return "did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted certificate; see CYNOSURE_PROMETHEUS_CA_FILE"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return " ".join(str(error).split())[:200]


def _series(points: list[tuple[float, float]]) -> Series:
    finite = sorted((at, value) for at, value in points if math.isfinite(value))
    times, values = zip(*finite, strict=True) if finite else ((), ())
    return Series(np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64))
