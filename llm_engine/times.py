"""Times in a text: clock ranges, lists of days, dates, and when something ends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from llm_engine.lexicon import Kind
from llm_engine.tags import Tag

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DURATIONS = {"min": "PT{}M", "h": "PT{}H", "d": "P{}D", "w": "P{}W"}
_ONE = {"hour": "PT1H", "day": "P1D", "week": "P1W", "minute": "PT1M"}


def _words(tag: Tag, text: str) -> str:
    return text[tag.start : tag.end].lower()


def is_dash(tag: Tag) -> bool:
    return tag.kind is Kind.UNTIL or tag.value in ("to", "dash")


def clock_range(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``08:00 to 18:00``, ``8 to 6pm``, ``between 9 and 17:30``; a bare hour only beside a clock time."""
    if len(tags) < 3 or not (is_dash(tags[1]) or tags[1].kind is Kind.AND):
        return None
    first, last = tags[0], tags[2]
    if Kind.CLOCK not in (first.kind, last.kind) or "-" in first.value or not (_hour(first) and _hour(last)):
        return None
    return replace(first, kind=Kind.CLOCK, value=f"{_hour(first)}-{_hour(last)}", end=last.end, parts=(first, last)), 3


def _hour(tag: Tag) -> str | None:
    if tag.kind is Kind.CLOCK:
        return tag.value
    bare = tag.kind is Kind.QUANTITY and tag.value == "" and tag.number in range(24)
    return f"{int(tag.number):02d}:00" if bare else None


def days(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``monday to friday``, ``mon, wed and fri``, ``weekdays and saturday``."""
    if tags[0].kind is not Kind.DAYS:
        return None
    listed, used = tags[0].value.split(","), 1
    while (step := _next_day(tags[used:], listed, text)) is not None:
        listed, count = step
        used += count
    ordered = [day for day in _WEEK if day in listed]
    return (replace(tags[0], end=tags[used - 1].end, value=",".join(ordered)), used) if used > 1 else None


def _next_day(tags: Sequence[Tag], listed: list[str], text: str) -> tuple[list[str], int] | None:
    place = next((n for n, tag in enumerate(tags[:3]) if tag.kind is Kind.DAYS), 0)
    if not place:
        return None
    links, day = tags[:place], tags[place].value.split(",")
    if len(links) == 1 and is_dash(links[0]):
        first, last = _WEEK.index(listed[-1]), _WEEK.index(day[0])
        return listed + [_WEEK[n % 7] for n in range(first + 1, last + 1 + (7 if last < first else 0))], 2
    if all(link.kind is Kind.AND or link.value == "comma" or _words(link, text) == "/" for link in links):
        return listed + day, place + 1
    return None


def written_date(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``31 December 2026``, ``December 31, 2026``; the year is needed."""
    marks = [n for n, tag in enumerate(tags[:6]) if not (tag.kind is Kind.TO or _words(tag, text) in (",", "the"))]
    if len(marks) < 3 or marks[0] != 0:
        return None
    first, second, year = (tags[n] for n in marks[:3])
    month, day = (first, second) if _is_month(first, text) else (second, first)
    plain = (day.kind is Kind.QUANTITY and day.value == "") or day.kind is Kind.PERCENTILE  # "31st"
    if not (plain and _is_month(month, text) and year.kind is Kind.QUANTITY and year.number in range(1000, 10000)):
        return None
    number = month.value if month.kind is Kind.MONTH else "05"
    value = f"{int(year.number)}-{number}-{int(day.number):02d}"
    return Tag(Kind.DATE, value, first.start, year.end), marks[2] + 1


def _is_month(tag: Tag, text: str) -> bool:
    return tag.kind is Kind.MONTH or _words(tag, text) == "may"


def end(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``for 2 hours`` as an ISO 8601 duration, ``until 2026-12-31`` as it is written."""
    minutes = len(tags) > 2 and tags[1].kind is Kind.QUANTITY and text[tags[2].start : tags[2].end].lower() == "min"
    if tags[0].kind is Kind.FOR and minutes:
        length = duration(replace(tags[1], value="min", unit_span=tags[2].span))
        return (length, 3) if length else None
    if tags[0].kind is Kind.FOR and len(tags) > 1 and (length := duration(tags[1])) is not None:
        return length, 2
    if tags[0].kind is not Kind.UNTIL:
        return None
    place = next((n for n, tag in enumerate(tags[1:4], start=1) if tag.kind not in (Kind.TO, Kind.FILLER)), 0)
    if not place or tags[place].kind is not Kind.DATE:
        return None
    return _moment(tags[place:], text, place)


def duration(tag: Tag) -> Tag | None:
    """An hour or 30 minutes as the time from now on when something ends."""
    if tag.kind is Kind.UNIT and tag.value in _DURATIONS:  # the next hour
        return Tag(Kind.EXPIRES, _DURATIONS[tag.value].format(1), tag.start, tag.end)
    if tag.kind is Kind.PERIOD:
        iso = _ONE.get(tag.value)
        return Tag(Kind.EXPIRES, iso, tag.start, tag.end) if iso else None
    if tag.kind is not Kind.QUANTITY or tag.value not in _DURATIONS:
        return None
    number, unit = tag.number, tag.value
    if tag.relative or number <= 0:
        return None
    if unit == "h" and number != int(number):
        number, unit = number * 60, "min"
    last = (tag.unit_span or tag.span)[1]
    return Tag(Kind.EXPIRES, _DURATIONS[unit].format(int(number)), tag.start, last) if number == int(number) else None


def _moment(tags: Sequence[Tag], text: str, used: int) -> tuple[Tag, int] | None:
    """A date, with the time behind it; None for a day that no calendar has."""
    value, last = tags[0].value.replace(" ", "T").replace("t", "T"), 0
    clock = next((n for n, tag in enumerate(tags[1:3], start=1) if tag.kind is Kind.CLOCK and not tag.parts), 0)
    if clock and "T" not in value and all(tag.kind is Kind.TO for tag in tags[1:clock]):
        value, last = f"{value}T{tags[clock].value}", clock
        if len(tags) > clock + 1 and tags[clock + 1].kind is Kind.TIME_ZONE and tags[clock + 1].value == "UTC":
            value, last = value + "Z", clock + 1
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return Tag(Kind.EXPIRES, value, tags[0].start, tags[last].end), used + last + 1
