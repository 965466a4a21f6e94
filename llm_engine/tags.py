"""Tokens to tags: each word or phrase with its concept; names of the catalog and misspelt keywords resolved."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_engine import zones
from llm_engine.catalog import Catalog, by_lower, nearest
from llm_engine.lexer import Token, tokenize
from llm_engine.lexicon import CORRECTABLE, LONGEST, NUMBER_WORDS, PHRASES, WORDS, Kind
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

    @property
    def span(self) -> Span:
        return self.start, self.end


_CRON = re.compile(r"(?<![\w*/])(?:[\d*][\d*/,-]*\s+){4}(?:[\d*][\d*/,-]*|[A-Za-z]{3}(?:-[A-Za-z]{3})?)(?![\w*/])")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_TIME_ZONE = re.compile(r"[A-Za-z]{3,}(?:/[A-Za-z][A-Za-z_]+)+|UTC|GMT|CET|EET|WET|MET|EST|MST|HST")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*")
_HALVES = frozenset({"am", "pm", "a.m", "p.m", "a.m.", "p.m."})
_SIGNS = frozenset("+-\u2212")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PARTITION = re.compile(r"\d+g\.\d+gb(?:\+me)?", re.IGNORECASE)


@dataclass(frozen=True)
class Names:
    """What the catalog calls things, by lower-case name."""

    services: dict[str, str]
    namespaces: dict[str, str]
    models: dict[str, str]
    partitions: dict[str, str]
    gpus: dict[str, str]
    nodes: dict[str, str]
    zones: dict[str, str]

    @classmethod
    def of(cls, catalog: Catalog) -> "Names":
        services = {lower: found[0].name for lower, found in catalog.service_names.items()}
        models = by_lower((*(catalog.models or ()), *(s.model for s in catalog.services if s.model)))
        parts = (catalog.partitions, catalog.gpus, catalog.nodes, catalog.zones)
        return cls(services, catalog.namespaces, models, *(by_lower(part) for part in parts))

    def kinds(self) -> Iterator[tuple[Kind, dict[str, str]]]:
        yield Kind.SERVICE, self.services
        yield Kind.MODEL, self.models
        yield Kind.PARTITION, self.partitions
        yield Kind.GPU, self.gpus
        yield Kind.NODE, self.nodes
        yield Kind.ZONE, self.zones
        yield Kind.NAMESPACE, self.namespaces

    def all(self) -> frozenset[str]:
        return frozenset(name for _, names in self.kinds() for name in names)

    def tag(self, token: Token) -> Tag | None:
        for kind, names in self.kinds():
            if token.lower in names and not (kind is Kind.NAMESPACE and token.lower in WORDS):
                return Tag(kind, names[token.lower], token.start, token.end)
        return None


def tags_of(text: str, catalog: Catalog) -> list[Tag]:
    names = Names.of(catalog)
    tokens = tokenize(text, names.all(), WORDS)
    crons = [match for match in _CRON.finditer(text) if "*" in match.group()]
    words = [_corrected(token, names) for token in tokens]
    found = [Tag(Kind.CRON, match.group(), *match.span()) for match in crons]
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if any(match.start() <= token.start < match.end() for match in crons):
            position += 1
            continue
        tag, used = _next(tokens[position:], words[position:], names)
        found.append(tag)
        position += used
    return sorted(found, key=lambda tag: tag.start)


def _next(tokens: Sequence[Token], words: Sequence[str], names: Names) -> tuple[Tag, int]:
    token = tokens[0]
    special = _special(tokens, words)
    if special is not None:
        return special
    phrase = _longest(words)
    named = names.tag(token)
    if named is not None and phrase < 2:
        return named, 1
    if phrase:
        kind, value = PHRASES[tuple(words[:phrase])]
        return Tag(kind, value, token.start, tokens[phrase - 1].end), phrase
    adverb = token.lower.endswith("ly") and len(token.text) > 4
    return Tag(
        Kind.FILLER if adverb or not token.text[0].isalnum() else Kind.WORD, token.text, token.start, token.end
    ), 1


def _longest(words: Sequence[str]) -> int:
    return next((n for n in range(min(LONGEST, len(words)), 0, -1) if tuple(words[:n]) in PHRASES), 0)


def _special(tokens: Sequence[Token], words: Sequence[str]) -> tuple[Tag, int] | None:
    """Clock times, dates, zones, partitions, percentiles and numbers."""
    token = tokens[0]
    clock = _CLOCK.fullmatch(token.text)
    if clock:
        half = words[1] if words[1:2] and words[1] in _HALVES and 1 <= int(clock[1]) <= 12 else ""
        hour = _hour(int(clock[1]), half)
        used = 2 if half else 1
        return Tag(Kind.CLOCK, f"{hour:02d}:{clock[2]}", token.start, tokens[used - 1].end), used
    if _DATE.fullmatch(token.text):
        return Tag(Kind.DATE, token.text, token.start, token.end), 1
    if (zone := _zone(tokens, words)) is not None:
        return zone
    if _PARTITION.fullmatch(token.text):
        return Tag(Kind.PARTITION, token.lower, token.start, token.end), 1
    if words[0] == "median":
        return Tag(Kind.PERCENTILE, "", token.start, token.end, number=50), 1
    if words[0] in ("noon", "midnight"):
        return Tag(Kind.CLOCK, {"noon": "12:00", "midnight": "00:00"}[words[0]], token.start, token.end), 1
    return _number(tokens, words)


def _zone(tokens: Sequence[Token], words: Sequence[str]) -> tuple[Tag, int] | None:
    """``Europe/Madrid``, ``UTC``, ``CET``, ``New York time``; a zone that there is not becomes a question."""
    token = tokens[0]
    if _TIME_ZONE.fullmatch(token.text) or token.text in zones.AMBIGUOUS:
        zone = None if token.text in zones.AMBIGUOUS else zones.known(token.text)
        if zone is None and token.text[0].islower():
            return None  # perhaps namespace/service
        kind = Kind.TIME_ZONE if zone else Kind.VAGUE
        return Tag(kind, zone or "zone", token.start, token.end), 1
    for count in (3, 2, 1):
        if words[count : count + 1] == ["time"] and (city := zones.of_city([t.text for t in tokens[:count]])):
            return Tag(Kind.TIME_ZONE, city, token.start, tokens[count - 1].end), count + 1
        place = tokens[1 : count + 1]
        is_place = words[0] == "in" and len(place) == count and all(t.text[0].isupper() for t in place)
        if is_place and (city := zones.of_city([t.text for t in place])):
            return Tag(Kind.TIME_ZONE, city, place[0].start, place[-1].end), count + 1
    return None


def _number(tokens: Sequence[Token], words: Sequence[str]) -> tuple[Tag, int] | None:
    if words[0] in ("p", "percentile") and len(words) > 1 and _NUMBER.fullmatch(tokens[1].text):
        number = _value(tokens[1].text)
        return Tag(Kind.PERCENTILE, "", tokens[0].start, tokens[1].end, number=number), 2
    if _is_sign(tokens):
        number, used = _cardinal(tokens[1:], words[1:])
        sign = 1 if words[0] in ("+", "plus") else -1
        end = tokens[used].end
        return Tag(Kind.NUMBER, "signed", tokens[0].start, end, number=number, relative=sign), used + 1
    number, used = _cardinal(tokens, words)
    if not used:
        return None
    span = tokens[0].start, tokens[used - 1].end
    following = words[used] if used < len(words) else ""
    if following in ("th", "st", "nd", "rd", "percentile", "percentiles"):
        used += 2 if following != "percentile" and words[used + 1 : used + 2] == ["percentile"] else 1
        return Tag(Kind.PERCENTILE, "", span[0], tokens[used - 1].end, number=number), used
    if following in _HALVES and number in range(1, 13):
        return Tag(Kind.CLOCK, f"{_hour(int(number), following):02d}:00", span[0], tokens[used].end), used + 1
    return Tag(Kind.NUMBER, "", *span, number=number), used


def _hour(hour: int, half: str) -> int:
    """Of the day, for an hour with am, pm or nothing."""
    return hour % 12 + (12 if half.startswith("p") else 0) if half else hour


def _is_sign(tokens: Sequence[Token]) -> bool:
    """``+2`` and ``-1``, but neither ``8-18`` nor ``chat - 2``."""
    if len(tokens) < 2 or not (_NUMBER.fullmatch(tokens[1].text) or tokens[1].lower in NUMBER_WORDS):
        return False
    spelled = tokens[0].lower in ("minus", "plus", "negative")
    return spelled or (tokens[0].text in _SIGNS and tokens[0].apart and tokens[0].end == tokens[1].start)


def _cardinal(tokens: Sequence[Token], words: Sequence[str]) -> tuple[float, int]:
    """The number at the front, in digits or words, and the tokens it takes."""
    if _NUMBER.fullmatch(tokens[0].text):
        return _value(tokens[0].text), 1
    if words[0] == "half" and words[1:2] in (["a"], ["an"]):
        return 0.5, 2
    number, used = _spelled(words)
    if used and words[used : used + 3] == ["and", "a", "half"]:
        return number + 0.5, used + 3
    if used and number >= 100 and number % 100 == 0 and words[used : used + 1] == ["and"]:
        rest, more = _spelled(words[used + 1 :])
        if more and rest < 100:
            return number + rest, used + 1 + more
    return number, used


def _spelled(words: Sequence[str]) -> tuple[float, int]:
    """``one hundred twenty``."""
    total, used = 0, 0
    for word in words:
        if word not in NUMBER_WORDS:
            break
        number = NUMBER_WORDS[word]
        if number >= 12 and word in ("hundred", "thousand", "dozen"):
            total = max(total, 1) * number
        elif used and not (total % 10 == 0 and total and number < 10) and not (total >= 100 and total % 100 == 0):
            break
        else:
            total += number
        used += 1
    return float(total), used


def _value(digits: str) -> float:
    """A comma before three digits separates thousands, otherwise decimals."""
    grouped = re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits)
    plain = digits.replace(",", "") if grouped else digits.replace(",", ".")
    return float(plain) if plain.count(".") <= 1 else float("nan")


def _corrected(token: Token, names: Names) -> str:
    """The keyword that a misspelt word was meant to be; a word nearer to a name of the catalog is left as it is."""
    word = token.lower
    if word in WORDS or word in names.all() or not word.isalpha():
        return word
    better = correction(word, CORRECTABLE)
    if better is None or (near := nearest(word, names.services, cutoff=0.75)) is None:
        return better or word
    return better if correction(word, frozenset({better, near.lower()})) == better else word
