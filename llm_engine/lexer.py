"""Text to tokens with code-point spans. Names of the catalog stay whole; everything else is taken apart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from llm_engine.lexicon import Lexicon
from llm_engine.values import Span


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    start: int
    end: int
    apart: bool = False  # a blank, or nothing, stands before it

    @property
    def lower(self) -> str:
        return self.text.lower().replace("\u2019", "'")

    @property
    def span(self) -> Span:
        return self.start, self.end


_CHUNK = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2})?(?:[Zz]|[+-]\d{2}:\d{2})?)?"  # a date, with or without a time
    r"|(?<![\w.])\.\d+|(?<![^\W_])[aApP]\.[mM]\.|['\u2019][sS]\b|[<>]=|[^\W_](?:\w|[-./+@:'\u2019](?=\w)|(?<=\d),(?=\d))*|[^\w\s]"
)
_PIECE = re.compile(
    r"\d{4}-\d{2}-\d{2}\S*"
    r"|\d{1,2}:\d{2}(?!\d)"
    r"|\d+g\.\d+gb(?:\+me)?"
    r"|^\.\d+|\d+(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d{3})+(?:,\d+)?(?!\d)|\d+(?:[.,]\d+)?"
    r"|[^\W\d_]+|[^\w\s]|_",
    re.IGNORECASE,
)
_WORDLIKE = re.compile(r"[^\W\d_]\w*(?:[-./+@:]\w+)+|[^\W\d_]+\d\w*", re.UNICODE)
_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_DAY_RANGE = re.compile(rf"^{_DAY}-{_DAY}$")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_CHINESE_RUN = re.compile(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+")
_QUOTES = frozenset("\"'`\u201c\u2018")
_NAMING = frozenset({"as", "called", "named", "intent", "name", "como", "llamado", "als", "namens", "comme"})
_GIVEN_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['\u2019][sS]?$")


def tokenize(text: str, names: frozenset[str], lexicon: Lexicon) -> tuple[Token, ...]:
    """``names`` (lower case) stay whole, and what is said to be one; what a language says in compounds is not."""
    found: list[Token] = []
    for chunk in _CHUNK.finditer(text):
        given = next((token.lower for token in reversed(found[-2:]) if token.text not in _QUOTES), "")
        whole = given in _NAMING and _GIVEN_NAME.fullmatch(chunk.group())
        found += [Token(chunk.group(), *chunk.span())] if whole else _split(chunk, names, lexicon)
    return tuple(replace(token, apart=not text[max(token.start - 1, 0) : token.start].strip(" (")) for token in found)


def _split(chunk: re.Match[str], names: frozenset[str], lexicon: Lexicon) -> Iterator[Token]:
    text, start = chunk.group(), chunk.start()
    if _CHINESE.search(text):
        for run in _CHINESE_RUN.finditer(text):
            yield from _run(run, start + run.start(), names, lexicon)
        return
    stem = _POSSESSIVE.sub("", text)
    if stem and stem != text:
        yield from _pieces(stem, start, names, lexicon)
        yield Token(text[len(stem) :], start + len(stem), start + len(text))
    else:
        yield from _pieces(text, start, names, lexicon)


def _run(run: re.Match[str], start: int, names: frozenset[str], lexicon: Lexicon) -> Iterator[Token]:
    """Chinese sets no words apart: the longest one that is known is next, else a character."""
    text, place = run.group(), 0
    if not _CHINESE.match(text):
        yield from _pieces(text, start, names, lexicon)
        return
    while place < len(text):
        length = next(
            (n for n in range(min(8, len(text) - place), 1, -1) if text[place : place + n] in lexicon.words), 1
        )
        yield Token(text[place : place + length], start + place, start + place + length)
        place += length


def _pieces(text: str, start: int, names: frozenset[str], lexicon: Lexicon) -> Iterator[Token]:
    lower = text.lower()
    place = _qualified(lower, names)
    if place is not None:
        ends = ((0, place), (place, place + 1), (place + 1, len(text)))
        yield from (Token(text[a:b], start + a, start + b) for a, b in ends)
        return
    if lower in names or lower in lexicon.words or _is_name(lower, lexicon):
        yield Token(text, start, start + len(text))
        return
    for piece in _PIECE.finditer(text):
        if piece.group() == "-" and _joins_words(lower, piece.start()):
            continue
        yield Token(piece.group(), start + piece.start(), start + piece.end())


def _qualified(lower: str, names: frozenset[str]) -> int | None:
    """Where the slash of ``namespace/service`` stands, if both are names."""
    head, slash, tail = lower.partition("/")
    return len(head) if slash and head in names and tail in names else None


def _is_name(lower: str, lexicon: Lexicon) -> bool:
    """A compound such as ``chat-b`` or ``llama-3.1-8b``, but not ``first-token`` or ``p95``."""
    return bool(_WORDLIKE.fullmatch(lower)) and not lexicon.is_said(tuple(re.split(r"[^\w]+", lower)))


def _joins_words(lower: str, place: int) -> bool:
    """``first-token`` and ``5-second``, but neither ``8-18`` nor ``mon-fri``."""
    before, after = lower[place - 1 : place], lower[place + 1 : place + 2]
    return before.isalnum() and after.isalpha() and not _DAY_RANGE.search(lower)
