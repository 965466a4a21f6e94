"""Tags that belong together become one: a number and its unit, a range, a list of services or days, an end."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from llm_engine.lexicon import Kind
from llm_engine.tags import Tag

Step = Callable[[Sequence[Tag], str], tuple[Tag, int] | None]
"""The tag that the first few tags make, and how many they were; None where they make none."""

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DURATIONS = {"min": "PT{}M", "h": "PT{}H", "d": "P{}D", "w": "P{}W"}
_OBJECTIVE = re.compile(r"\b(?:slo|attainment|goodput)\b", re.IGNORECASE)
_REQUESTS = frozenset({"request", "requests", "answers", "responses", "calls", "queries", "time", "replies"})


def compose(tags: Sequence[Tag], text: str) -> list[Tag]:
    found = list(tags)
    for step in (_quantity, _period, _share, _clocks, _range, _days, _services, _end):
        found = _apply(step, found, text)
    return _borrow_units(found)


def _apply(step: Step, tags: list[Tag], text: str) -> list[Tag]:
    found, position = [], 0
    while position < len(tags):
        made = step(tags[position:], text)
        tag, used = made if made is not None else (tags[position], 1)
        found.append(tag)
        position += used
    return found


def _kinds(tags: Sequence[Tag], *kinds: Kind) -> bool:
    return len(tags) >= len(kinds) and all(tag.kind is kind for tag, kind in zip(tags, kinds, strict=False))


def _join(tags: Sequence[Tag], **changes: object) -> Tag:
    return replace(tags[0], **({"end": tags[-1].end} | changes))  # type: ignore[arg-type]


def _quantity(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    first = tags[0]
    if first.kind is Kind.UNIT and first.value in ("usd", "eur") and _kinds(tags[1:], Kind.NUMBER):
        number = tags[1]
        return replace(number, kind=Kind.QUANTITY, value=first.value, unit_span=first.span), 2
    if _kinds(tags[1:], Kind.UNIT) and (one := _indefinite(first, tags[1], text)) is not None:
        return one, 2
    if first.kind is not Kind.NUMBER:
        return None
    rest = tags[1:]
    relative = {Kind.MORE: 1, Kind.FEWER: -1}.get(rest[0].kind, 0) if rest else 0
    unit = rest[abs(relative) :][:1]
    if unit and unit[0].kind is Kind.UNIT:
        made = replace(first, kind=Kind.QUANTITY, value=unit[0].value, relative=relative, unit_span=unit[0].span)
        return made, 2 + abs(relative)
    return replace(first, kind=Kind.QUANTITY, value="", relative=relative), 1 + abs(relative)


def _indefinite(article: Tag, unit: Tag, text: str) -> Tag | None:
    """``a replica``, ``another GPU``, ``a second``."""
    words = text[article.start : article.end].lower(), text[unit.start : unit.end].lower()
    if words[0] not in ("a", "an", "another") or words[1] not in (
        "replica",
        "gpu",
        "second",
        "pod",
        "instance",
        "copy",
    ):
        return None
    more = 1 if words[0] == "another" else 0
    return replace(article, kind=Kind.QUANTITY, value=unit.value, number=1.0, relative=more, unit_span=unit.span)


def _period(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``20 euro an hour``."""
    if _kinds(tags, Kind.QUANTITY, Kind.PERIOD):
        return replace(tags[0], per=tags[1].value), 2
    return None


def _share(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``95 % of the requests`` names a percentile, unless they are to meet the SLO."""
    if not (tags[0].kind is Kind.QUANTITY and tags[0].value == "percent" and _kinds(tags[1:], Kind.TO)):
        return None
    if _OBJECTIVE.search(text):
        return None
    for index, tag in enumerate(tags[2:6], start=2):
        if text[tag.start : tag.end].lower() in _REQUESTS:
            kept = [one for one in tags[2:index] if one.kind is Kind.SERVICE]
            share = replace(tags[0], kind=Kind.PERCENTILE, value="share")
            return (share, index + 1) if not kept else (share, 2)
        if tag.kind not in (Kind.FILLER, Kind.SERVICE, Kind.EVERYTHING):
            break
    return None


def _dash(tag: Tag, text: str) -> bool:
    return text[tag.start : tag.end].lower() in ("to", "-", "\u2013", "until", "till")


def _clocks(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``08:00 to 18:00``, ``8 to 6pm``, ``between 9 and 17:30``; a bare hour only beside a clock time."""
    if len(tags) < 3 or not (_dash(tags[1], text) or tags[1].kind is Kind.AND):
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


def _range(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``between 2 and 8``, ``from 2 to 8``, ``2-8``."""
    lead = 1 if tags[0].kind in (Kind.BETWEEN, Kind.FROM) else 0
    body = tags[lead:]
    if not (_kinds(body, Kind.QUANTITY) and len(body) >= 3 and body[2].kind is Kind.QUANTITY):
        return None
    if not (_dash(body[1], text) or (tags[0].kind is Kind.BETWEEN and body[1].kind is Kind.AND)):
        return None
    low, high = body[0], body[2]
    unit = high.value or low.value
    if low.value not in ("", unit):
        return None
    shared = high.unit_span or low.unit_span
    parts = tuple(replace(part, value=unit, per=high.per, unit_span=part.unit_span or shared) for part in (low, high))
    return Tag(Kind.RANGE, tags[0].kind.value if lead else "", low.start, high.end, parts=parts), lead + 3


def _days(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``monday to friday``, ``mon, wed and fri``."""
    if not (tags[0].kind is Kind.DAYS and len(tags) >= 3 and "," not in tags[0].value):
        return None
    days, used = [tags[0].value], 1
    while used + 1 < len(tags) and tags[used + 1].kind is Kind.DAYS:
        link, day = tags[used], tags[used + 1]
        if _dash(link, text):
            first, last = _WEEK.index(days[-1]), _WEEK.index(day.value.split(",")[0])
            days += [_WEEK[n % 7] for n in range(first + 1, last + 1 + (7 if last < first else 0))]
        elif link.kind is Kind.AND or text[link.start : link.end] == ",":
            days += day.value.split(",")
        else:
            break
        used += 2
    ordered = [day for day in _WEEK if day in days]
    return (_join(tags[:used], value=",".join(ordered)), used) if used > 1 else None


def _services(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``chat, vision and search``."""
    if tags[0].kind is not Kind.SERVICE:
        return None
    parts, used = [tags[0]], 1
    while (more := _next_service(tags[used:], text)) is not None:
        parts.append(tags[used + more])
        used += more + 1
    return (_join(tags[:used], parts=tuple(parts)), used) if used > 1 else None


def _next_service(tags: Sequence[Tag], text: str) -> int | None:
    """How many links stand before the next service of the list."""
    for count, tag in enumerate(tags[:3]):
        if tag.kind is Kind.SERVICE and count:
            return count
        if not (tag.kind is Kind.AND or text[tag.start : tag.end] == ","):
            return None
    return None


def _end(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``for 2 hours`` as an ISO 8601 duration, ``until 2026-12-31`` as it is written."""
    if _kinds(tags, Kind.FOR, Kind.QUANTITY) and tags[1].value in _DURATIONS:
        amount, last = tags[1], tags[1].unit_span or tags[1].span
        if amount.number == int(amount.number):
            iso = _DURATIONS[amount.value].format(int(amount.number))
            return Tag(Kind.EXPIRES, iso, amount.start, last[1]), 2
    if tags[0].kind is Kind.UNTIL:
        skip = 2 if _kinds(tags[1:], Kind.TO) or _kinds(tags[1:], Kind.FILLER) else 1
        if _kinds(tags[skip:], Kind.DATE):
            return Tag(Kind.EXPIRES, tags[skip].value, tags[skip].start, tags[skip].end), skip + 1
    return None


_BETWEEN_UNITS = frozenset({Kind.AND, Kind.UPPER, Kind.LOWER, Kind.FILLER, Kind.TO, Kind.NEGATION})


def _borrow_units(tags: list[Tag]) -> list[Tag]:
    """``at least 2 and at most 8 replicas``: the first number has the unit of the second."""
    found = list(tags)
    for index in range(len(found) - 1, -1, -1):
        tag = found[index]
        if tag.kind is not Kind.QUANTITY or tag.value:
            continue
        rest = found[index + 1 :]
        other = next((t for t in rest if t.kind not in _BETWEEN_UNITS), None)
        if other is not None and other.kind is Kind.QUANTITY and other.value and rest[0].kind is not Kind.QUANTITY:
            found[index] = replace(tag, value=other.value, per=other.per, unit_span=other.unit_span)
    return found
