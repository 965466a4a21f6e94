"""Tokens to tags: each word or phrase with its concept; names of the catalog and misspelt keywords resolved."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
_TIME_ZONE = re.compile(r"[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+|UTC|GMT")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*")
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
        return Tag(Kind.CLOCK, f"{int(clock[1]):02d}:{clock[2]}", token.start, token.end), 1
    if _DATE.fullmatch(token.text):
        return Tag(Kind.DATE, token.text, token.start, token.end), 1
    if _TIME_ZONE.fullmatch(token.text):
        return Tag(Kind.TIME_ZONE, token.text, token.start, token.end), 1
    if _PARTITION.fullmatch(token.text):
        return Tag(Kind.PARTITION, token.lower, token.start, token.end), 1
    if words[0] == "median":
        return Tag(Kind.PERCENTILE, "", token.start, token.end, number=50), 1
    if words[0] in ("noon", "midnight"):
        return Tag(Kind.CLOCK, {"noon": "12:00", "midnight": "00:00"}[words[0]], token.start, token.end), 1
    return _number(tokens, words)


def _number(tokens: Sequence[Token], words: Sequence[str]) -> tuple[Tag, int] | None:
    if words[0] in ("p", "percentile") and len(words) > 1 and _NUMBER.fullmatch(tokens[1].text):
        number = _value(tokens[1].text)
        return Tag(Kind.PERCENTILE, "", tokens[0].start, tokens[1].end, number=number), 2
    number, used = _cardinal(tokens, words)
    if not used:
        return None
    span = tokens[0].start, tokens[used - 1].end
    following = words[used] if used < len(words) else ""
    if following in ("th", "st", "nd", "rd", "percentile", "percentiles"):
        used += 2 if following != "percentile" and words[used + 1 : used + 2] == ["percentile"] else 1
        return Tag(Kind.PERCENTILE, "", span[0], tokens[used - 1].end, number=number), used
    if following in ("am", "pm") and 1 <= number <= 12:
        hour = int(number) % 12 + (12 if following == "pm" else 0)
        return Tag(Kind.CLOCK, f"{hour:02d}:00", span[0], tokens[used].end), used + 1
    return Tag(Kind.NUMBER, "", *span, number=number), used


def _cardinal(tokens: Sequence[Token], words: Sequence[str]) -> tuple[float, int]:
    """The number at the front, in digits or words, and the tokens it takes."""
    if _NUMBER.fullmatch(tokens[0].text):
        return _value(tokens[0].text), 1
    if words[0] == "half" and words[1:2] in (["a"], ["an"]):
        return 0.5, 2
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
