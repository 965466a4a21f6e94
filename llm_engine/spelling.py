"""Misspelt words: optimal string alignment distance, bounded by the length of the word."""

from functools import lru_cache


def distance(left: str, right: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours (Damerau 1964, each letter edited once)."""
    before: list[int] = []
    last = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        row = [i]
        for j, b in enumerate(right, start=1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def allowed(word: str) -> int:
    """Edits that a word of this length may be away from what was meant."""
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2


@lru_cache(maxsize=4096)
def correction(word: str, known: frozenset[str]) -> str | None:
    """The one known word within reach; None where there is none, or more than one as near."""
    reach = allowed(word)
    letters = set(word)
    near = sorted(
        (edits, other)
        for other in known
        if abs(len(other) - len(word)) <= reach
        and len(letters.symmetric_difference(other)) <= 2 * reach  # an edit changes two letters at most
        and (edits := distance(word, other)) <= reach
        and _plausible(word, other)
    )
    if not near or (len(near) > 1 and near[0][0] == near[1][0]):
        return None
    return near[0][1]


def _plausible(word: str, other: str) -> bool:
    """A short word keeps its letters: only a swap is taken for a slip."""
    return len(other) > 4 or sorted(word) == sorted(other)
