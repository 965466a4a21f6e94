"""The integer program: which partitions each service gets, and how many GPUs of each kind get which layout.

GPUs that look alike form a kind, so the program grows with the kinds of GPUs and not with their number (Gilmore and
Gomory's patterns for cutting stock, 1961). Which partitions serve a rate is decided in the same program.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from cynosure.place.choices import ANYONE, Choice, Kind, Label, choices
from cynosure.place.integer_program import IntegerProgram
from cynosure.place.milp import Terms
from cynosure.place.need import Need
from cynosure.place.prices import Prices


@dataclass(frozen=True, slots=True)
class Packing:
    """GPUs of each kind by layout; partitions by service and profile where there was a choice, ``short`` by service.

    ``lacking``: how many of the others find no place, by product and profile.
    """

    layouts: Mapping[Kind, tuple[tuple[Choice, int], ...]]
    chosen: Mapping[Label, int]
    short: Mapping[str, int]
    lacking: Mapping[tuple[str, str], int]


@dataclass(slots=True)
class Pack:
    """``kinds`` says how many GPUs there are of each.

    Columns: GPUs by kind and choice; partitions by service and profile where a service has the choice; partitions that
    find no place, by product and profile, or by service where it has the choice.
    """

    needs: Sequence[Need]
    kinds: Mapping[Kind, float]
    program: IntegerProgram = field(default_factory=IntegerProgram)
    _gpus: dict[Kind, list[tuple[Choice, int]]] = field(default_factory=dict)
    _fixed: dict[Label, int] = field(default_factory=dict)
    _partitions: dict[Label, tuple[Need, int]] = field(default_factory=dict)
    _lacking: dict[tuple[str, str], int] = field(default_factory=dict)
    _short: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = self._profiles()
        for kind, count in self.kinds.items():
            if kind.product in names:
                found = choices(kind, names[kind.product])
                self._gpus[kind] = [(choice, self.program.column(count)) for choice in found]
                self.program.limit([(column, 1.0) for _, column in self._gpus[kind]], most=count)
        for need in self.needs:
            if need.is_choice:
                self._meet(need)
            else:
                self._fixed[need.service, need.cheapest] = need.most(need.cheapest)
        for product, profiles in names.items():
            for profile in profiles:
                self._cover(product, profile)

    def unplaced(self) -> Terms:
        """Return the number of partitions that find no place."""
        return [(column, 1.0) for column in (*self._lacking.values(), *self._short.values())]

    def cost(self, prices: Prices) -> Terms:
        """Return the price of GPUs in use and partitions; those that leave no choice only count where they lack."""
        gpus = [(column, prices.of_gpu(kind.product)) for kind, found in self._gpus.items() for _, column in found]
        parts = [
            (column, prices.of_partition(need.product, profile))
            for (_, profile), (need, column) in self._partitions.items()
        ]
        lacking = [(column, -prices.of_partition(*fixed)) for fixed, column in self._lacking.items()]
        return [(column, price) for column, price in (*gpus, *parts, *lacking) if price]

    def moved(self) -> Terms:
        """Return the number of partitions that stay, negative; a service keeps no more than it still wants."""
        kept: dict[Label, list[tuple[int, float]]] = {}
        for found in self._gpus.values():
            for choice, column in found:
                for label, count in choice.kept.items():
                    kept.setdefault(label, []).append((column, float(count)))
        return [(column, -factor) for label, terms in kept.items() for column, factor in self._staying(label, terms)]

    def lost(self, standing: Mapping[Label, int]) -> Terms:
        """Return how many partitions fewer than stand are chosen, by service and profile."""
        fewer = []
        for label, (_, column) in self._partitions.items():
            if standing.get(label):
                fewer.append((self.program.column(standing[label]), 1.0))
                self.program.limit([fewer[-1], (column, 1.0)], least=float(standing[label]))
        return fewer

    def read(self, values: Sequence[int]) -> Packing:
        gpus = {
            kind: tuple((choice, values[column]) for choice, column in found if values[column])
            for kind, found in self._gpus.items()
        }
        chosen = {label: values[column] for label, (_, column) in self._partitions.items() if values[column]}
        short = {service: values[column] for service, column in self._short.items() if values[column]}
        lacking = {fixed: values[column] for fixed, column in self._lacking.items() if values[column]}
        return Packing(gpus, chosen, short, lacking)

    def _profiles(self) -> dict[str, tuple[str, ...]]:
        names: dict[str, set[str]] = {}
        for need in self.needs:
            names.setdefault(need.product, set()).update(need.worth)
        return {product: tuple(sorted(found)) for product, found in names.items()}

    def _meet(self, need: Need) -> None:
        """Enough partitions of the profiles that the need leaves the choice of; relative, so that rates are alike."""
        terms = []
        for profile in need.choices:
            column = self.program.column(need.most(profile))
            self._partitions[need.service, profile] = (need, column)
            terms.append((column, need.worth[profile] / need.amount))
        self._short[need.service] = self.program.column(need.most(need.cheapest))
        terms.append((self._short[need.service], need.worth[need.cheapest] / need.amount))
        self.program.limit(terms, least=1.0)

    def _cover(self, product: str, profile: str) -> None:
        """The layouts hold all partitions of this profile that are chosen or leave no choice, or some are lacking."""
        fixed = sum(
            self._fixed[need.service, profile]
            for need in self.needs
            if need.product == product and not need.is_choice and profile in need.worth
        )
        lacking = self._lacking[product, profile] = self.program.column(fixed)
        chosen = [
            (column, -1.0)
            for (_, name), (need, column) in self._partitions.items()
            if name == profile and need.product == product
        ]
        self.program.limit([*self._places(product, profile), *chosen, (lacking, 1.0)], least=fixed)

    def _places(self, product: str, profile: str) -> Iterator[tuple[int, float]]:
        for kind, found in self._gpus.items():
            for choice, column in found:
                if kind.product == product and (count := choice.counts.get(profile, 0)):
                    yield column, float(count)

    def _staying(self, label: Label, kept: list[tuple[int, float]]) -> Terms:
        if label[0] == ANYONE:
            return kept
        staying = self.program.column(self._fixed.get(label, inf))
        self.program.limit([(staying, -1.0), *kept], least=0.0)
        if label in self._partitions:
            self.program.limit([(self._partitions[label][1], 1.0), (staying, -1.0)], least=0.0)
        return [(staying, 1.0)]
