"""Time zones as people write them, looked up in the time-zone database of the machine."""

import zoneinfo
from collections.abc import Mapping, Sequence
from functools import cache

AMBIGUOUS = frozenset({"PST", "PDT", "EDT", "CDT", "CST", "MDT", "CEST", "BST", "IST", "JST", "AEST", "AEDT"})
"""Abbreviations that the database lacks, some because they mean several zones."""


@cache
def _zones() -> Mapping[str, str]:
    """By lower-case name; empty on a machine without the database."""
    return {name.lower(): name for name in zoneinfo.available_timezones()}


@cache
def _cities() -> Mapping[str, str]:
    """By the lower-case last part, such as ``new_york``; a city of the older names only where no newer one has it."""
    newest = sorted(_zones().values(), key=lambda name: (name.count("/") == 1, name.split("/")[0] in _AREAS))
    return {name.split("/")[-1].lower(): name for name in newest if "/" in name}


_AREAS = frozenset({"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"})


def known(name: str) -> str | None:
    """The name as the database spells it; as written where there is no database to ask."""
    return _zones().get(name.lower()) if _zones() else name


def of_city(words: Sequence[str]) -> str | None:
    """``["new", "york"]`` is America/New_York."""
    return _cities().get("_".join(words).lower())
