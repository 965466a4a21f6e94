"""What Prometheus would know: samples at fixed times, seen late, with holes where a scenario makes them."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cynosure.model.service import Target
from cynosure.model.signals import Attained, Floats
from cynosure.twin.fleet import Fleet, Replica
from cynosure.twin.port import Window
from cynosure.twin.tally import FINISHED, INPUT_TOKENS, OFFERED, OUTPUT_TOKENS, Tally, quantile_milliseconds, within

HISTORY_STEP_SECONDS: Final = 60.0
_DAY_STEPS: Final = round(86400 / HISTORY_STEP_SECONDS)
_KEPT_SECONDS: Final = 900.0
"""The longest window that can be looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class _Scrape:
    """``sums`` has a row for each ready replica: see ``Fleet.sums``."""

    at_seconds: float
    tally: Tally
    replicas: tuple[Replica, ...]
    sums: Floats


@dataclass(slots=True, eq=False)
class Scrapes:
    """``absent`` are times [from, until) without metrics; ``past`` are the rates of the steps before the start."""

    targets: tuple[Target, ...]
    spacing_seconds: float
    absent: tuple[tuple[float, float], ...]
    past: Floats
    _kept: deque[_Scrape] = field(default_factory=deque)
    _rates: list[float] = field(default_factory=list)
    _finished: list[Floats] = field(default_factory=list)
    """By the end of each step: requests known to have finished, and for each target those within it."""
    _edge: tuple[int, Floats] = (0, np.zeros(1))
    """Steps since the start, and how many requests had come and finished by the end of the last one; NaN: unknown."""

    def take(self, fleet: Fleet, now: float) -> None:
        known = not any(begin <= now < end for begin, end in self.absent)
        self._count(now, fleet.tally, known)
        if known:
            ready = tuple(fleet.ready)
            self._kept.append(_Scrape(now, fleet.tally.copy(), ready, fleet.sums(ready)))
        while self._kept and self._kept[0].at_seconds < now - _KEPT_SECONDS:
            self._kept.popleft()

    def history(self, now: float) -> tuple[Floats, float]:
        """Return the rates of all whole steps that are seen, and when the last of them ended."""
        steps = self._steps_seen(now)
        return np.concatenate([self.past, self._rates[:steps]]), steps * HISTORY_STEP_SECONDS

    def window(self, now: float, seconds: float) -> Window | None:
        """Return the window up to the scrape before the newest one; None while metrics are absent."""
        until = now - self.spacing_seconds + 1e-9
        seen = [scrape for scrape in self._kept if scrape.at_seconds <= until]
        if not seen or seen[-1].at_seconds < until - self.spacing_seconds:
            return None
        begin = seen[-1].at_seconds - max(seconds, self.spacing_seconds)
        oldest = next(scrape for scrape in seen if scrape.at_seconds >= begin - 1e-9)
        return self._between(oldest, seen[-1]) if oldest is not seen[-1] else None

    def attained(self, now: float) -> tuple[Attained, ...]:
        """Return what was within each target over the last day; nothing before the first known step."""
        steps = self._steps_seen(now)
        if not steps:
            return ()
        before = self._finished[steps - 1 - _DAY_STEPS] if steps > _DAY_STEPS else 0.0
        requests, *met = (self._finished[steps - 1] - before).tolist()
        return tuple(Attained(t, requests, n) for t, n in zip(self.targets, met, strict=True))

    def _steps_seen(self, now: float) -> int:
        return max(0, int((now - self.spacing_seconds + 1e-9) / HISTORY_STEP_SECONDS))

    def _count(self, now: float, tally: Tally, known: bool) -> None:
        step = int(now / HISTORY_STEP_SECONDS + 1e-9)
        if step > self._edge[0]:
            counted = _counted(tally) if known else np.full(2 + len(self.targets), np.nan)
            new = counted - self._edge[1]
            self._rates.append(float(new[0]) / HISTORY_STEP_SECONDS)
            self._finished.append((self._finished[-1] if self._finished else 0.0) + np.nan_to_num(new[1:]))
            self._edge = (step, counted)

    def _between(self, oldest: _Scrape, newest: _Scrape) -> Window:
        seconds = newest.at_seconds - oldest.at_seconds
        tally = newest.tally.since(oldest.tally)
        arrived = int(tally.counts[OFFERED])
        running, waiting, kv_usage, busy = _means(oldest, newest).T
        return Window(
            seconds=seconds,
            arrival_rps=arrived / seconds,
            input_tokens=float(tally.counts[INPUT_TOKENS]) / arrived if arrived else float("nan"),
            output_tokens=float(tally.counts[OUTPUT_TOKENS]) / arrived if arrived else float("nan"),
            latency_milliseconds={t: quantile_milliseconds(tally, t.metric, t.percentile) for t in self.targets},
            running=running,
            waiting=waiting,
            kv_usage=kv_usage,
            busy=busy,
        )


def _counted(tally: Tally) -> Floats:
    """Return how many requests came, how many finished, and for each target how many of those were within it."""
    return np.array([tally.counts[OFFERED], tally.counts[FINISHED], *within(tally)], dtype=np.float64)


def _means(oldest: _Scrape, newest: _Scrape) -> Floats:
    """Means over the window, or since a replica became ready: a row for each that has been ready for a while."""
    before = dict(zip(oldest.replicas, oldest.sums, strict=True))
    rows = [
        (sums - before.get(replica, 0.0)) / (newest.at_seconds - max(oldest.at_seconds, replica.ready_at))
        for replica, sums in zip(newest.replicas, newest.sums, strict=True)
        if replica.ready_at < newest.at_seconds
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
