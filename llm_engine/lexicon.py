"""The words and phrases of a language, each with the concept it stands for, and which language a text is in."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from itertools import pairwise
from types import MappingProxyType

from llm_engine.languages import chinese, english, french, german, spanish


class Kind(StrEnum):
    """The concepts of the grammar."""

    VERB = "verb"
    HINT = "hint"  # a verb that only says that something follows: keep, set
    UP = "up"
    DOWN = "down"
    UPPER = "upper"  # value "bare": a comparison, which a denial turns round (not above), unlike "at least"
    LOWER = "lower"
    NEGATION = "negation"
    AUTOMATION = "automation"  # the noun, that can be switched on and off
    ON = "on"
    INSTEAD = "instead"  # what follows is what it should not be
    MORE = "more"
    FEWER = "fewer"
    FACTOR = "factor"
    METRIC = "metric"
    LATENCY = "latency"  # unqualified: end to end, unless the clause says more
    OBJECTIVE = "objective"
    WEIGHT = "weight"
    UNIT = "unit"
    NUMBER = "number"
    QUANTITY = "quantity"  # a number with its unit, if it has one
    RANGE = "range"
    EXPIRES = "expires"
    PERIOD = "period"
    PERCENTILE = "percentile"
    SERVICE = "service"
    EVERYTHING = "everything"
    NAMESPACE = "namespace"
    MODEL = "model"
    PARTITION = "partition"
    GPU = "gpu"
    NODE = "node"
    ZONE = "zone"
    CONFIDENTIAL = "confidential"
    DAYS = "days"
    CLOCK = "clock"
    DAYPART = "day part"  # at night: says no more than the times beside it
    TIME_ZONE = "time zone"
    CRON = "cron"
    MONTH = "month"
    DATE = "date"
    BETWEEN = "between"
    FROM = "from"
    TO = "to"
    BY = "by"
    FOR = "for"
    UNTIL = "until"
    AND = "and"
    SEPARATOR = "separator"
    INTENT = "intent"
    VAGUE = "vague"  # asks for something that needs a number or a choice
    FILLER = "filler"
    WORD = "word"  # not known


NUMERIC = (Kind.QUANTITY, Kind.RANGE)
Phrase = tuple[str, ...]

_HARMFUL = frozenset({("verb", "delete"), ("verb", "undo"), ("verb", "deploy")})
"""A misspelt word is never taken for one of these."""
_ASIDE = ("filler", "aside")
"""Words around a request, which a name that the catalog lacks must not be mistaken for either."""
_PARTS = {
    "th",
    "st",
    "nd",
    "rd",
    "half",
    "am",
    "pm",
    "a.m",
    "p.m",
    "a.m.",
    "p.m.",
    "median",
    "utc",
    "gmt",
    "p",
    "cron",
    "minus",
    "negative",
}
_JOINED = frozenset({Kind.UNIT, Kind.UPPER, Kind.LOWER, Kind.DAYS, Kind.MONTH})
"""What people join to other words: ``max-replicas``."""
_ALONE = re.compile(r"(?<![\w.-])[^\W\d_]{2,}(?![\w-])")
"""A word that is no part of a name or of an amount."""
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Lexicon:
    """Of one language. Where a phrase stands for two concepts, the first counts."""

    phrases: Mapping[Phrase, tuple[Kind, str]]
    numbers: Mapping[str, int]
    thousands: str = ","

    @classmethod
    def of(cls, vocabulary: str, thousands: str = ",") -> "Lexicon":
        phrases: dict[Phrase, tuple[Kind, str]] = {}
        numbers: dict[str, int] = {}
        for kind, value, words in _entries(vocabulary):
            if kind is Kind.NUMBER:
                numbers.setdefault(words[0], int(value))
            else:
                phrases.setdefault(words, (kind, value))
        return cls(MappingProxyType(phrases), MappingProxyType(numbers), thousands)

    @cached_property
    def longest(self) -> int:
        return max(map(len, self.phrases))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(word for phrase in self.phrases for word in phrase) | frozenset(self.numbers) | _PARTS

    @cached_property
    def correctable(self) -> frozenset[str]:
        meant = (phrase for phrase, concept in self.phrases.items() if concept not in (*_HARMFUL, _ASIDE))
        words = {word for phrase in meant for word in phrase} | set(self.numbers) | _PARTS
        harmful = {phrase[0] for phrase, concept in self.phrases.items() if concept in _HARMFUL and len(phrase) == 1}
        return frozenset(word for word in words if len(word) >= 4 and word.isalpha()) - harmful

    def is_said(self, compound: Phrase) -> bool:
        """Whether words joined by hyphens are a way to say something, such as ``first-token``, and no name."""
        if not all(part in self.words or re.fullmatch(r"p?\d+", part) for part in compound):
            return False
        kinds = {self.phrases.get((part,), (Kind.FILLER, ""))[0] for part in compound}
        counted = any(part in self.numbers or part[-1].isdigit() for part in compound)
        neighbours = all(pair in self._neighbours for pair in pairwise(compound))
        return neighbours or counted or bool(kinds & _JOINED)

    @cached_property
    def _neighbours(self) -> frozenset[tuple[str, str]]:
        """Words that stand side by side in a phrase."""
        return frozenset(pair for phrase in self.phrases for pair in pairwise(phrase))

    def unknown(self, words: Collection[str]) -> int:
        return sum(word not in self.words for word in words)


def _entries(vocabulary: str) -> Iterator[tuple[Kind, str, Phrase]]:
    for block in re.split(r"\n(?=\S)", vocabulary.strip()):
        concept, _, phrases = " ".join(block.split()).partition(": ")
        kind, _, value = concept.partition(" ")
        for phrase in re.split(r"(?:^| )\|(?: |$)", phrases):
            if phrase.strip():
                yield Kind[kind.upper()], value, tuple(phrase.replace("/", " / ").split())


ENGLISH = Lexicon.of(english.VOCABULARY)


@cache
def _others() -> tuple[Lexicon, ...]:
    return tuple(Lexicon.of(language.VOCABULARY, thousands=".") for language in (spanish, german, french))


@cache
def _chinese() -> Lexicon:
    return Lexicon.of(chinese.VOCABULARY)


def lexicon_of(text: str, names: Collection[str]) -> Lexicon:
    """Of the language that knows most words of the text beside ``names``; English where others know no more."""
    if _CHINESE.search(text):
        return _chinese()
    words = [word for word in _ALONE.findall(text.lower()) if word not in names]
    best, unknown = ENGLISH, ENGLISH.unknown(words)
    for other in _others() if unknown else ():
        if (fewer := other.unknown(words)) < unknown:
            best, unknown = other, fewer
    return best
