"""Refusals: a documented reason, what was got, the limit, and the nearest thing that works."""

from collections.abc import Iterable
from difflib import get_close_matches

from cynosure.api.conditions import Reason
from cynosure.api.intent_status import Refusal

_LINE, _TEXT = 253, 2048


class Ungrounded(Exception):
    """Raised inside grounding, where the first thing that is wrong ends it."""

    def __init__(self, reason: Reason, message: str, nearest: str | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal(reason, message, nearest)


def refusal(reason: Reason, message: str, nearest: str | None = None) -> Refusal:
    return Refusal(reason=reason, message=message[:_TEXT], nearest=nearest[:_LINE] if nearest else None)


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` was probably meant to be, else the whole list when it is short."""
    names = sorted(known)
    found = get_close_matches(name, names, n=1, cutoff=0.5)
    return found[0] if found else ", ".join(names[:8]) or None
