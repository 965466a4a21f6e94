"""Numbers in digits and in words."""

import re
from collections.abc import Mapping, Sequence

from llm_engine.lexer import Token

DIGITS = re.compile(r"\d+(?:[.,]\d+)*|\.\d+")
LARGEST = 1e12
"""No directive has a number like that; what is larger is not taken for one."""
_SIGNS = {"+": 1, "plus": 1, "-": -1, "\u2212": -1, "minus": -1, "negative": -1}


def sign(tokens: Sequence[Token], words: Sequence[str], numbers: Mapping[str, int]) -> int:
    """Of ``+2``, ``-1`` and ``minus two``; 0 where there is none, as in ``8-18`` and ``chat - 2``."""
    if len(tokens) < 2 or words[0] not in _SIGNS:
        return 0
    if not (DIGITS.fullmatch(tokens[1].text) or words[1] in numbers):
        return 0
    attached = tokens[0].apart and tokens[0].end == tokens[1].start
    return _SIGNS[words[0]] if attached or words[0].isalpha() else 0


def cardinal(
    tokens: Sequence[Token], words: Sequence[str], numbers: Mapping[str, int], thousands: str = ","
) -> tuple[float, int]:
    """The number at the front, in digits or words, and how many tokens it takes; (0, 0) where there is none."""
    if DIGITS.fullmatch(tokens[0].text):
        number = _value(tokens[0].text, thousands)
        return (number, 1) if number <= LARGEST else (0, 0)
    if words[0] == "half" and words[1:2] in (["a"], ["an"]):
        return 0.5, 2
    number, used = _spelled(words, numbers)
    if used and words[used : used + 3] == ["and", "a", "half"]:
        return number + 0.5, used + 3
    if used and number >= 100 and number % 100 == 0 and words[used : used + 1] == ["and"]:
        rest, more = _spelled(words[used + 1 :], numbers)
        if more and rest < 100:
            return number + rest, used + 1 + more
    return number, used


def _spelled(words: Sequence[str], numbers: Mapping[str, int]) -> tuple[float, int]:
    """``one hundred twenty``."""
    total, used = 0, 0
    for word in words[:8]:
        if word not in numbers:
            break
        number = numbers[word]
        if number in (100, 1000) or word == "dozen":
            total = max(total, 1) * number
        elif used and not (total % 10 == 0 and total and number < 10) and not (total >= 100 and total % 100 == 0):
            break
        else:
            total += number
        used += 1
    return float(total), used


def _value(digits: str, thousands: str) -> float:
    """The mark of thousands groups three digits; elsewhere it is as good a decimal mark as the other one."""
    mark = re.escape(thousands)
    grouped = re.fullmatch(rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+(?:[.,]\d+)?", digits)
    plain = (digits.replace(thousands, "") if grouped else digits).replace(",", ".")
    return float(plain) if plain.count(".") <= 1 and len(plain) < 32 else float("inf")
