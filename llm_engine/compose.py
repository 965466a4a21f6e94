"""Tags that belong together become one: a number and its unit, a range, a list of services or days, an end."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from llm_engine.lexicon import NUMERIC, Kind
from llm_engine.tags import Tag
from llm_engine.times import clock_range, days, end, is_dash, written_date

Step = Callable[[Sequence[Tag], str], tuple[Tag, int] | None]
"""The tag that the first few tags make, and how many they were; None where they make none."""

_WEEK = "mon,tue,wed,thu,fri,sat,sun"
_OBJECTIVE = re.compile(r"\b(?:slo|sla|attainment|goodput)\b", re.IGNORECASE)
_ANSWERS = frozenset({"answers", "responses", "replies"})
_COUNTABLE = frozenset({"replicas", "gpus", "s", "min", "h", "d", "w"})
_RELATIVE = {Kind.MORE: 1, Kind.FEWER: -1}


def compose(tags: Sequence[Tag], text: str) -> list[Tag]:
    steps = (
        _twice,
        _quantity,
        _up_to,
        _or_less,
        written_date,
        _period,
        _share,
        clock_range,
        _range,
        days,
        _services,
        _instead,
        end,
    )
    found = _joined_by_denial(_lines(tags, text))
    for step in steps:
        found = _apply(step, found, text)
    return _borrow_units(_apart(_failing(found), text))


def _lines(tags: Sequence[Tag], text: str) -> list[Tag]:
    """A line about a service, behind another one, is a statement of its own; else it goes on, as an answer does."""
    found: list[Tag] = []
    for index, tag in enumerate(tags):
        last = text.rfind("\n", 0, tag.start)
        begins = index == 0 or tags[index - 1].end <= last
        ends = text.find("\n", tag.start) % (len(text) + 1)
        if begins and _names(tags[:index]) and _names(one for one in tags[index:] if one.end <= ends):
            found.append(Tag(Kind.SEPARATOR, "", last, last))
        numbered = begins and tag.kind is Kind.NUMBER and text[tag.end : tag.end + 2] in (". ", ") ")
        found.append(replace(tag, kind=Kind.FILLER) if numbered else tag)
    return found


def _names(tags: Iterable[Tag]) -> bool:
    return any(tag.kind in (Kind.SERVICE, Kind.EVERYTHING) for tag in tags)


def _twice(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``three (3)`` says one number."""
    if not _kinds(tags, Kind.NUMBER, Kind.FILLER, Kind.NUMBER, Kind.FILLER) or tags[0].number != tags[2].number:
        return None
    marks = text[tags[1].start : tags[1].end] + text[tags[3].start : tags[3].end]
    return (tags[0], 4) if marks == "()" else None


def _joined_by_denial(tags: Sequence[Tag]) -> list[Tag]:
    """``never let chat or vision`` means both: behind a denial *or* joins."""
    found: list[Tag] = []
    is_denied = False
    for tag in tags:
        is_denied = tag.kind is Kind.NEGATION or (is_denied and tag.kind is not Kind.SEPARATOR)
        found.append(replace(tag, kind=Kind.AND) if is_denied and tag.value == "or" else tag)
    return found


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


def _quantity(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``300 ms``, ``$20``, ``two more replicas``, ``another two replicas``, ``one replica less``, ``an extra pod``."""
    first = tags[0]
    if first.kind is Kind.UNIT and first.value in ("usd", "eur") and _kinds(tags[1:], Kind.NUMBER):
        return replace(tags[1], kind=Kind.QUANTITY, value=first.value, unit_span=first.span), 2
    if (one := _indefinite(tags)) is not None:
        return one
    lead = 1 if first.kind is Kind.MORE and _kinds(tags[1:], Kind.NUMBER) else 0
    number = tags[lead]
    if number.kind is not Kind.NUMBER:
        return None
    relative, used = (1 if lead else number.relative), lead + 1
    unit: Tag | None = None
    for tag in tags[used : used + 3]:
        if tag.kind in _RELATIVE and not relative:
            relative = _RELATIVE[tag.kind]
        elif tag.kind is Kind.FILLER and tag.value == "measure":
            pass
        elif tag.kind is Kind.UNIT and unit is None:
            unit = tag
        else:
            break
        used += 1
    made = replace(number, kind=Kind.QUANTITY, value=unit.value if unit else "", relative=relative)
    return replace(made, unit_span=unit.span if unit else None), used


def _or_less(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``400 ms or below``, but not ``below 2 or above 9``."""
    if tags[0].value != "or" or len(tags) < 2 or tags[1].value != "bare":
        return None
    if len(tags) > 2 and tags[2].kind in (Kind.QUANTITY, Kind.FILLER):
        return None
    return replace(tags[1], value="", start=tags[0].start), 2


def _up_to(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``up to`` without a number behind it is no limit."""
    if tags[0].kind is not Kind.UPPER or tags[0].value != "upto":
        return None
    follows = next((tag for tag in tags[1:] if tag.kind is not Kind.FILLER), None)
    limits = follows is not None and follows.kind in (Kind.QUANTITY, Kind.UPPER, Kind.LOWER, Kind.UNIT)
    return None if limits else (replace(tags[0], kind=Kind.VAGUE, value="amount"), 1)


def _indefinite(tags: Sequence[Tag]) -> tuple[Tag, int] | None:
    """``a replica``, ``another GPU``, ``an extra replica``, ``a second``."""
    article = tags[0].value == "a" and tags[0].kind is Kind.FILLER
    more = next((n for n in (0, 1) if len(tags) > n and tags[n].kind is Kind.MORE and (n == 0 or article)), None)
    if not article and more is None:
        return None
    place = 1 if more is None else more + 1
    unit = tags[place] if len(tags) > place else None
    if unit is None or unit.kind is not Kind.UNIT or unit.value not in _COUNTABLE:
        return None
    relative = 0 if more is None else 1
    made = replace(tags[0], kind=Kind.QUANTITY, value=unit.value, number=1.0, relative=relative, unit_span=unit.span)
    return made, place + 1


def _period(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``20 euro an hour``; ``daily`` that is about no amount means every day."""
    if _kinds(tags, Kind.QUANTITY, Kind.PERIOD):
        return replace(tags[0], per=tags[1].value), 2
    if tags[0].kind is Kind.PERIOD and tags[0].value == "daily":
        return replace(tags[0], kind=Kind.DAYS, value=_WEEK), 1
    return None


def _share(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``95 % of the requests``, ``of the answers`` names a percentile, unless they are to meet the SLO or may fail."""
    if not (tags[0].kind is Kind.QUANTITY and tags[0].value == "percent" and _kinds(tags[1:], Kind.TO)):
        return None
    failing = any(tag.kind is Kind.METRIC and tag.value == "error_rate" for tag in tags[2:10])
    if _OBJECTIVE.search(text) or failing:
        return None
    for index, tag in enumerate(tags[2:7], start=2):
        if tag.kind is Kind.LATENCY and text[tag.start : tag.end].lower() in _ANSWERS:
            return replace(tags[0], kind=Kind.PERCENTILE, value="share"), 2
        if tag.value == "requests":
            kept = [one for one in tags[2:index] if one.kind is Kind.SERVICE]
            share = replace(tags[0], kind=Kind.PERCENTILE, value="share")
            return (share, index + 1) if not kept else (share, 2)
        if tag.kind not in (Kind.FILLER, Kind.SERVICE, Kind.EVERYTHING):
            break
    return None


def _failing(tags: list[Tag]) -> list[Tag]:
    """``may fail at most 1 % of its requests``: behind a failure a share of the requests is the limit itself."""
    found: list[Tag] = []
    for tag in tags:
        is_share = tag.kind is Kind.PERCENTILE and tag.value == "share"
        own = next((one for one in reversed(found) if one.kind in (Kind.METRIC, Kind.AND, Kind.SEPARATOR)), None)
        fails = is_share and own is not None and own.value == "error_rate"
        found.append(replace(tag, kind=Kind.QUANTITY, value="percent") if fails else tag)
    return found


def _range(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``between 2 and 8``, ``from 2 to 8``, ``2-8``."""
    lead = 1 if tags[0].kind in (Kind.BETWEEN, Kind.FROM) else 0
    body = tags[lead:]
    if not (_kinds(body, Kind.QUANTITY) and len(body) >= 3 and body[2].kind is Kind.QUANTITY):
        return None
    if not (
        is_dash(body[1])
        or (lead and body[1].value == "upto")
        or (tags[0].kind is Kind.BETWEEN and body[1].kind is Kind.AND)
    ):
        return None
    low, high = body[0], body[2]
    unit = high.value or low.value
    if low.value not in ("", unit):
        return None
    shared = high.unit_span or low.unit_span
    parts = tuple(replace(part, value=unit, per=high.per, unit_span=part.unit_span or shared) for part in (low, high))
    return Tag(Kind.RANGE, tags[0].kind.value if lead else "", low.start, high.end, parts=parts), lead + 3


def _services(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``chat, vision and search``, ``the chat service and the vision service``."""
    if tags[0].kind is not Kind.SERVICE:
        return None
    parts, used = [tags[0]], 1
    while (more := _next_service(tags[used:])) is not None:
        parts.append(tags[used + more])
        used += more + 1
    return (replace(tags[0], end=parts[-1].end, parts=tuple(parts)), used) if len(parts) > 1 else None


def _next_service(tags: Sequence[Tag]) -> int | None:
    """How many links stand before the next service of the list."""
    linked = False
    for count, tag in enumerate(tags[:5]):
        if tag.kind is Kind.SERVICE:
            return count if linked else None
        linked = linked or tag.kind is Kind.AND or tag.value == "comma"
        if not (tag.kind in (Kind.AND, Kind.FILLER) or tag.value == "comma"):
            return None
    return None


def _instead(tags: Sequence[Tag], text: str) -> tuple[Tag, int] | None:
    """``instead of 5``, ``rather than vision``: what it shall not be is passed over."""
    if tags[0].kind is not Kind.INSTEAD:
        return None
    place = next((n for n, tag in enumerate(tags[1:4], start=1) if tag.kind not in (Kind.FILLER, Kind.TO)), None)
    if place is None or tags[place].kind not in (
        Kind.QUANTITY,
        Kind.SERVICE,
        Kind.PARTITION,
        Kind.NODE,
        Kind.OBJECTIVE,
        Kind.LATENCY,
        Kind.METRIC,
    ):
        return None
    return Tag(Kind.FILLER, "", tags[0].start, tags[place].end), place + 1


def _apart(tags: Sequence[Tag], text: str) -> list[Tag]:
    """``pause chat and vision should have 3``: the last of a list may begin a statement of its own."""
    found: list[Tag] = []
    is_said = False  # something, before the list, that needs no more words
    for index, tag in enumerate(tags):
        after = tags[index + 1] if index + 1 < len(tags) else None
        is_said = tag.kind in _SAID or (tag.kind is Kind.VERB and tag.value in _WHOLE) or (is_said and not _links(tag))
        if is_said and tag.kind is Kind.SERVICE and len(tag.parts) > 1 and after is not None and _states(after, text):
            *rest, last = tag.parts
            break_at = Tag(Kind.SEPARATOR, "", rest[-1].end, rest[-1].end)
            listed = replace(tag, end=rest[-1].end, parts=tuple(rest) if len(rest) > 1 else ())
            found += [listed, break_at, last]
        else:
            found.append(tag)
    return found


_SAID = (Kind.FACTOR, *NUMERIC)
_WHOLE = frozenset({"pause", "resume", "delete", "explain", "undo", "prefer"})


def _links(tag: Tag) -> bool:
    return tag.kind in (Kind.AND, Kind.SEPARATOR)


def _states(tag: Tag, text: str) -> bool:
    """``should``, ``needs``, ``must not``, ``'s``: behind a name it makes a statement."""
    said = tag.kind in (Kind.HINT, Kind.NEGATION) or tag.value == "modal"
    return said or text[tag.start : tag.end].lower() in ("'s", "\u2019s", ":")


_BETWEEN_UNITS = frozenset({Kind.AND, Kind.UPPER, Kind.LOWER, Kind.FILLER, Kind.TO, Kind.NEGATION, Kind.VAGUE})


def _borrow_units(tags: list[Tag]) -> list[Tag]:
    """``at least 2 and at most 8 replicas``: the first number has the unit of the second."""
    found = list(tags)
    for index in range(len(found) - 1, -1, -1):
        tag = found[index]
        if tag.kind is not Kind.QUANTITY or tag.value:
            continue
        place = next((n for n in range(index + 1, len(found)) if not _is_between(found[n])), index)
        between, other = found[index + 1 : place], found[place]
        counted = other.value == "replicas" or not any(tag.kind in (Kind.SEPARATOR, Kind.NEGATION) for tag in between)
        if other.kind is Kind.QUANTITY and other.value and between and counted and _is_alike(found[:index], between):
            found[index] = replace(tag, value=other.value, per=other.per, unit_span=other.unit_span)
    return found


def _is_between(tag: Tag) -> bool:
    return tag.kind in _BETWEEN_UNITS or tag.value in ("comma", "but")


def _is_alike(before: Sequence[Tag], between: Sequence[Tag]) -> bool:
    """Both numbers are limits, or neither is: ``to 3 and at most 4 GPUs`` speaks of two things."""
    last = next((tag for tag in reversed(before) if tag.kind not in (Kind.FILLER, Kind.TO)), None)
    limited = last is not None and last.kind in (Kind.UPPER, Kind.LOWER)
    return limited == any(tag.kind in (Kind.UPPER, Kind.LOWER) for tag in between)
