"""What clauses of one sentence share: a verb that goes on, times said once, names and numbers told in pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from llm_engine.clauses import Clause
from llm_engine.implied import names_something
from llm_engine.lexicon import NUMERIC, Kind
from llm_engine.tags import Tag

_ACTS = (
    Kind.VERB, Kind.UP, Kind.DOWN, Kind.FACTOR, Kind.VAGUE, Kind.UPPER, Kind.LOWER, Kind.CRON, Kind.DAYS, Kind.CLOCK,
    *NUMERIC,
)  # fmt: skip
TIMES = (Kind.DAYS, Kind.CLOCK, Kind.CRON, Kind.TIME_ZONE, Kind.EXPIRES)
_LINKS = frozenset({Kind.FILLER, Kind.TO, Kind.FOR, Kind.BY, Kind.DAYPART, Kind.FROM, Kind.BETWEEN})
_MODIFIERS = _LINKS | {Kind.PERCENTILE, Kind.NAMESPACE, *TIMES}
_COMMANDS = (Kind.VERB, Kind.HINT, Kind.UP, Kind.DOWN, Kind.METRIC, Kind.OBJECTIVE)


def coordinated(clauses: Sequence[Clause]) -> list[Clause]:
    """Each clause with what it takes from its neighbours."""
    said = _without_complaints(_without_excluded(clauses))
    merged = _led(_merged([_counted(_switched(clause)) for clause in said]))
    return _timed(_measured(_paired(merged)))


def _without_excluded(clauses: Sequence[Clause]) -> list[Clause]:
    """``pause vision, not chat`` says nothing of chat; beside *all* it would be an exception, which is kept."""
    if any(clause.of(Kind.EVERYTHING) for clause in clauses):
        return list(clauses)
    excluded = {Kind.NEGATION, Kind.SERVICE, Kind.FILLER}
    kept = [
        clause
        for clause in clauses
        if not any(clause.words(tag) in _NOT for tag in clause.of(Kind.NEGATION))
        or {tag.kind for tag in clause.tags} - excluded
    ]
    return kept if any(clause.of(Kind.SERVICE) for clause in kept) else list(clauses)


def _without_complaints(clauses: Sequence[Clause]) -> list[Clause]:
    """``chat costs us too much, cap it at 18 dollars an hour``: the first clause says of what, and why."""
    return [*_motives(clauses), *clauses[-1:]]


def _motives(clauses: Sequence[Clause]) -> Iterator[Clause]:
    for clause, following in pairwise(clauses):
        named = {tag.value for tag in clause.of(Kind.SERVICE)}
        is_same = {tag.value for tag in following.of(Kind.SERVICE)} <= named
        limits = following.of(*NUMERIC) and following.of(Kind.HINT, Kind.UP, Kind.DOWN, Kind.UPPER, Kind.LOWER)
        if not (_is_complaint(clause) and is_same and (limits or following.of(Kind.VERB))):
            yield clause
        elif kept := clause.of(Kind.SERVICE, Kind.NAMESPACE):
            yield replace(clause, tags=kept)


def _is_complaint(clause: Clause) -> bool:
    """It says that something is too much or too slow, and not what to do."""
    vague = clause.of(Kind.VAGUE)
    acts = clause.of(*_ACTS, Kind.HINT, Kind.OBJECTIVE, Kind.NEGATION, *TIMES)
    return bool(vague) and {tag.value for tag in vague} <= {"amount", "needless"} and set(acts) <= set(vague)


_NOT = frozenset({"not", "no", "nicht", "pas"})


def _switched(clause: Clause) -> Clause:
    """``disable autoscaling``, ``turn the automation back on``: switching the automation is to pause or to resume."""
    if (denied := _denied_scaling(clause)) is not None:
        return _replaced(clause, {id(denied): replace(denied, kind=Kind.VERB, value="pause")})
    if not clause.of(Kind.AUTOMATION) or clause.of(Kind.VERB):
        return clause
    on = clause.first(Kind.ON) or _particle(clause, "on")
    off = next((t for t in clause.of(Kind.VAGUE) if t.value == "stop"), None) or _particle(clause, "off")
    verb, tag = ("resume", on) if on else ("pause", off)
    return _replaced(clause, {id(tag): replace(tag, kind=Kind.VERB, value=verb)}) if tag else clause


def _denied_scaling(clause: Clause) -> Tag | None:
    """The denial of ``do not scale chat any more``, ``no more autoscaling``, which says nothing else."""
    denials, scaling = clause.of(Kind.NEGATION), clause.of(Kind.AUTOMATION, Kind.VERB)
    if len(denials) != 1 or len(scaling) != 1 or clause.of(Kind.UP, Kind.DOWN, Kind.UPPER, Kind.LOWER, *NUMERIC):
        return None
    ends = any(clause.words(tag) in _NO_LONGER for tag in clause.of(Kind.FILLER, Kind.MORE))
    is_scaling = scaling[0].kind is Kind.AUTOMATION or scaling[0].value in ("scale", "autoscale")
    return denials[0] if ends and is_scaling else None


_NO_LONGER = frozenset({"any more", "anymore", "any longer", "more"})


def _counted(clause: Clause) -> Clause:
    """``spin up another replica``, ``delete one replica``: of a number of replicas that is more or fewer of them."""
    number = next((tag for tag in clause.of(Kind.QUANTITY) if tag.value == "replicas"), None)
    if number is None or clause.of(Kind.MODEL):
        return clause
    if (taken := _taken_off(clause, number)) is not None:
        return _replaced(clause, {id(taken): replace(taken, kind=Kind.DOWN, value="take")})
    turns = {"deploy": (Kind.UP, "add"), "delete": (Kind.DOWN, "take"), "stop": (Kind.DOWN, "take")}
    for tag in clause.of(Kind.VERB, Kind.VAGUE):
        if tag.value in turns and (tag.value != "deploy" or number.relative):
            kind, value = turns[tag.value]
            return _replaced(clause, {id(tag): replace(tag, kind=kind, value=value)})
    return clause


def _taken_off(clause: Clause, number: Tag) -> Tag | None:
    """The verb of ``take one replica off chat``, which is not ``take chat to one replica``."""
    off = any(tag.start > number.start and clause.words(tag) in ("off", "from") for tag in clause.of(Kind.FROM))
    return next((tag for tag in clause.of(Kind.HINT) if off and clause.words(tag) == "take"), None)


def _particle(clause: Clause, word: str) -> Tag | None:
    """``turn it on``: a bare particle, where the sentence turns or switches something."""
    if not any(tag.value == "turn" for tag in clause.of(Kind.HINT)):
        return None
    return next((tag for tag in clause.of(Kind.TO, Kind.FROM) if clause.words(tag) == word), None)


def _merged(clauses: Sequence[Clause]) -> list[Clause]:
    """What follows ``explain`` or ``deploy`` without an act of its own belongs to it; so do stray times and names."""
    found: list[Clause] = []
    for clause in clauses:
        if found and _continues(found[-1], clause):
            found[-1] = replace(found[-1], tags=(*found[-1].tags, *clause.tags))
        else:
            found.append(clause)
    return found


def _continues(last: Clause, clause: Clause) -> bool:
    if "deploy" in last.verbs or names_something(last):
        return not clause.verbs
    if "explain" in last.verbs:
        asks_on = clause.is_listed or not clause.of(Kind.SERVICE)
        return asks_on and not clause.of(Kind.VERB, Kind.FACTOR, *NUMERIC)
    if last.of(Kind.OBJECTIVE, Kind.VERB) and clause.of(Kind.WEIGHT) and not clause.of(*_COMMANDS):
        return True
    if {"prefer", "defragment"} & set(last.verbs) and not clause.verbs:
        return not clause.of(*_ACTS)
    if clause.of(Kind.VERB, Kind.HINT, Kind.SERVICE):
        return False
    if clause.of(Kind.PERCENTILE, Kind.NAMESPACE) and not {tag.kind for tag in clause.tags} - _MODIFIERS:
        return bool(last.of(Kind.SERVICE, Kind.EVERYTHING, *NUMERIC))
    timed = clause.of(*TIMES)
    return bool(timed) and (not clause.of(*NUMERIC) or not last.of(*NUMERIC))


def _led(clauses: Sequence[Clause]) -> list[Clause]:
    """``for two hours, keep ...``: what comes first and is no act belongs to the clause behind it."""
    if len(clauses) < 2 or {tag.kind for tag in clauses[0].tags} - (_MODIFIERS | {Kind.RANGE}):
        return list(clauses)
    if clauses[0].of(Kind.RANGE) and not clauses[0].of(Kind.DAYS):
        return list(clauses)
    first = Clause((*clauses[0].tags, *clauses[1].tags), clauses[1].text)
    return [first, *clauses[2:]]


def _paired(clauses: Sequence[Clause]) -> list[Clause]:
    """``scale chat and vision to 3 and 4``: as many numbers as services, in their order."""
    for index, clause in enumerate(clauses):
        lists = [tag for tag in clause.of(Kind.SERVICE) if tag.parts]
        more = clauses[index + 1 : index + len(lists[0].parts)] if len(lists) == 1 else ()
        if not more or len(clause.of(Kind.QUANTITY)) != 1 or not all(map(_is_number, more)):
            continue
        named, number = lists[0], clause.of(Kind.QUANTITY)[0]
        numbers = [number, *(each.of(Kind.QUANTITY)[0] for each in more)]
        if len(numbers) != len(named.parts):
            continue
        pairs = zip(named.parts, numbers, strict=True)
        made = [_replaced(clause, {id(named): part, id(number): own}) for part, own in pairs]
        return [*clauses[:index], *made, *clauses[index + len(numbers) :]]
    return list(clauses)


def _is_number(clause: Clause) -> bool:
    return len(clause.of(Kind.QUANTITY)) == 1 and not {tag.kind for tag in clause.tags} - (_LINKS | {Kind.QUANTITY})


def _replaced(clause: Clause, by: dict[int, Tag]) -> Clause:
    return replace(clause, tags=tuple(by.get(id(tag), tag) for tag in clause.tags))


def _measured(clauses: Sequence[Clause]) -> list[Clause]:
    """``chat below 300 ms and vision below 80``: a number without a unit has that of the clause that it goes on."""
    found = list(clauses)
    for index, clause in enumerate(found[1:], start=1):
        numbers, before = clause.of(Kind.QUANTITY), found[index - 1].of(Kind.QUANTITY)
        if _is_elliptic(clause) and len(numbers) == 1 and not numbers[0].value and before and before[-1].value:
            unit = replace(numbers[0], value=before[-1].value, per=before[-1].per)
            found[index] = _replaced(clause, {id(numbers[0]): unit})
    return found


def _timed(clauses: Sequence[Clause]) -> list[Clause]:
    """Times said first hold for every clause; those of a clause also for its neighbours without a verb."""
    found = list(clauses)
    leading = _times(found[0]) if found and _begins_with_time(found[0]) else ()
    for index, clause in enumerate(found[1:], start=1):
        if leading and not _times(clause):
            found[index] = replace(clause, tags=(*leading, *clause.tags))
        elif _is_elliptic(clause) and _counts(clause) and _counts(found[index - 1]):
            before, own = _times(found[index - 1]), _times(clause)
            if before and not own:
                found[index] = replace(clause, tags=(*before, *clause.tags))
            elif own and not before:
                found[index - 1] = replace(found[index - 1], tags=(*own, *found[index - 1].tags))
    return found


def _begins_with_time(clause: Clause) -> bool:
    first = next((tag for tag in clause.tags if tag.kind not in _LINKS), None)
    return first is not None and first.kind in TIMES


def _is_elliptic(clause: Clause) -> bool:
    states = any(tag.value == "modal" for tag in clause.of(Kind.FILLER))
    whole = states or clause.of(Kind.NEGATION, *_COMMANDS)
    return clause.is_listed and bool(clause.of(Kind.SERVICE)) and not whole


def _counts(clause: Clause) -> bool:
    """It has a number that is no time."""
    window = window_of(clause)
    return any(tag is not window for tag in clause.of(*NUMERIC))


def _times(clause: Clause) -> tuple[Tag, ...]:
    window = window_of(clause)
    return tuple(tag for tag in clause.tags if tag.kind in TIMES or tag is window)


def window_of(clause: Clause) -> Tag | None:
    """The tag that says from when to when: clock times, or on given days bare hours."""
    clock = next((tag for tag in clause.of(Kind.CLOCK) if tag.parts), None)
    if clock is not None or not clause.of(Kind.DAYS):
        return clock
    return next((tag for tag in clause.of(Kind.RANGE) if _are_hours(tag)), None)


def _are_hours(tag: Tag) -> bool:
    low, high = tag.parts
    plain = low.value in ("", "h") and tag.value in (Kind.FROM, Kind.BETWEEN, "")
    return plain and low.number in range(24) and high.number in range(25)
