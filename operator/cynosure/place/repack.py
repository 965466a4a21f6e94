"""A standing placement on fewer GPUs, or with more room, by moves that can each be made before they break."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cynosure.model.mig import geometry_of
from cynosure.model.repacking import Room
from cynosure.place.choices import Label
from cynosure.place.fleet import place_fleet
from cynosure.place.greedy import Placed
from cynosure.place.need import Holding, Need, Stock
from cynosure.place.patterns import arrangement
from cynosure.place.prices import Prices
from cynosure.place.steps import Action, At, Step, steps_between

_EXTRA = "+"
MOST_MOVES = 64
"""In one repacking: a person has to read it."""

Hop = tuple[At, At]
"""From one place to another."""


@dataclass(frozen=True, slots=True)
class Repacked:
    """``hops`` in order, to be made one after the other. ``blocked`` more would take a service below its floor."""

    hops: tuple[Hop, ...]
    freed: tuple[int, ...]
    blocked: int = 0


def repack(stock: Stock, *, time_limit_seconds: float = 2.0) -> Repacked:
    """Return the fewest hops that free the most GPUs; none where no fewer GPUs would hold what stands.

    Where there is no room to make before breaking, a partition makes two hops, over a place on a GPU in use; where
    there is no such place, it stays, and so does what depends on it.
    """
    fleet = place_fleet(_needs(stock), stock, time_limit_seconds=time_limit_seconds)
    if fleet.unplaced or len(fleet.placed) >= used(stock.standing):
        return Repacked((), ())
    in_use = Stock({gpu: stock.products[gpu] for gpu in sorted(stock.standing)}, stock.standing)
    steps = steps_between(dict(stock.standing), fleet.placed, stock.products, in_use)
    hops = _hops(steps)
    blocked = sum(step.action is Action.REMOVE for step in steps) - len(hops)
    return _shortest(stock, hops[:MOST_MOVES], blocked)


def make_room(stock: Stock, wanted: Mapping[tuple[str, str], int], *, time_limit_seconds: float = 2.0) -> Repacked:
    """Return the fewest hops that leave room for as much of ``wanted``, by product and profile, as there can be.

    None where it has room already, or where the hops have none to be made before the old place is given up.
    """
    prices = Prices(dict.fromkeys(stock.products.values(), 0.0))
    fleet = place_fleet([*_needs(stock), *_extra(wanted)], stock, prices, time_limit_seconds=time_limit_seconds)
    lacking = {(product, name): fleet.unplaced[_EXTRA + product, name] for product, name in wanted}
    if fleet.unplaced:
        fewer = {kind: count - lacking[kind] for kind, count in wanted.items() if count > lacking[kind]}
        fleet = place_fleet([*_needs(stock), *_extra(fewer)], stock, prices, time_limit_seconds=time_limit_seconds)
    if fleet.unplaced:
        return Repacked((), ())
    target = {g: tuple(h for h in found if not h.service.startswith(_EXTRA)) for g, found in fleet.placed.items()}
    steps = steps_between(dict(stock.standing), target, stock.products, stock)
    hops = _hops(steps)[:MOST_MOVES]
    blocked = sum(step.action is Action.REMOVE for step in steps) - len(hops)
    return Repacked(tuple(hops), (), blocked)


def _extra(wanted: Mapping[tuple[str, str], int]) -> list[Need]:
    """As if a service of each product wanted it; no name of a service begins like that."""
    kinds = sorted(wanted.items())
    return [Need(_EXTRA + product, product, count, {profile: 1.0}) for (product, profile), count in kinds]


def played(stock: Stock, hops: Iterable[Hop]) -> Placed | None:
    """What stands after the hops; None where one has nothing to move, or no room."""
    standing: Placed = dict(stock.standing)
    for (gpu, old), (other, new) in hops:
        there = standing.get(other, ())
        product = stock.products.get(other, "")
        fits = other in stock.products and geometry_of(product).legal([*(h.spot for h in there), new.spot])
        if old not in standing.get(gpu, ()) or not fits:
            return None
        standing[other] = (*there, new)
        standing[gpu] = tuple(held for held in standing[gpu] if held != old)
    return standing


def rooms(stock: Stock, after: Placed) -> tuple[Room, ...]:
    """For each profile in use how many more could start before and after."""
    profiles = sorted({held.profile for found in stock.standing.values() for held in found})
    return tuple(Room(name, _more(stock, stock.standing, name), _more(stock, after, name)) for name in profiles)


def _needs(stock: Stock) -> list[Need]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for gpu, found in stock.standing.items():
        counts.update((held.service, stock.products[gpu], held.profile) for held in found)
    return [Need(service, product, n, {profile: 1.0}) for (service, product, profile), n in sorted(counts.items())]


def used(placed: Mapping[int, Sequence[Holding]]) -> int:
    return sum(bool(found) for found in placed.values())


def _hops(steps: Sequence[Step]) -> list[Hop]:
    """Join each removal with the first creation of its kind that is not joined yet, in the order of the creations.

    A removal comes after a creation that replaces it, so what was removed before a creation belongs to hops before its
    own: made one after the other, hops leave at least the room that the steps leave.
    """
    made: dict[Label, deque[tuple[int, At]]] = {}
    hops: dict[int, Hop] = {}
    for number, step in enumerate(steps):
        if step.below_floor:
            break
        at, label = (step.gpu, step.partition), (step.partition.service, step.partition.profile)
        if step.action is Action.CREATE:
            made.setdefault(label, deque()).append((number, at))
        elif made.get(label):
            begun, target = made[label].popleft()
            hops[begun] = (at, target)
    return [hops[number] for number in sorted(hops)]


def _shortest(stock: Stock, hops: Sequence[Hop], blocked: int) -> Repacked:
    best, fewest = 0, used(stock.standing)
    for count in range(1, len(hops) + 1):
        after = played(stock, hops[:count])
        if after is not None and used(after) < fewest:
            best, fewest = count, used(after)
    after = played(stock, hops[:best]) or {}
    freed = tuple(gpu for gpu, found in sorted(stock.standing.items()) if found and not after.get(gpu))
    return Repacked(tuple(hops[:best]), freed if best else (), blocked)


def _more(stock: Stock, placed: Mapping[int, Sequence[Holding]], profile: str) -> int:
    alike = Counter((stock.products[gpu], tuple(sorted(h.spot for h in placed.get(gpu, ())))) for gpu in stock.products)
    return sum(number * _startable(product, spots, profile) for (product, spots), number in alike.items())


def _startable(product: str, spots: tuple[tuple[str, int], ...], profile: str) -> int:
    known = geometry_of(product).profile(profile)
    most = known.most if known else 0
    return max((n for n in range(1, most + 1) if arrangement(product, spots, ((profile, n),)) is not None), default=0)
