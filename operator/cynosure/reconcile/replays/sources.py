"""Reads what ``spec.trace`` names, and builds the schedule beside the event loop."""

import asyncio

from cynosure.api import TrafficReplay
from cynosure.api.conditions import Reason
from cynosure.api.traffic_replay import PrometheusTrace
from cynosure.errors import NotFound, Unavailable
from cynosure.kube.port import CONFIG_MAPS, KubeApi
from cynosure.observe import promql
from cynosure.observe.prometheus import Metrics
from cynosure.reconcile.replays import schedules
from cynosure.reconcile.replays.hindrance import trace
from cynosure.reconcile.replays.users import with_users
from cynosure.settings import Settings
from loadgen.schedule import Kind, Schedule


class Sources:
    def __init__(self, kube: KubeApi, metrics: Metrics, settings: Settings) -> None:
        self._kube = kube
        self._metrics = metrics
        self._step_seconds = settings.forecast.step_seconds
        self._window_seconds = max(settings.forecast.step_seconds, settings.prometheus.rate_window_seconds)

    async def schedule(self, replay: TrafficReplay, kind: Kind) -> Schedule:
        """With its users. Raises ``Hindered``."""
        return await asyncio.to_thread(with_users, await self._of_trace(replay, kind), replay)

    async def _of_trace(self, replay: TrafficReplay, kind: Kind) -> Schedule:
        asked = replay.spec.trace
        if asked.prometheus is not None:
            return await self._past(asked.prometheus, replay, kind)
        if asked.config_map is not None:
            return await self._written(asked.config_map, replay, kind)
        return await asyncio.to_thread(schedules.from_name, asked.name or "", replay, kind)

    async def _past(self, asked: PrometheusTrace, replay: TrafficReplay, kind: Kind) -> Schedule:
        query = promql.history(self._window_seconds, replay.metadata.namespace, asked.service)
        begin, end, step = asked.from_.timestamp(), asked.to.timestamp(), self._step_seconds
        try:
            found = [series for _, series in await self._metrics.range(query, begin + step, end, step)]
        except Unavailable as error:
            raise trace(Reason.PROMETHEUS_ERROR, f"trace.prometheus: {error}; it is asked again") from error
        return await asyncio.to_thread(schedules.from_series, found, asked, step, replay, kind)

    async def _written(self, name: str, replay: TrafficReplay, kind: Kind) -> Schedule:
        namespace = replay.metadata.namespace
        try:
            body = await self._kube.get(CONFIG_MAPS, name, namespace)
        except NotFound as error:
            message = f"trace.configMap: there is no ConfigMap {name} in namespace {namespace}"
            raise trace(Reason.TRACE_MISSING, message) from error
        return await asyncio.to_thread(schedules.from_config_map, body, replay, kind)
