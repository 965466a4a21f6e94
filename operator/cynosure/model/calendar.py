"""Limits that hold at times that come back, such as office hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

_HOUR: Final = 3600.0
_LOOKED_AHEAD: Final = 2 * _HOUR
"""Beyond the hour that is asked about: longer than any lead time."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """From each time of ``cron`` (five fields, in ``time_zone``) on, for so long, replicas have these limits."""

    cron: str
    duration_seconds: float
    time_zone: str = "UTC"
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Replicas between the limits of all windows that are open."""

    least: int | None = None
    most: int | None = None


def open_window(schedules: Iterable[Schedule], now_seconds: float, until_seconds: float) -> Window:
    """Return the limits that hold: at least what any window until then asks for, at most what all now allow.

    Replicas have to be ready when a window begins, so its minimum counts a lead time before; its maximum does not.
    """
    least, most = list[int](), list[int]()
    for schedule in schedules:
        for begin, end in _spans(schedule, int(now_seconds // _HOUR)):
            if schedule.least is not None and begin <= until_seconds and end > now_seconds:
                least.append(schedule.least)
            if schedule.most is not None and begin <= now_seconds < end:
                most.append(schedule.most)
    return Window(max(least, default=None), min(most, default=None))


@lru_cache(maxsize=4096)
def _spans(schedule: Schedule, hour: int) -> tuple[tuple[float, float], ...]:
    """The times [begin, end) of a schedule that reach into an hour since 1970 or begin soon after."""
    begin = hour * _HOUR
    return tuple(
        (at, at + schedule.duration_seconds)
        for at in (*_last_before(schedule, begin), *_from(schedule, begin))
        if at + schedule.duration_seconds > begin
    )


def _last_before(schedule: Schedule, begin: float) -> Iterator[float]:
    """The newest beginning up to then: of those that still hold it ends last."""
    just_after = datetime.fromtimestamp(begin + 1e-6, ZoneInfo(schedule.time_zone))
    found = next(CronSim(schedule.cron, just_after, reverse=True), None)
    return iter(() if found is None else (found.timestamp(),))


def _from(schedule: Schedule, begin: float) -> Iterator[float]:
    after = CronSim(schedule.cron, datetime.fromtimestamp(begin, ZoneInfo(schedule.time_zone)))
    return takewhile(lambda at: at <= begin + _HOUR + _LOOKED_AHEAD, (found.timestamp() for found in after))
