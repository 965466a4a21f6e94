"""A whole fleet anew: everything placed, at the least cost, with the fewest moves, and what is proven of each."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from time import perf_counter

from cynosure.place.bounds import fewest_moves, least_cost
from cynosure.place.choices import ANYONE, Kind, Label
from cynosure.place.greedy import Placed, efficient, large_first, place_greedily
from cynosure.place.integer_program import lexicographic, total
from cynosure.place.need import Need, Stock
from cynosure.place.pack import Pack
from cynosure.place.prices import GPUS, Prices
from cynosure.place.realise import realise
from cynosure.place.rules import most_open

EXACT = "pattern-ilp/highs"
QUICK = "large-first/most-open"


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

    def is_optimal(self, prices: Prices) -> bool:
        is_cheapest = self.cost - self.cost_bound < prices.step
        return self.is_most and is_cheapest and self.moves <= self.moves_bound

    def fewest_gpus(self, prices: Prices) -> int:
        """Return a bound on the GPUs of an answer that costs as little."""
        if prices is GPUS:
            return ceil(self.cost_bound)
        return len(self.placed) if self.cost - self.cost_bound < prices.step else 0


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be placed where, and what is to be kept low."""

    needs: Sequence[Need]
    stock: Stock
    prices: Prices

    @property
    def products(self) -> tuple[str, ...]:
        return tuple(sorted({need.product for need in self.needs}))

    def cost(self, placed: Placed) -> float:
        gpus = sum(self.prices.of_gpu(self.stock.product_of(gpu) or "") for gpu in placed)
        return gpus + sum(
            self.prices.of_partition(self.stock.product_of(gpu) or "", held.profile)
            for gpu, holdings in placed.items()
            for held in holdings
        )

    def moves(self, placed: Placed) -> int:
        """Return how many of the partitions that stand are not there any more."""
        return sum(held not in placed.get(gpu, ()) for gpu, found in self.stock.standing.items() for held in found)


def place_fleet(
    needs: Sequence[Need], stock: Stock, prices: Prices = GPUS, *, time_limit_seconds: float = 10.0
) -> Fleet:
    """Place as many partitions as there is room for, at the least cost, and so with the fewest moves.

    First a rule is tried; if that meets the bounds that are simply counted, nothing is left to prove. Otherwise two
    programs are solved: one that sees no difference between GPUs finds the cost, and where something stands a second
    one, held at that cost, what may stay. The answer is never worse than the rule's. The same input gives the same
    answer, unless the time limit cuts the search short; then it is not said to be optimal.
    """
    end = perf_counter() + time_limit_seconds
    task, gone = _task(needs, stock, prices)
    fleet = _solved(task, end)
    return replace(fleet, moves=fleet.moves + gone, moves_bound=fleet.moves_bound + gone)


def _task(needs: Sequence[Need], stock: Stock, prices: Prices) -> tuple[Task, int]:
    """Forget what may not stay: not wanted any more, or not on this GPU. :return: how many those are, too."""
    products = {(need.service, profile): need.product for need in needs for profile in need.choices}
    standing = {
        gpu: tuple(h for h in found if stock.product_of(gpu) == products.get((h.service, h.profile), ""))
        for gpu, found in stock.standing.items()
    }
    gone = sum(map(len, stock.standing.values())) - sum(map(len, standing.values()))
    return Task(needs, replace(stock, standing=standing), prices), gone


def _solved(task: Task, end: float) -> Fleet:
    prices = task.prices
    quick = _quick(task)
    if quick.is_optimal(prices):
        return quick
    cheap = _cheapest(task, quick, end - perf_counter())
    if cheap.is_optimal(prices):
        return cheap
    return _fewest_moves(task, cheap, quick, end - perf_counter())


def _quick(task: Task) -> Fleet:
    """Keep what is still wanted, then place the rest by rule."""
    wanted = Counter[Label]()
    for need in task.needs:
        wanted.update({(need.service, name): count for name, count in efficient(need).items()})
    placed = _kept(task.stock, wanted)
    lacking = Counter[Label]()
    for product in task.products:
        mine = {need.service for need in task.needs if need.product == product}
        items = large_first({label: n for label, n in wanted.items() if label[0] in mine}, product)
        placed, missing = place_greedily(items, product, task.stock, most_open, placed)
        lacking += missing
    bound = least_cost(task.needs, task.prices) if not lacking else 0.0
    moves = fewest_moves(task.needs, task.stock)
    return Fleet(placed, lacking, task.cost(placed), task.moves(placed), QUICK, not lacking, bound, moves)


def _kept(stock: Stock, wanted: Counter[Label]) -> Placed:
    """Take from ``wanted`` what stands already."""
    placed: Placed = {}
    for gpu, held in sorted(stock.standing.items()):
        stays = [h for h in held if _take(wanted, (h.service, h.profile))]
        if stays:
            placed[gpu] = tuple(stays)
    return placed


def _take(wanted: Counter[Label], label: Label) -> bool:
    found = wanted[label] > 0
    wanted[label] -= found
    return found


def _cheapest(task: Task, quick: Fleet, time_limit_seconds: float) -> Fleet:
    """Solve without regard to what stands."""
    pack = Pack(task.needs, {Kind(product): task.stock.size(product) for product in task.products})
    costs = [(pack.cost(task.prices), task.prices.step)]
    if quick.unplaced:
        costs.insert(0, (pack.unplaced(), 1.0))
    else:
        pack.program.limit(pack.unplaced(), most=0.0)
    start = pack.start(_held(quick.placed, task.stock, {}), quick.unplaced)
    *most, least = lexicographic(pack.program, costs, start, time_limit_seconds=time_limit_seconds)
    placed, unplaced = realise(pack.read(least.values), task.needs, task.stock, {})
    cost = task.cost(placed)
    return Fleet(
        placed,
        unplaced,
        cost,
        task.moves(placed),
        EXACT,
        is_most=all(answer.optimal for answer in most),
        cost_bound=max(min(cost, cost - least.cost + least.bound), quick.cost_bound),
        moves_bound=quick.moves_bound,
    )


def _fewest_moves(task: Task, cheap: Fleet, quick: Fleet, time_limit_seconds: float) -> Fleet:
    """Solve again, no dearer and with no fewer placed, for what stays."""
    members = _members(task)
    kinds = {Kind(product): task.stock.size(product) for product in task.products}
    for kind, gpus in members.items():
        kinds[kind], kinds[Kind(kind.product)] = len(gpus), kinds[Kind(kind.product)] - len(gpus)
    pack = Pack(task.needs, kinds)
    as_good = quick.cost - cheap.cost < task.prices.step and quick.unplaced.total() == cheap.unplaced.total()
    known = quick if as_good and quick.moves < cheap.moves else cheap
    moved, cost = pack.moved(), pack.cost(task.prices)
    start = pack.start(_held(known.placed, task.stock, members), known.unplaced)
    pack.program.limit(pack.unplaced(), most=total(pack.unplaced(), start))
    pack.program.limit(cost, most=total(cost, start) + task.prices.step * 1e-6)
    stays = pack.program.minimise(moved, step=1.0, time_limit_seconds=time_limit_seconds, start=start)
    placed, unplaced = realise(pack.read(stays.values), task.needs, task.stock, members)
    standing = sum(map(len, task.stock.standing.values()))
    return replace(
        cheap,
        placed=placed,
        unplaced=unplaced,
        moves=task.moves(placed),
        moves_bound=max(quick.moves_bound, standing + round(stays.bound)),
    )


def _members(task: Task) -> dict[Kind, list[int]]:
    """GPUs by what stands on them and is still wanted.

    Whose it is only matters where a service may want fewer than stand.
    """
    wanted = {(n.service, n.cheapest): n.most(n.cheapest) for n in task.needs if not n.is_choice}
    standing = Counter((held.service, held.profile) for found in task.stock.standing.values() for held in found)
    sure = {label for label, count in wanted.items() if standing[label] <= count}
    members: dict[Kind, list[int]] = {}
    for gpu, found in sorted(task.stock.standing.items()):
        kept = (replace(h, service=ANYONE) if (h.service, h.profile) in sure else h for h in found)
        if found:
            members.setdefault(Kind(task.stock.product_of(gpu) or "", tuple(sorted(kept))), []).append(gpu)
    return members


def _held(placed: Placed, stock: Stock, members: Mapping[Kind, Sequence[int]]) -> Iterator[tuple[Kind, Counter[Label]]]:
    kinds = {gpu: kind for kind, gpus in members.items() for gpu in gpus}
    for gpu, found in placed.items():
        kind = kinds.get(gpu) or Kind(stock.product_of(gpu) or "")
        yield kind, Counter((held.service, held.profile) for held in found)
