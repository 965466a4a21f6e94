"""Tokens to tags: each word or phrase with its concept; names of the catalog and misspelt keywords resolved."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm_engine import zones
from llm_engine.catalog import Catalog, nearest
from llm_engine.lexer import Token, tokenize
from llm_engine.lexicon import Kind, Lexicon, lexicon_of
from llm_engine.numerals import cardinal, sign
from llm_engine.spelling import correction
from llm_engine.values import Span


@dataclass(frozen=True, slots=True)
class Tag:
    """``value`` depends on the kind; ``number`` is set on numbers, quantities and percentiles."""

    kind: Kind
    value: str
    start: int
    end: int
    number: float = 0.0
    per: str = ""
    relative: int = 0  # +1 for "more", -1 for "fewer"
    parts: "tuple[Tag, ...]" = ()  # of a range or a list
    unit_span: Span | None = None
    is_signed: bool = False  # +2, minus 2

    @property
    def span(self) -> Span:
        return self.start, self.end


_CRON = re.compile(r"(?<![\w*/])(?:[\d*][\d*/,-]*\s+){4}(?:[\d*][\d*/,-]*|[A-Za-z]{3}(?:-[A-Za-z]{3})?)(?![\w*/])")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_TIME_ZONE = re.compile(r"[A-Za-z]{3,}(?:/[A-Za-z][A-Za-z_]+)+|UTC|GMT|CET|EET|WET|MET|EST|MST|HST")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*")
_HALVES = frozenset({"am", "pm", "a.m", "p.m", "a.m.", "p.m."})
_ORDINALS = ("th", "st", "nd", "rd", "percentile", "percentiles")
_PARTITION = re.compile(r"\d+g\.\d+gb(?:\+me)?", re.IGNORECASE)


def tags_of(text: str, catalog: Catalog) -> list[Tag]:
    lexicon = lexicon_of(text, catalog.all_names)
    crons = [match for match in _CRON.finditer(text) if "*" in match.group()]
    tokens = [
        token
        for token in tokenize(text, catalog.all_names, lexicon)
        if not any(match.start() <= token.start < match.end() for match in crons)
    ]
    words = [_corrected(token, lexicon, catalog) for token in tokens]
    found = [Tag(Kind.CRON, match.group(), *match.span()) for match in crons]
    position = 0
    while position < len(tokens):
        tag, used = _Front(tokens[position:], words[position:], lexicon, catalog).tag()
        found.append(tag)
        position += used
    return sorted(found, key=lambda tag: tag.start)


def _corrected(token: Token, lexicon: Lexicon, catalog: Catalog) -> str:
    """The keyword that a misspelt word was meant to be; a word nearer to a name of the catalog is left as it is."""
    word = token.lower
    if word in lexicon.words or word in catalog.all_names or not word.isalpha():
        return word
    better = correction(word, lexicon.correctable)
    if better is None or (near := nearest(word, catalog.services_like(word), cutoff=0.75)) is None:
        return better or word
    return better if correction(word, frozenset({better, near.lower()})) == better else word


@dataclass(frozen=True, slots=True)
class _Front:
    """What stands next in a text: its tokens, and the words that they are meant to be."""

    tokens: Sequence[Token]
    words: Sequence[str]
    lexicon: Lexicon
    catalog: Catalog

    def tag(self) -> tuple[Tag, int]:
        """The tag at the front, and how many tokens it takes."""
        special = self._time() or self._zone() or self._number()
        if special is not None:
            return special
        phrase, named = self._longest(), self._named()
        if named is not None and phrase < 2:
            return named, 1
        if phrase:
            return self._tagged(*self.lexicon.phrases[tuple(self.words[:phrase])], used=phrase), phrase
        token = self.tokens[0]
        adverb = token.lower.endswith("ly") and len(token.text) > 4
        unsaid = adverb or not token.text[0].isalnum()
        return self._tagged(Kind.FILLER if unsaid else Kind.WORD, token.text), 1

    def _tagged(self, kind: Kind, value: str, used: int = 1, number: float = 0.0) -> Tag:
        return Tag(kind, value, self.tokens[0].start, self.tokens[used - 1].end, number=number)

    def _longest(self) -> int:
        most = min(self.lexicon.longest, len(self.words))
        return next((n for n in range(most, 0, -1) if tuple(self.words[:n]) in self.lexicon.phrases), 0)

    def _named(self) -> Tag | None:
        """A namespace called like a keyword must be said to be one."""
        lower = self.tokens[0].lower
        said = self.lexicon.phrases.get((lower,), (Kind.FILLER, ""))[0]
        for kind, names in self.catalog.names.items():
            if lower in names and not (kind == "namespace" and said is not Kind.FILLER):
                return self._tagged(Kind(kind), names[lower])
        return None

    def _time(self) -> tuple[Tag, int] | None:
        token, word = self.tokens[0], self.words[0]
        clock = _CLOCK.fullmatch(token.text)
        if clock:
            half = self._half(1) if 1 <= int(clock[1]) <= 12 else ""
            used = 2 if half else 1
            return self._tagged(Kind.CLOCK, f"{_hour(int(clock[1]), half):02d}:{clock[2]}", used), used
        if _DATE.fullmatch(token.text):
            return self._tagged(Kind.DATE, token.text), 1
        if word in ("noon", "midnight"):
            return self._tagged(Kind.CLOCK, {"noon": "12:00", "midnight": "00:00"}[word]), 1
        return None

    def _half(self, place: int) -> str:
        word = self.words[place] if place < len(self.words) else ""
        return word if word in _HALVES else ""

    def _zone(self) -> tuple[Tag, int] | None:
        """``Europe/Madrid``, ``UTC``, ``New York time``, ``in Tokyo``; a zone that there is not becomes a question."""
        text = self.tokens[0].text
        if _TIME_ZONE.fullmatch(text) or text in zones.AMBIGUOUS:
            zone = None if text in zones.AMBIGUOUS else zones.known(text)
            if zone is None and text[0].islower():
                return None  # perhaps namespace/service
            return self._tagged(Kind.TIME_ZONE if zone else Kind.VAGUE, zone or "zone"), 1
        for count in (3, 2, 1):
            city, place = self.tokens[:count], self.tokens[1 : count + 1]
            if list(self.words[count : count + 1]) == ["time"] and (zone := _zone_of(city)):
                return self._tagged(Kind.TIME_ZONE, zone, count), count + 1
            capital = len(place) == count and all(token.text[0].isupper() for token in place)
            if self.words[0] == "in" and capital and (zone := _zone_of(place)):
                return Tag(Kind.TIME_ZONE, zone, place[0].start, place[-1].end), count + 1
        return None

    def _number(self) -> tuple[Tag, int] | None:
        """Partitions, percentiles and numbers."""
        tokens, words, numbers = self.tokens, self.words, self.lexicon.numbers
        if _PARTITION.fullmatch(tokens[0].text):
            return self._tagged(Kind.PARTITION, tokens[0].lower), 1
        if words[0] == "median":
            return self._tagged(Kind.PERCENTILE, "", number=50), 1
        if words[0] in ("p", "percentile", "perzentil", "percentil", "centile") and len(words) > 1:
            number, used = cardinal(tokens[1:2], words[1:2], {})
            return (self._tagged(Kind.PERCENTILE, "", 2, number), 2) if used else None
        if turn := sign(tokens, words, numbers):
            number, used = cardinal(tokens[1:], words[1:], numbers)
            return (
                (replace(self._tagged(Kind.NUMBER, "", used + 1, number), relative=turn, is_signed=True), used + 1)
                if used
                else None
            )
        number, used = cardinal(tokens, words, numbers, self.lexicon.thousands)
        return self._counted(number, used) if used else None

    def _counted(self, number: float, used: int) -> tuple[Tag, int]:
        """``95th percentile``, ``6 pm``, ``3``."""
        following = self.words[used] if used < len(self.words) else ""
        if following in _ORDINALS:
            used += 2 if following != "percentile" and list(self.words[used + 1 : used + 2]) == ["percentile"] else 1
            return self._tagged(Kind.PERCENTILE, "", used, number), used
        if self._half(used) and number in range(1, 13):
            return self._tagged(Kind.CLOCK, f"{_hour(int(number), following):02d}:00", used + 1), used + 1
        return self._tagged(Kind.NUMBER, "", used, number), used


def _hour(hour: int, half: str) -> int:
    """Of the day, for an hour with am, pm or nothing."""
    return hour % 12 + (12 if half.startswith("p") else 0) if half else hour


def _zone_of(city: Sequence[Token]) -> str | None:
    return zones.of_city([token.text for token in city])
