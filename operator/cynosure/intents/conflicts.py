"""What cannot hold together: inside one intent, and between intents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf

from cynosure.intents.effects import Creation, Effect, ModeChange, Pin, Preference, ReplicaLimit
from cynosure.model.service import Mode, ServiceKey


@dataclass(frozen=True, slots=True)
class Clash:
    """Two claims on one service that exclude each other; ``sources`` name who made them."""

    sources: tuple[str, str]
    message: str


@dataclass(frozen=True, slots=True)
class _Claim:
    source: str
    service: ServiceKey
    least: float
    most: float
    text: str


def clashes(effects: Mapping[str, Sequence[Effect]]) -> tuple[Clash, ...]:
    """Disjoint claims on the replicas of a service, by source.

    Intervals on a line have an empty intersection only if two of them are disjoint (Helly's theorem in one
    dimension), so the smallest conflicting sets are pairs.
    """
    claims = [claim for source, own in effects.items() for effect in own for claim in _claims(source, effect)]
    return tuple(
        Clash((one.source, other.source), f"{one.text}, but {other.text}")
        for one, other in combinations(claims, 2)
        if one.service == other.service and (one.most < other.least or other.most < one.least)
    )


def contradiction(effects: Sequence[Effect]) -> str | None:
    """What one intent wants that excludes itself."""
    modes: dict[ServiceKey, Mode] = {}
    for effect in effects:
        if isinstance(effect, ModeChange) and modes.setdefault(effect.service, effect.mode) is not effect.mode:
            return f"{effect.service} shall be paused and resumed"
    released = {e.service for e in effects if isinstance(e, Pin) and e.replicas == 0}
    pinned = {e.service for e in effects if isinstance(e, Pin) and e.replicas > 0}
    if both := released & pinned:
        return f"{min(both)} shall have a fixed number of replicas and be resumed, which gives the number back"
    made = [effect.service for effect in effects if isinstance(effect, Creation)]
    if twice := {key for key in made if made.count(key) > 1}:
        return f"{min(twice)} shall be made twice"
    weights = dict[ServiceKey, Preference]()
    for effect in effects:
        if isinstance(effect, Preference) and weights.setdefault(effect.service, effect) != effect:
            return f"{effect.service} shall prefer two things at once"
    found = clashes({"this": effects})
    return found[0].message if found else None


def _claims(source: str, effect: Effect) -> Iterable[_Claim]:
    if isinstance(effect, Pin) and effect.replicas > 0:
        n = effect.replicas
        yield _Claim(source, effect.service, n, n, f"{source} wants {n} replicas of {effect.service}")
    elif isinstance(effect, ReplicaLimit):
        least, most = effect.least or 0, inf if effect.most is None else effect.most
        text = " and ".join(
            f"{word} {number}"
            for word, number in (("at least", effect.least), ("at most", effect.most))
            if number is not None
        )
        yield _Claim(source, effect.service, least, most, f"{source} wants {text} replicas of {effect.service}")
