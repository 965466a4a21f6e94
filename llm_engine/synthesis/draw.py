"""Drawing a value of an option: its prior where its name has one, else its type, always within its schema."""

import re
from collections.abc import Callable
from random import Random
from typing import Any, Final

from llm_engine.synthesis import priors
from llm_engine.synthesis.option import Option

_PRESENT: Final = 0.35
"""So often an option is given that need not be."""
_TRIES: Final = 50
_MOST_ITEMS: Final = 3
_MOST_CHARACTERS: Final = 63


class Unsatisfiable(Exception):
    """No draw met the conditions."""


def conditioned(option: Option, random: Random, accepts: Callable[[Any], bool], tries: int = 400) -> Any:
    """Draw until ``accepts``, which knows the rules that no schema of single values says (rejection sampling).

    :raises Unsatisfiable: none of so many draws was accepted.
    """
    for _ in range(tries):
        value = drawn(option, random)
        if accepts(value):
            return value
    raise Unsatisfiable(f"{option.name}: none of {tries} draws was accepted; loosen the conditions, or add a prior")


def drawn(option: Option, random: Random) -> Any:
    """One value; the same seed gives the same."""
    if option.choices:
        return random.choice(option.choices)
    if option.type == "object":
        return _object(option, random)
    if option.type == "list":
        return _list(option, random)
    return _fitting(option, random) if option.type != "free" else {}


def _object(option: Option, random: Random) -> dict[str, Any]:
    given = _given(option, random)
    value = {field.name: drawn(field, random) for field in option.fields if field.name in given}
    for name in _implied(option, value):
        value[name] = drawn(next(field for field in option.fields if field.name == name), random)
    for low, high in (("min", "max"), ("from", "to")):
        if low in value and high in value and type(value[low]) is type(value[high]):
            value[low], value[high] = sorted((value[low], value[high]))
    return value


def _implied(option: Option, value: dict[str, Any]) -> list[str]:
    """The fields that must be there because of the value, or the default, of another."""
    defaults = {field.name: field.default for field in option.fields}
    rules = (names for key, wanted, names in option.implied if value.get(key, defaults.get(key)) == wanted)
    return [name for names in rules for name in names if name not in value]


def _given(option: Option, random: Random) -> set[str]:
    """The names of the fields that are given, in keeping with what must or must not stand together."""
    given = {field.name for field in option.fields if field.is_required or random.random() < _PRESENT}
    for group in option.needed:
        if not given & set(group):
            given.add(random.choice(group))
    for group in option.together:
        if given & set(group):
            given |= set(group)
    for group in option.exclusive:
        named = [name for name in group if name in given]
        given -= set(named) - {random.choice(named)} if named else set()
    return given


def _list(option: Option, random: Random) -> list[Any]:
    least = int(option.least or 0)
    most = int(min(option.most if option.most is not None else _MOST_ITEMS, max(least, _MOST_ITEMS)))
    if option.item is None:
        return []
    items = [drawn(option.item, random) for _ in range(random.randint(least, most))]
    if option.keys is None:
        return items
    told = [_key(item, option.item, option.keys) for item in items]
    return [item for n, item in enumerate(items) if told[n] not in told[:n]]


def _key(item: Any, option: Option, keys: tuple[str, ...]) -> Any:
    """What a list tells an item by; a field that is left out has its default."""
    if not keys:
        return item
    return [item.get(field.name, field.default) for field in option.fields if field.name in keys]


def _fitting(option: Option, random: Random) -> Any:
    """By the prior of its name while that fits, then by its type."""
    prior = priors.prior_of(option.name)
    if prior is not None:
        for _ in range(_TRIES):
            value = _typed(prior(random), option)
            if value is not None and _fits(value, option):
                return value
    return _by_type(option, random)


def _typed(value: Any, option: Option) -> Any:
    """As the type of the option wants it; None where it cannot be that."""
    if option.type == "string":
        return str(value)
    if option.type in ("integer", "number") and not isinstance(value, bool):
        try:
            return int(value) if option.type == "integer" else float(value)
        except ValueError:
            return None
    return value if isinstance(value, bool) and option.type == "boolean" else None


def _fits(value: Any, option: Option) -> bool:
    size = len(value) if isinstance(value, str) else value
    low, high = option.least, option.most
    within = (low is None or size >= low) and (high is None or size <= high) and _holds(str(value), option.decimal)
    return within and (option.pattern is None or re.search(option.pattern, str(value)) is not None)


def _holds(value: str, bounds: tuple[float, float] | None) -> bool:
    if bounds is None:
        return True
    is_number = value.replace(".", "", 1).isdigit()
    return is_number and bounds[0] <= float(value) <= bounds[1]


def _by_type(option: Option, random: Random) -> Any:
    if option.type == "boolean":
        return random.random() < 0.5
    if option.type == "string":
        return _string(option, random)
    low = option.least if option.least is not None else 0
    high = option.most if option.most is not None else 10_000
    value = max(low, min(priors.preferred(random, max(low, 1e-3), max(high, 1e-3)), high))
    return int(value) if option.type == "integer" else value


_SAMPLES: Final[tuple[priors.Prior, ...]] = (
    priors.name,
    lambda random: random.choice(("1g.10gb", "2g.20gb", "3g.40gb", "7g.80gb")),
    lambda random: random.choice(("A100-80GB", "H100-80GB")),
    priors.moment,
    priors.clock,
    priors.cron,
    priors.time_zone,
    priors.image,
    lambda random: f"sha256:{random.getrandbits(256):064x}",
    lambda random: random.choice(("EUR", "USD")),
    lambda random: f"hf://example/{priors.name(random)}",
    lambda random: f"https://{priors.name(random)}.example/file.csv",
)
"""What strings with a pattern are, from the most to the least usual."""


def _string(option: Option, random: Random) -> str:
    """The first usual kind of string that the pattern takes.

    :raises Unsatisfiable: none does.
    """
    if option.decimal is not None:
        low, high = option.decimal
        return str(priors.decimal(max(low, 0.01), min(high, 1e5))(random))
    for sample in _SAMPLES:
        value = str(sample(random))[: int(option.most or _MOST_CHARACTERS)]
        if _fits(value, option):
            return value
    raise Unsatisfiable(f"{option.name}: no usual string matches {option.pattern}; add a prior for this name")
