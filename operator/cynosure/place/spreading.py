"""Rows of the integer program for services that are spread over nodes and zones, or kept apart.

A column for each such service and cell says how many of its new partitions go there. Patterns stay anonymous: a cell
has to have at least as many places as its services take, so patterns do not multiply with the services.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cynosure.model.service import ServiceKey, Topology
from cynosure.place.integer_program import IntegerProgram
from cynosure.place.item import Item
from cynosure.place.milp import Terms


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A part of the fleet that rules can tell apart. Nothing that is spread goes where it is not ``is_open``."""

    node: str = ""
    zone: str = ""
    is_open: bool = False

    def domain(self, topology: Topology) -> str:
        return self.node if topology is Topology.NODE else self.zone


ANYWHERE = Cell()
Share = tuple[ServiceKey, Item]


@dataclass(frozen=True, slots=True)
class Even:
    """``standing`` has all domains that count, those with none included."""

    service: ServiceKey
    topology: Topology
    max_skew: int
    standing: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Separate:
    """``of_one`` and ``of_other``: how many stand in which domain."""

    topology: Topology
    one: ServiceKey
    other: ServiceKey
    of_one: Mapping[str, int]
    of_other: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Single:
    """No domain has two of a share; ``standing`` are of the same partition.

    While a service changes its partition, an old replica and its successor may share a domain.
    """

    topology: Topology
    share: Share
    standing: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Spreading:
    """``wanted`` new partitions of the services that are spread, in order, and the rules for them."""

    wanted: Mapping[Share, int] = field(default_factory=dict)
    evens: tuple[Even, ...] = ()
    separates: tuple[Separate, ...] = ()
    singles: tuple[Single, ...] = ()

    @property
    def topologies(self) -> set[Topology]:
        rules: tuple[Even | Separate | Single, ...] = (*self.evens, *self.separates, *self.singles)
        return {rule.topology for rule in rules}

    def admits(self, service: ServiceKey, cell: Cell) -> bool:
        """Without a zone there is nothing to spread over."""
        return cell.is_open and all(cell.domain(e.topology) for e in self.evens if e.service == service)


@dataclass(slots=True)
class Shares:
    """The columns: partitions of a share in a cell, and those that find no place."""

    program: IntegerProgram
    spreading: Spreading
    of_cell: dict[tuple[Share, Cell], int] = field(default_factory=dict)
    short: dict[Share, int] = field(default_factory=dict)

    def constrain(self, places: Mapping[tuple[Cell, Item], Terms], missing: Mapping[Item, int]) -> None:
        """``places`` that the patterns have in a cell for an item; ``missing`` of an item in all."""
        for share, count in self.spreading.wanted.items():
            self._share_out(share, count, [cell for cell, item in places if item == share[1]])
        taken: dict[tuple[Cell, Item], list[tuple[int, float]]] = {}
        for ((_, item), cell), column in self.of_cell.items():
            taken.setdefault((cell, item), []).append((column, -1.0))
        for place, terms in taken.items():
            self.program.limit([*places[place], *terms], least=0.0)
        for item, column in missing.items():
            short = [(found, -1.0) for share, found in self.short.items() if share[1] == item]
            if short:
                self.program.limit([(column, 1.0), *short], least=0.0)
        for even in self.spreading.evens:
            self._level(even)
        for separate in self.spreading.separates:
            self._separate(separate)
        for single in self.spreading.singles:
            self._single(single)

    def _share_out(self, share: Share, count: int, cells: list[Cell]) -> None:
        self.short[share] = self.program.column(count)
        for cell in cells:
            if self.spreading.admits(share[0], cell):
                self.of_cell[share, cell] = self.program.column(count)
        columns = [column for (found, _), column in self.of_cell.items() if found == share]
        terms = [(column, 1.0) for column in (*columns, self.short[share])]
        self.program.limit(terms, least=count, most=count)

    def _new(self, of: ServiceKey | Share, topology: Topology) -> dict[str, list[tuple[int, float]]]:
        """Of a service, or of one of its shares, by domain."""
        found: dict[str, list[tuple[int, float]]] = {}
        for (share, cell), column in self.of_cell.items():
            if of in (share, share[0]) and cell.domain(topology):
                found.setdefault(cell.domain(topology), []).append((column, 1.0))
        return found

    def _most(self, service: ServiceKey) -> int:
        return sum(count for share, count in self.spreading.wanted.items() if share[0] == service)

    def _level(self, even: Even) -> None:
        """``fewest`` is at most what any domain has; none that gets something has more than the skew above it."""
        fewest, new = self.program.column(), self._new(even.service, even.topology)
        lowest = min(even.standing.values(), default=0)
        for domain, standing in even.standing.items():
            added = new.get(domain, [])
            self.program.limit([*added, (fewest, -1.0)], least=-standing)
            if standing <= lowest + even.max_skew:
                self.program.limit([*added, (fewest, -1.0)], most=even.max_skew - standing)
            elif added:
                self._level_if_used(even, domain, added, fewest)

    def _level_if_used(self, even: Even, domain: str, added: list[tuple[int, float]], fewest: int) -> None:
        """What stands there is above the skew already, which only forbids to add to it."""
        is_used, most = self.program.column(1), self._most(even.service)
        excess = even.standing[domain] + most
        self.program.limit([*added, (is_used, -float(most))], most=0.0)
        row = [*added, (fewest, -1.0), (is_used, float(excess))]
        self.program.limit(row, most=even.max_skew - even.standing[domain] + excess)

    def _separate(self, rule: Separate) -> None:
        one, other = self._new(rule.one, rule.topology), self._new(rule.other, rule.topology)
        for domain in sorted(one.keys() | other.keys()):
            ours, theirs = one.get(domain, []), other.get(domain, [])
            if rule.of_other.get(domain):
                self.program.limit(ours, most=0)
            if rule.of_one.get(domain):
                self.program.limit(theirs, most=0)
            is_ours = self.program.column(1)
            self.program.limit([*ours, (is_ours, -float(self._most(rule.one)))], most=0)
            most = self._most(rule.other)
            self.program.limit([*theirs, (is_ours, float(most))], most=most)

    def _single(self, rule: Single) -> None:
        for domain, added in self._new(rule.share, rule.topology).items():
            self.program.limit(added, most=max(0, 1 - rule.standing.get(domain, 0)))

    def read(self, values: tuple[int, ...]) -> Iterator[tuple[Share, Cell, int]]:
        """No values, no shares."""
        if values:
            yield from ((*at, values[column]) for at, column in self.of_cell.items() if values[column])
