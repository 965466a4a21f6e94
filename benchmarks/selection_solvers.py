"""The configurations among which one is chosen: each places a fleet by itself, within a limit of time.

They share the model and differ in what is left to whom. What counts is how many partitions are placed, then the cost;
moves are not looked at, as the step that saves them comes after all of these alike.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from time import perf_counter, process_time

from cynosure.place.by_cp_sat import CpSat
from cynosure.place.by_highs import Highs
from cynosure.place.choices import Label
from cynosure.place.fleet import by_prices, packed, place_fleet
from cynosure.place.greedy import Placed, efficient, place_greedily
from cynosure.place.milp import Solver
from cynosure.place.need import Need, Stock
from cynosure.place.portfolio import by_rule, by_rules
from cynosure.place.prices import GPUS
from cynosure.place.rules import Rule, best_region, first_fit, fragmentation_gradient, most_open
from cynosure.place.task import Fleet, Task, task_of
from selection_instances import Instance

LIMIT_SECONDS = 0.5
_NEIGHBOURHOOD = 12
"""GPUs that are emptied and placed anew in one round of the large-neighbourhood search."""
_FRUITLESS = 8

Configuration = Callable[[Instance, float], Fleet]
"""Instance and limit in seconds."""


@dataclass(frozen=True, slots=True)
class Run:
    """``seconds`` of CPU: solvers run on one thread, and others may use the machine."""

    unplaced: int
    cost: float
    bound: float
    seconds: float


def warm(instance: Instance) -> None:
    """Fill the caches of layouts, so that nobody pays for what all use."""
    _rules(instance, 0.0)
    _exact(CpSat())(instance, 0.01)


def run(configuration: Configuration, instance: Instance) -> Run:
    began = process_time()
    fleet = configuration(instance, LIMIT_SECONDS)
    seconds = process_time() - began
    return Run(fleet.unplaced.total(), fleet.cost, fleet.cost_bound if fleet.is_most else 0.0, seconds)


def _task(instance: Instance, solver: Solver = Highs()) -> Task:  # noqa: B008  (frozen)
    return task_of(instance.needs, instance.stock, GPUS, solver)[0]


def _wanted(task: Task) -> Counter[Label]:
    return Counter({(need.service, name): n for need in task.needs for name, n in efficient(need).items()})


def _rule(rule: Rule) -> Configuration:
    return lambda instance, _: by_rule((task := _task(instance)), _wanted(task), rule, "rule")


def _gradient(instance: Instance, _: float) -> Fleet:
    wanted = _wanted(task := _task(instance))
    popular: Counter[str] = Counter()
    for (_service, profile), count in wanted.items():
        popular[profile] += count
    shares = {name: count / popular.total() for name, count in popular.items()}
    return by_rule(task, wanted, fragmentation_gradient(shares), "fragmentation-gradient")


def _parvagpu(instance: Instance, _: float) -> Fleet:
    """In the order of the services and beside what stands, as a scheduler would: first fit without sorting."""
    task = _task(instance)
    wanted = _wanted(task)
    placed: Placed = task.stock.kept(wanted)
    for product, services in task.services.items():
        items = [label for label, count in wanted.items() if label[0] in services for _ in range(count)]
        placed, _lacking = place_greedily(items, product, task.stock, first_fit, placed)
    lacking = task.lacking(placed)
    return Fleet(placed, lacking, task.cost(placed), 0, "unsorted", not lacking, 0.0, 0)


def _rules(instance: Instance, _: float) -> Fleet:
    return by_rules(_task(instance))


def _exact(solver: Solver) -> Configuration:
    """The whole program, after one rule that gives it nothing but something to fall back on."""

    def place(instance: Instance, seconds: float) -> Fleet:
        task = _task(instance, solver)
        quick = by_rule(task, _wanted(task), most_open, "most-open")
        fleet, bound, is_most = packed(task, task, quick, seconds)
        return replace(fleet, is_most=is_most, cost_bound=bound)

    return place


def _priced(solver: Solver) -> Configuration:
    """Partitions are chosen by prices, and only packed by the program."""

    def place(instance: Instance, seconds: float) -> Fleet:
        task = _task(instance, solver)
        quick = by_rule(task, _wanted(task), most_open, "most-open")
        return by_prices(task, quick, perf_counter() + seconds)

    return place


def _neighbourhoods(instance: Instance, seconds: float) -> Fleet:
    """Empty a few GPUs at a time, the less filled the likelier, and place what stood there on as few as can be."""
    end, chance, task = perf_counter() + seconds, Random(1), _task(instance)
    best, fruitless = by_rule(task, _wanted(task), most_open, "most-open"), 0
    while fruitless < _FRUITLESS and perf_counter() < end and not best.is_cheapest(GPUS):
        product = chance.choice(sorted(task.services))
        mine = sorted(gpu for gpu in best.placed if task.stock.product_of(gpu) == product)
        if len(mine) < 2:
            break
        mine.sort(key=lambda gpu: len(best.placed[gpu]) * chance.random())
        after = _repacked(best.placed, mine[:_NEIGHBOURHOOD], product, end - perf_counter())
        fruitless = 0 if len(after) < len(best.placed) else fruitless + 1
        best = replace(best, placed=after, cost=task.cost(after))
    return best


def _repacked(placed: Placed, gpus: list[int], product: str, seconds: float) -> Placed:
    counts = Counter((held.service, held.profile) for gpu in gpus for held in placed[gpu])
    needs = [Need(service, product, count, {profile: 1.0}) for (service, profile), count in sorted(counts.items())]
    # A service may stand there with several profiles: each is a need of its own.
    fleet = place_fleet(needs, Stock(dict.fromkeys(gpus, product)), time_limit_seconds=seconds)
    if fleet.unplaced or len(fleet.placed) >= len(gpus):
        return placed
    return {gpu: held for gpu, held in placed.items() if gpu not in gpus} | fleet.placed


def _chain(within: float) -> Configuration:
    """What Cynosure does: rules, then prices, then the program, each only if the ones before left something open.

    ``within``: it stops as soon as its own bound shows that the answer is so close to the best.
    """

    def place(instance: Instance, seconds: float) -> Fleet:
        task = _task(instance)
        end, fleet = perf_counter() + seconds, by_rules(task)
        if not fleet.is_cheapest(GPUS) and task.choices:
            fleet = by_prices(task, fleet, end)
        if not (fleet.is_cheapest(GPUS) or (fleet.is_most and fleet.cost <= within * fleet.cost_bound)):
            fleet, bound, is_most = packed(task, task, fleet, end - perf_counter())
            fleet = replace(fleet, is_most=is_most, cost_bound=max(bound, fleet.cost_bound))
        return fleet

    return place


CHAINS: Mapping[str, Configuration] = {"chain": _chain(1.0), "chain/1%": _chain(1.01)}
"""They run several of the others in turn: what to beat, and not among what is chosen from."""
CONFIGURATIONS: Mapping[str, Configuration] = {
    "first-fit-unsorted": _parvagpu,
    "first-fit": _rule(first_fit),
    "best-region": _rule(best_region),
    "most-open": _rule(most_open),
    "fragmentation-gradient": _gradient,
    "rules": _rules,
    "neighbourhoods": _neighbourhoods,
    "prices/highs": _priced(Highs()),
    "prices/cp-sat": _priced(CpSat()),
    "highs": _exact(Highs()),
    "highs/no-presolve": _exact(Highs(options={"presolve": "off"})),
    "highs/1%": _exact(Highs(options={"mip_rel_gap": 0.01})),
    "cp-sat/no-presolve": _exact(CpSat(parameters={"cp_model_presolve": False})),
    "cp-sat/linear": _exact(CpSat(parameters={"linearization_level": 2})),
    **CHAINS,
}
