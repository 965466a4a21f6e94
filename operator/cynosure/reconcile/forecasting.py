"""Forecasts, fitted again in a task of their own; a pass looks up what was fitted last."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from cynosure.clock import Clock
from cynosure.errors import CynosureError
from cynosure.forecast import Horizon, Learner, Worth, fleet_worth
from cynosure.model.forecast import Forecast
from cynosure.model.service import ServiceKey
from cynosure.model.signals import Series
from cynosure.observe import promql
from cynosure.observe.prometheus import Metrics
from cynosure.settings import ForecastSettings

log = logging.getLogger(__name__)

CONCURRENT_QUERIES = 4
_EMPTY = Series(np.empty(0), np.empty(0))


class Forecaster:
    """History is read once and then only its new end, so a refit costs the same after a day as after two weeks."""

    def __init__(
        self,
        metrics: Metrics,
        settings: ForecastSettings,
        clock: Clock,
        services: Callable[[], Iterable[ServiceKey]],
        *,
        rate_window_seconds: float,
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._clock = clock
        self._services = services
        self._window = max(settings.step_seconds, rate_window_seconds)
        self._histories: dict[ServiceKey, Series] = {}
        self._learners: dict[ServiceKey, Learner] = {}
        self._forecasts: dict[ServiceKey, Forecast] = {}
        self._tried_at: dict[ServiceKey, float] = {}
        self._fleet: Worth = {}
        self._horizon = Horizon(settings.step_seconds, settings.horizon_seconds, settings.season_seconds)

    def latest(self) -> Mapping[ServiceKey, Forecast]:
        """Those that still reach into the future."""
        now = self._clock()
        reach = self._settings.horizon_seconds
        return {key: f for key, f in self._forecasts.items() if f.made_at_seconds + reach > now}

    def history(self, key: ServiceKey) -> Series | None:
        """The past of a service as it was read last."""
        return self._histories.get(key)

    async def run(self, changed: Callable[[ServiceKey], None]) -> None:
        """Until cancelled; a service that is new gets its first forecast within ``step_seconds``."""
        while True:
            now, limit = self._clock(), self._settings.refit_seconds
            await self.refit([k for k in self._services() if now - self._tried_at.get(k, -limit) >= limit], changed)
            await asyncio.sleep(min(self._settings.step_seconds, limit, 5.0))

    async def refit(self, keys: Iterable[ServiceKey], changed: Callable[[ServiceKey], None] = lambda key: None) -> None:
        slots = asyncio.Semaphore(CONCURRENT_QUERIES)
        if due := list(keys):  # thousands of services lend, and mostly none is due
            lent = [known for learner in self._learners.values() if (known := learner.worth)]
            self._fleet = await asyncio.to_thread(fleet_worth, lent)

        async def one(key: ServiceKey) -> None:
            self._tried_at[key] = self._clock()
            async with slots:
                await self._refit(key)
            changed(key)

        await asyncio.gather(*(one(key) for key in due))
        self._forget_all_but(set(self._services()))

    def _forget_all_but(self, services: set[ServiceKey]) -> None:
        for known in (self._histories, self._learners, self._forecasts, self._tried_at):
            for gone in known.keys() - services:
                del known[gone]

    async def _refit(self, key: ServiceKey) -> None:
        try:
            history = await self._history(key)
            learner = self._learners.setdefault(key, Learner(self._horizon))
            forecast = await asyncio.to_thread(learner.forecast, history, self._clock(), self._fleet)
        except CynosureError as error:
            log.warning("no history, the last forecast stays", extra={"service": str(key), "error": str(error)})
            return
        except Exception:  # a history that nobody thought of must not end the forecasts of the others
            log.exception("the forecast failed, the last one stays", extra={"service": str(key)})
            return
        if forecast is not None:
            self._forecasts[key] = forecast

    async def _history(self, key: ServiceKey) -> Series:
        step, now = self._settings.step_seconds, self._clock()
        known = self._histories.get(key, _EMPTY)
        oldest = now - self._settings.history_seconds
        begin = float(known.times[-1]) + step if len(known) else np.ceil(oldest / step) * step
        if begin > now:
            return known
        query = promql.history(self._window, key.namespace, key.name)
        fresh = [series for _, series in await self._metrics.range(query, begin, now, step)]
        joined = _joined([known, *fresh], oldest)
        self._histories[key] = joined
        return joined


def _joined(parts: list[Series], oldest: float) -> Series:
    times = np.concatenate([part.times for part in parts])
    values = np.concatenate([part.values for part in parts])
    order = np.argsort(times, kind="stable")
    kept = order[times[order] >= oldest]
    return Series(times[kept], values[kept])
