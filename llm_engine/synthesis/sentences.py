"""Sentences of which the meaning is known: a directive is drawn, and then worded, with the slips that people make."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from llm_engine.catalog import Catalog
from llm_engine.synthesis import priors
from llm_engine.synthesis import wordings as say

_ENGLISH_SHARE: Final = 0.75
_POLITE: Final = 0.35
_SLIP: Final = 0.12
_SLIPPING: Final = 6
"""Shorter words have no slip that leaves them readable."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a cluster has; names that no wording uses for something else."""

    services: Sequence[str]
    partitions: Sequence[str]

    @classmethod
    def of(cls, catalog: Catalog) -> "Names":
        """Of the services that a name alone tells, and that are not protected."""
        known, protected = catalog.services, catalog.limits.protected_namespaces
        count = Counter(service.name for service in known)
        told = [one.name for one in known if count[one.name] == 1 and one.namespace not in protected]
        return cls(told, catalog.partitions or ("1g.10gb",))


@dataclass(frozen=True, slots=True)
class Sentence:
    """``directive`` is flat, as ``cynosure ask --json`` prints it."""

    text: str
    directive: Mapping[str, Any]
    language: str
    has_slip: bool


def sentences(names: Names, seed: int) -> Iterator[Sentence]:
    """Without end; the same seed gives the same. Most are English, all shapes are equally likely within a language."""
    random = Random(seed)  # noqa: S311 - nothing here is secret
    while True:
        is_english = random.random() < _ENGLISH_SHARE
        language = "en" if is_english else random.choice([key for key in say.LANGUAGES if key != "en"])
        worded = say.LANGUAGES[language]
        shape = random.choice(list(worded))
        directive, looks = _SHAPES[shape](random, names)
        if not is_english:
            looks |= {"unit": directive.get("unit")}  # the symbol, which is the same everywhere
        text = random.choice(worded[shape]).format(s=directive["service"], **looks)
        text = _polite(text, random) if is_english else text
        slipped = _slipped(text, names, random) if is_english and random.random() < _SLIP else text
        yield Sentence(slipped, directive, language, slipped != text)


Drawn = tuple[dict[str, Any], dict[str, Any]]
"""A directive, and what its fields look like in the text."""
Shape = Callable[[Random, Names], Drawn]


def _scale(*fields: str) -> Shape:
    def draw(random: Random, names: Names) -> Drawn:
        numbers = sorted(random.sample(range(2, 17), len(fields)))
        said = dict(zip(fields, numbers, strict=True))
        return {"verb": "scale", "service": random.choice(names.services), **said}, said

    return draw


def _bound(metrics: Mapping[str, Mapping[str, tuple[float, float]]]) -> Shape:
    """``metrics``: by metric and unit the range of its values."""

    def draw(random: Random, names: Names) -> Drawn:
        metric = random.choice(list(metrics))
        unit = random.choice(list(metrics[metric]))
        value = _plain(priors.preferred(random, *metrics[metric][unit]))
        made = {
            "verb": "bound",
            "service": random.choice(names.services),
            "metric": metric,
            "value": value,
            "unit": unit,
        }
        looks = {"value": value, "unit": random.choice(say.UNITS.get(unit, (unit,)))}
        looks["money"] = random.choice(say.MONEY.get(unit, (unit,)))
        if metric in say.NAMES:
            made["percentile"] = looks["percentile"] = random.choice((50, 90, 95, 95, 99))
            looks["name"] = random.choice(say.NAMES[metric])
        return made, looks

    return draw


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _prefer(random: Random, names: Names) -> Drawn:
    objective = random.choice(("energy", "cost", "latency", "throughput", "fairness"))
    made = {"verb": "prefer", "service": random.choice(names.services), "objective": objective}
    return made, {"objective": objective}


def _schedule(field: str) -> Shape:
    def draw(random: Random, names: Names) -> Drawn:
        days = random.choice(list(say.DAYS))
        first, last = sorted({priors.clock(random) for _ in range(8)})[:2]
        number = random.randint(2, 12)
        made = {"verb": "schedule", "service": random.choice(names.services), "days": days.split(",")}
        looks = {"from": first, "to": last, field: number}
        return {**made, **looks}, {**looks, "days": random.choice(say.DAYS[days])}

    return draw


def _migrate(random: Random, names: Names) -> Drawn:
    said = {"partition": random.choice(names.partitions)}
    return {"verb": "migrate", "service": random.choice(names.services), **said}, said


def _plainly(verb: str) -> Shape:
    return lambda random, names: ({"verb": verb, "service": random.choice(names.services)}, {})


_SHAPES: Final[Mapping[str, Shape]] = {
    "scale replicas": _scale("replicas"),
    "scale min": _scale("min"),
    "scale max": _scale("max"),
    "scale min max": _scale("min", "max"),
    "scale delta": _scale("delta"),
    "bound latency": _bound(
        {
            "ttft": {"ms": (50, 5000), "s": (0.1, 10)},
            "tpot": {"ms": (5, 500)},
            "e2e": {"ms": (20, 9000), "s": (0.1, 60)},
        }
    ),
    "bound cost": _bound({"cost_per_hour": {"eur": (1, 50), "usd": (1, 50)}}),
    "bound watts": _bound({"watts": {"W": (100, 9000), "kW": (0.5, 20)}}),
    "bound gpus": _bound({"gpus": {"count": (2, 16)}}),
    "bound errors": _bound({"error_rate": {"percent": (0.1, 5)}}),
    "prefer": _prefer,
    "schedule min": _schedule("min"),
    "schedule max": _schedule("max"),
    "migrate partition": _migrate,
    **{verb: _plainly(verb) for verb in ("pause", "resume", "explain", "delete")},
}


def _polite(text: str, random: Random) -> str:
    """A phrase before an imperative, or one behind a statement."""
    if random.random() >= _POLITE or text.endswith("?"):
        return text
    if text.split()[0] in say.IMPERATIVE and random.random() < 0.6:
        return f"{random.choice(say.BEFORE)} {text}"
    return f"{text} {random.choice(say.AFTER)}"


def _slipped(text: str, names: Names, random: Random) -> str:
    """Two neighbouring letters of one long word change places; never in a name, nor in a word that would do harm."""
    known = {part for name in names.services for part in name.split("-")}
    words = text.split(" ")
    places = [
        n
        for n, word in enumerate(words)
        if word.isalpha() and len(word) >= _SLIPPING and word.islower() and not {word} & (known | _HARMFUL)
    ]
    if not places:
        return text
    place = random.choice(places)
    word = words[place]
    at = random.randint(1, len(word) - 3)
    words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


_HARMFUL: Final = frozenset({"delete", "remove", "decommission", "uninstall"})
