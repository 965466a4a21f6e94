"""What is to be placed where, what is to be kept low, and the answer with what is proven of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from cynosure.place.choices import Label
from cynosure.place.greedy import Placed
from cynosure.place.integer_program import HIGHS
from cynosure.place.milp import Solver
from cynosure.place.need import Need, Stock
from cynosure.place.prices import GPUS, Prices


@dataclass(frozen=True, slots=True)
class Fleet:
    """``cost_bound``: nothing that places as many is cheaper; ``moves_bound``: nothing as cheap moves fewer."""

    placed: Placed
    unplaced: Counter[Label]
    cost: float
    moves: int
    solver: str
    is_most: bool
    """Whether it is proven that no more partitions can be placed."""
    cost_bound: float
    moves_bound: int

    @property
    def rank(self) -> tuple[int, float, int]:
        """The less the better."""
        return self.unplaced.total(), self.cost, self.moves

    def is_cheapest(self, prices: Prices) -> bool:
        return self.is_most and self.cost - self.cost_bound < prices.step

    def is_optimal(self, prices: Prices) -> bool:
        return self.is_cheapest(prices) and self.moves <= self.moves_bound

    def fewest_gpus(self, prices: Prices) -> int:
        """Return a bound on the GPUs of an answer that costs as little; what is placed takes one at least."""
        if prices is GPUS:
            return max(ceil(self.cost_bound), bool(self.placed))
        return len(self.placed) if self.is_cheapest(prices) else int(bool(self.placed))


@dataclass(frozen=True, slots=True)
class Task:
    """``services`` by product. All that stands in ``stock`` is wanted, and may stay. ``solver`` of what is exact."""

    needs: Sequence[Need]
    stock: Stock
    prices: Prices
    services: Mapping[str, frozenset[str]]
    solver: Solver = HIGHS

    @property
    def choices(self) -> list[Need]:
        return [need for need in self.needs if need.is_choice]

    @property
    def standing(self) -> Counter[Label]:
        return Counter((held.service, held.profile) for found in self.stock.standing.values() for held in found)

    @property
    def stands(self) -> int:
        return sum(map(len, self.stock.standing.values()))

    @property
    def fixed_cost(self) -> float:
        """The price of the partitions that leave no choice, all of them placed."""
        return sum(
            need.most(need.cheapest) * self.prices.of_partition(need.product, need.cheapest)
            for need in self.needs
            if not need.is_choice
        )

    def most_cost(self, cost: float) -> float:
        """Return the limit of a program's cost, which leaves out what is fixed, for an answer of this cost."""
        return cost - self.fixed_cost + self.prices.step * 1e-6

    def cost(self, placed: Placed) -> float:
        total = 0.0
        for gpu, found in placed.items():
            product = self.stock.product_of(gpu) or ""
            total += self.prices.of_gpu(product)
            if self.prices.per_compute:
                total += sum(self.prices.of_partition(product, held.profile) for held in found)
        return total

    def lacking(self, placed: Placed) -> Counter[Label]:
        """Return what finds no place; of a rate, how many more of the profile that gives most for its slices."""
        counts = Counter((held.service, held.profile) for found in placed.values() for held in found)
        return +Counter(
            {
                (need.service, need.cheapest): need.lacking({p: counts[need.service, p] for p in need.choices})
                for need in self.needs
            }
        )

    def moves(self, placed: Placed) -> int:
        """Return how many of the partitions that stand are not there any more."""
        pairs = ((placed.get(gpu, ()), found) for gpu, found in self.stock.standing.items())
        return sum(held not in there for there, found in pairs if there is not found for held in found)


def task_of(needs: Sequence[Need], stock: Stock, prices: Prices, solver: Solver = HIGHS) -> tuple[Task, int]:
    """Forget what may not stay: not wanted any more, or not on this GPU. :return: how many those are, too."""
    products = {(need.service, profile): need.product for need in needs for profile in need.choices}
    standing, gone = dict(stock.standing), 0
    for gpu, found in stock.standing.items():
        product = stock.product_of(gpu)
        may_stay = [held for held in found if products.get((held.service, held.profile), "") == product]
        if len(may_stay) < len(found):
            standing[gpu] = tuple(may_stay)
            gone += len(found) - len(may_stay)
    services = {
        product: frozenset(need.service for need in needs if need.product == product)
        for product in sorted({need.product for need in needs})
    }
    return Task(needs, replace(stock, standing=standing), prices, services, solver), gone
