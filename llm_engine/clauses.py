"""Clauses of a sentence, and what one of them says about a number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from llm_engine.lexicon import NUMERIC, Kind
from llm_engine.tags import Tag
from llm_engine.values import Unclear

_OPPOSITE = {Kind.UPPER: Kind.LOWER, Kind.LOWER: Kind.UPPER}
_CONTENT = frozenset(Kind) - {Kind.FILLER, Kind.TO, Kind.FOR, Kind.BY, Kind.FROM, Kind.SEPARATOR, Kind.AND}


@dataclass(frozen=True)
class Clause:
    tags: tuple[Tag, ...]
    text: str
    is_listed: bool = False
    """Only *and* or a comma stands before it."""

    def of(self, *kinds: Kind) -> tuple[Tag, ...]:
        return tuple(tag for tag in self.tags if tag.kind in kinds)

    def first(self, *kinds: Kind) -> Tag | None:
        return next(iter(self.of(*kinds)), None)

    def words(self, tag: Tag) -> str:
        return self.text[tag.start : tag.end].lower()

    def before(self, tag: Tag) -> Tag | None:
        """The tag that stands before, fillers left out."""
        index = self.tags.index(tag)
        return next((t for t in reversed(self.tags[:index]) if t.kind is not Kind.FILLER), None)

    @cached_property
    def verbs(self) -> tuple[str, ...]:
        return tuple(tag.value for tag in self.of(Kind.VERB))

    @property
    def is_empty(self) -> bool:
        return not any(tag.kind in _CONTENT for tag in self.tags)


def split(tags: Sequence[Tag], text: str) -> list[Clause]:
    clauses: list[Clause] = []
    part: list[Tag] = []
    listed = False
    for index, tag in enumerate(tags):
        following = tags[index + 1] if index + 1 < len(tags) else None
        denied = next((t for t in part if t.kind is Kind.NEGATION), None)
        if tag.kind in (Kind.SEPARATOR, Kind.AND):
            clauses.append(Clause(tuple(part), text, listed))
            listed = tag.kind is Kind.AND or tag.value == "comma" or (listed and not part)
            part = _carried(tag, denied, part, following) if denied and following else []
        else:
            part.append(tag)
    clauses.append(Clause(tuple(part), text, listed))
    return [clause for clause in clauses if not clause.is_empty]


def _carried(link: Tag, denied: Tag, part: Sequence[Tag], following: Tag) -> list[Tag]:
    """``never below 2 or above 8``, ``no more than 4 GPUs or 3 kW``: the denial reaches over the link."""
    compares = following.kind in (Kind.UPPER, Kind.LOWER) and following.value == "bare"
    if following.kind is Kind.NEGATION or not (link.value == "or" or compares):
        return []
    limits = [tag for tag in part if tag.kind in (Kind.UPPER, Kind.LOWER)]
    return [denied, *(limits[-1:] if following.kind is Kind.QUANTITY else ())]


@dataclass(frozen=True)
class Statement:
    """One number, and the words of its clause that belong to it."""

    number: Tag
    before: tuple[Tag, ...]
    after: tuple[Tag, ...]
    clause: Clause
    is_target: bool = False
    """It is what ``from 2 to 6`` leads to."""

    @property
    def around(self) -> tuple[Tag, ...]:
        return (*self.before, *self.after)

    def near(self, *kinds: Kind) -> Tag | None:
        """The last tag of these kinds before the number, else the first behind it."""
        found = [tag for tag in self.before if tag.kind in kinds]
        return found[-1] if found else next((tag for tag in self.after if tag.kind in kinds), None)

    @property
    def link(self) -> str:
        """What stands directly before the number: ``to``, ``at``, ``by``, ``factor`` or nothing."""
        if self.is_target:
            return "to"
        linked = [tag for tag in self.before if tag.kind is not Kind.FILLER]
        last = linked[-1] if linked else None
        if last is None or last.kind not in (Kind.TO, Kind.BY):
            return ""
        return last.value or {Kind.TO: "at", Kind.BY: "by"}[last.kind]

    @cached_property
    def side(self) -> tuple[Kind | None, Tag | None]:
        """Whether the number is an upper or a lower limit, negation taken into account."""
        limit = self._limit
        negations = [t for t in self.clause.of(Kind.NEGATION) if limit is None or t.start < limit.start]
        negations = [t for t in negations if t.start < self.number.start]
        if limit is None:
            if negations:
                raise Unclear("Is that a limit? Say for example 'at most' or 'at least' before the number.")
            return None, None
        if limit.value != "bare":
            self._refuse_denied(limit)
            return limit.kind, limit
        prevents = bool(negations) and self.clause.words(negations[0]) in ("prevent", "avoid", "stop from")
        alone = [tag for tag in negations if tag.value == "" or (tag.value == "from" and not prevents)]
        if len(alone) > 1:
            raise Unclear("The sentence denies twice: is the number the most or the least?")
        return (_OPPOSITE[limit.kind] if negations else limit.kind), limit

    @property
    def _limit(self) -> Tag | None:
        """``bump the minimum up to 2``: which limit it is, its name says."""
        limit = self.near(Kind.UPPER, Kind.LOWER)
        if limit is None or limit.value != "upto":
            return limit
        named = [tag for tag in self.before if tag.kind in _OPPOSITE and tag.value not in ("upto", "bare")]
        return named[-1] if named else limit

    def _refuse_denied(self, limit: Tag) -> None:
        """``never below the minimum of 2`` says the same twice; ``not at least 2`` says what it should not be."""
        turned = self.clause.words(limit).startswith("from ")
        denied = any(tag.kind is Kind.NEGATION and not turned for tag in self.before)
        compared = [tag.kind for tag in self.before if tag.kind in _OPPOSITE and tag.value == "bare"]
        if denied and limit.kind not in (_OPPOSITE[kind] for kind in compared):
            raise Unclear("Is that a limit? Say for example 'at most' or 'at least' before the number.")


def statements(clause: Clause) -> Iterator[Statement]:
    """Each number of the clause with the words since the one before; the last has those behind it too."""
    places = [i for i, tag in enumerate(clause.tags) if tag.kind in NUMERIC]
    start = 0
    for count, place in enumerate(places):
        following = places[count + 1] if count + 1 < len(places) else len(clause.tags)
        after = clause.tags[place + 1 : following]
        own = after if following == len(clause.tags) else _attached(after, clause)
        yield Statement(clause.tags[place], clause.tags[start:place], own, clause)
        start = place + 1 + len(own)


def _attached(after: tuple[Tag, ...], clause: Clause) -> tuple[Tag, ...]:
    """``300 ms at p95``: a percentile behind ``at`` belongs to the number before it."""
    linked = len(after) >= 2 and after[0].kind is Kind.TO and after[1].kind is Kind.PERCENTILE
    return after[:2] if linked else ()
