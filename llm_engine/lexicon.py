"""The words and phrases of the grammar, each with the concept it stands for."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

from llm_engine.vocabulary import ABROAD, ENGLISH


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


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _entries() -> Iterator[tuple[tuple[str, ...], tuple[Kind, str]]]:
    for concept, phrases in (*_read(ENGLISH), *_read(ABROAD)):
        for phrase in phrases:
            yield _words_of(phrase), concept
    for number, day in enumerate(_DAY_NAMES):
        for name in (day, day + "s", _DAYS[number]):
            yield (name,), (Kind.DAYS, _DAYS[number])
    for number, month in enumerate(_MONTHS.split("|"), start=1):
        for name in {month, month[:3]} - {"may", "mar"}:
            yield (name,), (Kind.MONTH, f"{number:02d}")
    yield ("tues",), (Kind.DAYS, "tue")
    yield ("thurs",), (Kind.DAYS, "thu")
    for phrase in ("weekdays", "weekday", "working days", "work days", "workdays"):
        yield _words_of(phrase), (Kind.DAYS, ",".join(_DAYS[:5]))
    for phrase in ("weekends", "weekend", "the weekend"):
        yield _words_of(phrase), (Kind.DAYS, ",".join(_DAYS[5:]))
    for phrase in ("every day", "each day", "all days", "everyday"):
        yield _words_of(phrase), (Kind.DAYS, ",".join(_DAYS))


def _read(vocabulary: str) -> Iterator[tuple[tuple[Kind, str], list[str]]]:
    """Each concept with its phrases."""
    for block in re.split(r"\n(?=\S)", vocabulary.strip("\n")):
        concept, *lines = block.splitlines()
        kind, _, value = concept.partition(" ")
        phrases = [phrase.strip() for line in lines for phrase in re.split(r"(?:^| )\|(?: |$)", line.strip())]
        yield (Kind[kind.upper()], value), [phrase for phrase in phrases if phrase]


def _words_of(phrase: str) -> tuple[str, ...]:
    return tuple(phrase.replace("/", " / ").split())


_FIRST_WINS: dict[tuple[str, ...], tuple[Kind, str]] = {}
for _phrase, _concept in _entries():
    _FIRST_WINS.setdefault(_phrase, _concept)

PHRASES: Mapping[tuple[str, ...], tuple[Kind, str]] = MappingProxyType(_FIRST_WINS)
LONGEST = max(len(phrase) for phrase in PHRASES)

_SMALL = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen"
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
NUMBER_WORDS: Mapping[str, int] = MappingProxyType(
    {word: value for value, word in enumerate(_SMALL.split("|"))}
    | {word: 10 * tens for tens, word in enumerate(_TENS.split("|"), start=2)}
    | {"hundred": 100, "thousand": 1000, "dozen": 12}
    | {"fifth": 5, "eighth": 8, "ninth": 9, "fiftieth": 50, "ninetieth": 90}  # of percentiles
)

WORDS = (
    frozenset(word for phrase in PHRASES for word in phrase)
    | frozenset(NUMBER_WORDS)
    | {"half", "th", "st", "am", "pm", "a.m", "p.m", "a.m.", "p.m.", "median", "utc", "gmt"}
)

_HARMFUL = frozenset(
    {"delete", "uninstall", "undo", "revert", "decommission", "undeploy", "deploy", "install", "rollback", "reverse"}
)
"""A misspelt word is never taken for one of these."""

CORRECTABLE = frozenset(word for word in WORDS if len(word) >= 4 and word.isalpha()) - _HARMFUL
