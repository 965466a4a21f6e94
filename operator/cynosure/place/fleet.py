"""A whole fleet anew: everything placed, at the least cost, with the fewest moves, and what is proven of each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter

from cynosure.place.choices import Kind, Label
from cynosure.place.greedy import Placed
from cynosure.place.integer_program import HIGHS, Answer, IntegerProgram
from cynosure.place.milp import Solver
from cynosure.place.need import Need, Stock
from cynosure.place.pack import Pack
from cynosure.place.portfolio import by_rules
from cynosure.place.prices import GPUS, Prices
from cynosure.place.realise import realise
from cynosure.place.relax import relax
from cynosure.place.stay import MOST_KINDS, members_of, settled
from cynosure.place.task import Fleet, Task, task_of

MOST_CHOICES = 300
"""With more services that leave a choice, the program that decides all of them together takes too long."""

_WORTH_KEEPING = (0.05, 0.0005)
"""In GPUs, for a partition that stands."""
_LEAST_SECONDS = 1.0
"""For a program without a choice, which takes milliseconds."""


def place_fleet(
    needs: Sequence[Need],
    stock: Stock,
    prices: Prices = GPUS,
    *,
    time_limit_seconds: float = 10.0,
    solver: Solver = HIGHS,
) -> Fleet:
    """Place as many partitions as there is room for, at the least cost, and so with the fewest moves.

    First rules are tried; if one meets the bounds that are simply counted, nothing is left to prove. Otherwise a
    program that sees no difference between GPUs finds the cost, and where something stands a second one, held at that
    cost, what may stay. The answer is never worse than that of the rules. The same input gives the same answer, unless
    the time limit cuts the search short; then it is not said to be optimal.
    """
    end = perf_counter() + time_limit_seconds
    task, gone = task_of(needs, stock, prices, solver)
    fleet = by_rules(task)
    if not fleet.is_optimal(prices) and task.choices:
        fleet = by_prices(task, fleet, end)
    if not fleet.is_cheapest(prices) and len(task.choices) <= MOST_CHOICES:
        seconds = (end - perf_counter()) / (2 if task.stands else 1)
        fleet, bound, is_most = packed(task, task, fleet, seconds)
        fleet = replace(fleet, is_most=is_most, cost_bound=min(fleet.cost, max(bound, fleet.cost_bound)))
    if fleet.moves > fleet.moves_bound:
        fleet = _fewest_moves(task, fleet, end)
    return replace(fleet, moves=fleet.moves + gone, moves_bound=fleet.moves_bound + gone)


def by_prices(task: Task, best: Fleet, end: float) -> Fleet:
    """Choose partitions by their prices, then pack those; first with a will to keep what stands, then without."""
    bound, standing = best.cost_bound, task.standing
    for worth_keeping in _WORTH_KEEPING if standing else (0.0,):
        needs, found = _by_price(task, standing, worth_keeping)
        bound = max(bound, task.prices.round_up(task.fixed_cost + found))
        seconds = max(_LEAST_SECONDS, (end - perf_counter()) / 4)
        best, *_ = packed(replace(task, needs=needs), task, best, seconds)
    if best.unplaced:
        return best
    return replace(best, is_most=True, cost_bound=min(best.cost, bound))


def _by_price(task: Task, standing: Mapping[Label, int], worth_keeping: float) -> tuple[list[Need], float]:
    """Return needs that leave no choice, and a bound on the cost of GPUs and of what is chosen."""
    needs, bound = [need for need in task.needs if not need.is_choice], 0.0
    for product, services in task.services.items():
        mine = [need for need in task.choices if need.service in services]
        fixed = Counter[str]()
        for need in needs:
            if need.service in services:
                fixed[need.cheapest] += need.most(need.cheapest)
        if mine:
            relaxed = relax(mine, fixed, task.prices, standing, worth_keeping)
            needs += [Need(s, product, count, {p: 1.0}) for (s, p), count in relaxed.chosen.items()]
            bound += relaxed.bound
    return needs, bound


def packed(task: Task, whole: Task, best: Fleet, seconds: float) -> tuple[Fleet, float, bool]:
    """Solve without regard to what stands; ``whole`` has the choice that ``task`` may have settled.

    :return: the better answer, a bound on the cost of placing as many, and whether that is proven to be the most.
    """
    end = perf_counter() + seconds
    pack = Pack(task.needs, _sizes(task), IntegerProgram(task.solver))
    lacking, is_most, answers = float(best.unplaced.total()), not best.unplaced, list[Answer]()
    if lacking:
        most = pack.program.minimise(pack.unplaced(), step=1.0, time_limit_seconds=seconds / 2)
        lacking = min(lacking, most.cost)
        is_most = most.bound > lacking - 1
        answers.append(most)
    pack.program.limit(pack.unplaced(), most=lacking)
    left = end - perf_counter()
    answers.append(pack.program.minimise(pack.cost(task.prices), step=task.prices.step, time_limit_seconds=left))
    packings = [pack.read(answer.values) for answer in answers if answer.values is not None]
    found = [_fleet(whole, best, realise(packing, task.needs, task.stock, {})) for packing in packings]
    fleet = min([best, *found], key=lambda fleet: fleet.rank)
    if fleet.unplaced.total() > lacking:  # what is proven holds for answers that place more
        return fleet, 0.0, False
    return fleet, task.fixed_cost + answers[-1].bound, is_most


def _fewest_moves(task: Task, cheap: Fleet, end: float) -> Fleet:
    """Solve again, no dearer and with no fewer placed, for what stays.

    First with the choices settled, which is quick; then, where that leaves something to prove and there are few kinds
    of GPUs, with everything open.
    """
    needs, stock, bound = settled(task, cheap, end)
    fleet = replace(cheap, moves_bound=max(cheap.moves_bound, min(cheap.moves, bound)))
    fleet, _ = _stayed(replace(task, needs=needs, stock=stock), task, fleet, end)
    if fleet.moves <= fleet.moves_bound or len(members_of(task)) > MOST_KINDS or perf_counter() > end:
        return fleet
    fleet, bound = _stayed(task, task, fleet, end)
    return replace(fleet, moves_bound=max(fleet.moves_bound, min(fleet.moves, bound)))


def _stayed(part: Task, task: Task, best: Fleet, end: float) -> tuple[Fleet, int]:
    """Solve ``part`` for the fewest moves. :return: the better answer to ``task``, and a bound if it is the whole."""
    members = members_of(part)
    pack = Pack(part.needs, _kinds(task, members), IntegerProgram(task.solver))
    pack.program.limit(pack.unplaced(), most=float(best.unplaced.total()))
    pack.program.limit(pack.cost(task.prices), most=part.most_cost(best.cost))
    moved = pack.program.minimise(pack.moved(), step=1.0, time_limit_seconds=end - perf_counter())
    found = [best]
    if moved.values is not None:
        found.append(_fleet(task, best, realise(pack.read(moved.values), part.needs, part.stock, members)))
    bound = task.stands + round(max(moved.bound, -task.stands))
    return min(found, key=lambda fleet: fleet.rank), bound


def _kinds(task: Task, members: Mapping[Kind, Sequence[int]]) -> dict[Kind, float]:
    """How many GPUs there are of each kind: those of which nothing stands may stay are all alike."""
    kinds = _sizes(task)
    for kind, gpus in members.items():
        kinds[kind] = len(gpus)
        kinds[Kind(kind.product)] -= len(gpus)
    return kinds


def _sizes(task: Task) -> dict[Kind, float]:
    return {Kind(product): task.stock.size(product) for product in task.services}


def _fleet(task: Task, proven: Fleet, placed: Placed) -> Fleet:
    unplaced, cost, moves = task.lacking(placed), task.cost(placed), task.moves(placed)
    solver = f"pattern-ilp/{task.solver.name}"
    return replace(proven, placed=placed, unplaced=unplaced, cost=cost, moves=moves, solver=solver)
