"""How many requests met each target over the last day, counted step by step in a task of its own.

A query over a whole day would read every sample again and again; each step is asked for once, and forgotten in time.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cynosure.errors import Unavailable
from cynosure.model.service import ServiceKey, Target
from cynosure.model.signals import Attained, Floats, Series
from cynosure.observe import promql
from cynosure.observe.prometheus import Labels, Metrics
from cynosure.settings import ForecastSettings

log = logging.getLogger(__name__)

CONCURRENT_QUERIES = 4
Wanted = Callable[[], Mapping[ServiceKey, tuple[Target, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """One row for each step: its end, the requests that finished in it, and those within the target."""

    rows: Floats
    asked_until_seconds: float


class Attainment:
    """``wanted`` tells the targets of each service. A step without metrics counts neither requests nor misses."""

    def __init__(
        self, metrics: Metrics, settings: ForecastSettings, clock: Callable[[], float], wanted: Wanted
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._clock = clock
        self._wanted = wanted
        self._pasts: dict[tuple[ServiceKey, Target], _Past] = {}
        self._attained: dict[ServiceKey, tuple[Attained, ...]] = {}

    def of(self, key: ServiceKey) -> tuple[Attained, ...]:
        """Return what was known of a service at the last refresh, over the season before it, normally a day."""
        return self._attained.get(key, ())

    def steps(self, key: ServiceKey, since_seconds: float) -> tuple[tuple[Target, Floats], ...]:
        """Return for each target (steps, 3): the end of each step, the requests in it, and those within the target."""
        pasts = [(target, past.rows) for (service, target), past in self._pasts.items() if service == key]
        return tuple((target, rows[rows[:, 0] > since_seconds]) for target, rows in pasts)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._settings.refit_seconds)

    async def refresh(self) -> None:
        wanted = [(key, target) for key, targets in self._wanted().items() for target in targets]
        for gone in self._pasts.keys() - set(wanted):
            del self._pasts[gone]
        slots = asyncio.Semaphore(CONCURRENT_QUERIES)

        async def one(key: ServiceKey, target: Target) -> None:
            async with slots:
                await self._read(key, target)

        await asyncio.gather(*(one(*pair) for pair in wanted))
        self._attained = self._sums()

    def _sums(self) -> dict[ServiceKey, tuple[Attained, ...]]:
        """A pass only looks up, so the sums are made here; what is too old goes, even while nothing new is read."""
        oldest = self._clock() - self._settings.season_seconds
        sums: defaultdict[ServiceKey, tuple[Attained, ...]] = defaultdict(tuple)
        for (key, target), past in self._pasts.items():
            recent = past.rows[past.rows[:, 0] > oldest]
            if len(recent):
                requests, within = recent[:, 1:].sum(axis=0).tolist()
                sums[key] += (Attained(target, requests, within),)
        return dict(sums)

    async def _read(self, key: ServiceKey, target: Target) -> None:
        step, known = self._settings.step_seconds, self._pasts.get((key, target))
        until = np.floor(self._clock() / step) * step
        oldest = until - self._settings.season_seconds
        begin = max(oldest, known.asked_until_seconds if known else oldest) + step
        if begin > until:
            return
        query = promql.within(target.metric, step, key.namespace, key.name)
        try:
            found = await self._metrics.range(query, begin, until + step / 2, step)
        except Unavailable as error:
            log.warning("attainment not read, what is known stays", extra={"service": str(key), "error": str(error)})
            return
        rows = counted(found, target.milliseconds / 1000)
        if known:
            rows = np.concatenate([known.rows[known.rows[:, 0] > oldest], rows])
        self._pasts[key, target] = _Past(rows, until)


def counted(found: list[tuple[Labels, Series]], seconds: float) -> Floats:
    """Return (steps, 3): time, requests, and how many of them took at most ``seconds``; between buckets interpolated.

    A step in which the last bucket is unknown is none. Above the last bound nothing counts as within.
    """
    buckets = {float(labels["le"]): dict(zip(s.times.tolist(), s.values.tolist(), strict=True)) for labels, s in found}
    total = buckets.pop(np.inf, {})
    bounds = sorted(buckets)
    rows = []
    for at, requests in sorted(total.items()):
        below = [buckets[bound].get(at, 0.0) for bound in bounds]
        rows.append((at, requests, min(requests, float(np.interp(seconds, [0.0, *bounds], [0.0, *below])))))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)
