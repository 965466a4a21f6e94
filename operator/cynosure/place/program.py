"""The integer program: how many GPUs of each class get which pattern of new partitions.

GPUs that look alike (product, what stands on them, who of the limited services is there already) form a class, so the
program grows with the kinds of GPUs and not with their number (Gilmore and Gomory's patterns for cutting stock, 1961).
HiGHS proves the optimum.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cynosure.model.mig import Spot
from cynosure.model.service import ServiceKey
from cynosure.place.integer_program import Answer, IntegerProgram
from cynosure.place.item import Item
from cynosure.place.milp import Terms
from cynosure.place.patterns import Counts, arrangement, openness
from cynosure.place.spreading import ANYWHERE, Cell, Share, Shares, Spreading

_OPENNESS_WEIGHT = 1e-4
"""Far below the cost of a GPU: it only chooses among equals."""
_ORDER_WEIGHT = 0.01
_NOT_SPREAD = Spreading()
_GAP = 0.05
"""Partitions that find no place and GPUs are proven; of holes the answer may leave a few more than it must."""


@dataclass(frozen=True, slots=True, order=True)
class Class:
    """GPUs that look alike. ``hosts`` are the limited services that stand here; ``used`` when any of ours does."""

    product: str
    standing: tuple[Spot, ...]
    hosts: tuple[ServiceKey, ...]
    used: bool
    usable: bool
    cell: Cell = ANYWHERE


Pattern = tuple[tuple[Item, int], ...]


@dataclass(frozen=True, slots=True)
class Solution:
    """``patterns`` per class with the number of its GPUs; ``unplaced`` per item. ``bound``: fewest new GPUs proven.

    ``shares``: how many of the places in a cell are those of a service that is spread.
    """

    patterns: Mapping[Class, tuple[tuple[Pattern, int], ...]]
    unplaced: Mapping[Item, int]
    new_gpus: int
    bound: int
    optimal: bool
    shares: tuple[tuple[Share, Cell, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """How many GPUs may be taken into use: by each limited service, and by the fleet (None: no limit)."""

    of_service: Mapping[ServiceKey, int]
    of_fleet: int | None


def solve(
    classes: Mapping[Class, int],
    wanted: Mapping[Item, int],
    room: Room,
    spreading: Spreading = _NOT_SPREAD,
    *,
    time_limit_seconds: float,
) -> Solution:
    """Place most of ``wanted`` (earlier items weigh more), then take the fewest GPUs into use, then leave few holes.

    ``classes`` says how many GPUs each has. Without any item there is nothing to solve.
    """
    items = [item for item, count in wanted.items() if count > 0]
    if not items:
        return Solution({}, {}, 0, 0, True)
    program = IntegerProgram()
    columns = {
        (group, pattern): program.column(count)
        for group, count in sorted(classes.items())
        for pattern in _patterns(group, items, wanted)
    }
    missing = {item: program.column(wanted[item]) for item in items}
    _constrain(program, classes, wanted, room, columns, missing)
    shares = Shares(program, spreading)
    shares.constrain(_places(columns), missing)
    cost = [(column, _cost(*key)) for key, column in columns.items()]
    worth = sum(classes.values()) + 1
    for place, column in enumerate(missing.values()):
        cost.append((column, worth * (1 + _ORDER_WEIGHT * (len(items) - place))))
    # Among equals what is spread goes first: it has fewer places to go to.
    cost += [(column, worth * _ORDER_WEIGHT / len(shares.short)) for column in shares.short.values()]
    answer = program.minimise(cost, step=_GAP, time_limit_seconds=time_limit_seconds)
    return replace(_read(answer, classes, columns, missing, wanted), shares=tuple(shares.read(answer.values or ())))


def _places(columns: Mapping[tuple[Class, Pattern], int]) -> dict[tuple[Cell, Item], Terms]:
    found: dict[tuple[Cell, Item], list[tuple[int, float]]] = {}
    for (group, pattern), column in columns.items():
        for item, count in pattern:
            found.setdefault((group.cell, item), []).append((column, float(count)))
    return dict(found)


def _patterns(group: Class, items: Sequence[Item], wanted: Mapping[Item, int]) -> Iterator[Pattern]:
    """Yield every combination of items that fits beside what stands, the empty one first."""
    fitting = [item for item in items if group.usable and item.product == group.product]
    return _grown(group, fitting, wanted, ())


def _grown(group: Class, items: Sequence[Item], wanted: Mapping[Item, int], pattern: Pattern) -> Iterator[Pattern]:
    yield pattern
    for place, item in enumerate(items):
        for count in range(1, wanted[item] + 1):
            larger = (*pattern, (item, count))
            if arrangement(group.product, group.standing, counts_of(larger)) is None:
                break
            yield from _grown(group, items[place + 1 :], wanted, larger)


def counts_of(pattern: Pattern) -> Counts:
    totals: dict[str, int] = {}
    for item, count in pattern:
        totals[item.partition] = totals.get(item.partition, 0) + count
    return tuple(sorted(totals.items()))


def _cost(group: Class, pattern: Pattern) -> float:
    added = arrangement(group.product, group.standing, counts_of(pattern)) or ()
    lost = openness(group.product, group.standing) - openness(group.product, (*group.standing, *added))
    return float(_takes(group, pattern)) + _OPENNESS_WEIGHT * lost


def _takes(group: Class, pattern: Pattern) -> bool:
    """Whether a GPU is taken into use by it."""
    return bool(pattern) and not group.used


def _constrain(
    program: IntegerProgram,
    classes: Mapping[Class, int],
    wanted: Mapping[Item, int],
    room: Room,
    columns: Mapping[tuple[Class, Pattern], int],
    missing: Mapping[Item, int],
) -> None:
    of_class: dict[Class, list[tuple[int, float]]] = {group: [] for group in classes}
    placed: dict[Item, list[tuple[int, float]]] = {item: [(column, 1.0)] for item, column in missing.items()}
    for (group, pattern), column in columns.items():
        of_class[group].append((column, 1.0))
        for item, count in pattern:
            placed[item].append((column, float(count)))
    for group, terms in of_class.items():
        program.limit(terms, most=classes[group])
    for item, terms in placed.items():
        program.limit(terms, least=wanted[item], most=wanted[item])
    if room.of_fleet is not None:
        taken = [(column, 1.0) for key, column in columns.items() if _takes(*key)]
        program.limit(taken, most=room.of_fleet)
    for service, most in room.of_service.items():
        new = [(c, 1.0) for (g, p), c in columns.items() if service not in g.hosts and _serves(p, service)]
        program.limit(new, most=most)


def _serves(pattern: Pattern, service: ServiceKey) -> bool:
    return any(item.service == service for item, _ in pattern)


def _read(
    answer: Answer,
    classes: Mapping[Class, int],
    columns: Mapping[tuple[Class, Pattern], int],
    missing: Mapping[Item, int],
    wanted: Mapping[Item, int],
) -> Solution:
    if answer.values is None:
        return Solution({}, {item: wanted[item] for item in missing}, 0, 0, False)
    chosen: dict[Class, list[tuple[Pattern, int]]] = {group: [] for group in classes}
    for (group, pattern), column in columns.items():
        if pattern and (times := answer.values[column]):
            chosen[group].append((pattern, times))
    new = sum(times for g, found in chosen.items() for pattern, times in found if _takes(g, pattern))
    return Solution(
        {group: tuple(found) for group, found in chosen.items()},
        {item: count for item, column in missing.items() if (count := answer.values[column])},
        new,
        new if answer.optimal else 0,
        answer.optimal,
    )
