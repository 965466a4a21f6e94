"""When a schedule holds, in its own time zone."""

from datetime import UTC, datetime

import pytest
from cynosure.model.calendar import Schedule, Window, open_window
from hypothesis import given
from hypothesis import strategies as st

OFFICE = Schedule("0 8 * * mon-fri", 10 * 3600.0, "Europe/Madrid", least=4)
NIGHT = Schedule("0 22 * * *", 8 * 3600.0, most=2)
LEAD_SECONDS = 120.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def held(*schedules: Schedule, when: str) -> Window:
    return open_window(schedules, at(when), at(when) + LEAD_SECONDS)


@pytest.mark.parametrize(
    ("when", "least"),
    [
        pytest.param("2026-07-06T05:57:00", None, id="longer before than a replica takes"),
        pytest.param("2026-07-06T05:59:00", 4, id="replicas ordered now are ready when it begins"),
        pytest.param("2026-07-06T06:00:00", 4, id="its first second, summer time"),
        pytest.param("2026-07-06T15:59:59", 4, id="its last second"),
        pytest.param("2026-07-06T16:00:00", None, id="over"),
        pytest.param("2026-01-05T06:30:00", None, id="an hour later in winter: not yet"),
        pytest.param("2026-01-05T07:00:00", 4, id="an hour later in winter"),
        pytest.param("2026-07-04T09:00:00", None, id="a Saturday"),
    ],
)
def test_office_hours(when: str, least: int | None) -> None:
    assert held(OFFICE, when=when) == Window(least, None)


@pytest.mark.parametrize(
    ("when", "most"),
    [
        pytest.param("2026-07-06T21:59:00", None, id="a maximum does not hold before its time"),
        pytest.param("2026-07-06T23:00:00", 2, id="in the evening"),
        pytest.param("2026-07-07T05:59:00", 2, id="after midnight"),
        pytest.param("2026-07-07T06:00:00", None, id="in the morning"),
    ],
)
def test_a_night_reaches_into_the_next_day(when: str, most: int | None) -> None:
    assert held(NIGHT, when=when) == Window(None, most)


def test_the_strictest_of_several_counts() -> None:
    more = Schedule("0 9 * * *", 3600.0, "Europe/Madrid", least=6, most=9)
    less = Schedule("0 9 * * *", 3600.0, "Europe/Madrid", most=7)
    assert held(OFFICE, more, less, when="2026-07-06T07:30:00") == Window(6, 7)


def test_a_day_that_has_no_such_hour_begins_with_the_next() -> None:
    """Summer time begins in Madrid at 01:00 UTC on 29 March 2026, when clocks go from 02:00 to 03:00."""
    early = Schedule("30 2 * * *", 3600.0, "Europe/Madrid", least=3)
    assert held(early, when="2026-03-29T01:30:00") == Window(3, None)


@given(st.integers(0, 7 * 1440 - 1), st.integers(1, 10080))
def test_it_holds_as_often_as_it_says(minute: int, length: int) -> None:
    begin = at("2026-07-06T00:00:00") + 60 * minute  # a Monday
    moment = datetime.fromtimestamp(begin, UTC)
    weekly = Schedule(f"{moment.minute} {moment.hour} * * {moment:%a}", 60.0 * length, least=5)
    for week in range(3):
        first = begin + week * 7 * 86400
        assert open_window((weekly,), first, first).least == 5
        assert open_window((weekly,), first + 60 * length - 1, first + 60 * length - 1).least == 5
        if length < 10079:
            assert open_window((weekly,), first + 60 * length, first + 60 * length).least is None
