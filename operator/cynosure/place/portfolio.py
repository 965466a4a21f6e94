"""The rules, one after the other: the millisecond path, and what no answer may be worse than."""

from collections import Counter

from cynosure.place.bounds import fewest_moves, least_cost
from cynosure.place.choices import Label
from cynosure.place.greedy import Placed, efficient, large_first, place_greedily
from cynosure.place.rules import Rule, best_region, first_fit, fragmentation_gradient, most_open
from cynosure.place.task import Fleet, Task

_MOST_PARTITIONS = 50
"""With more, the exact program is quicker than another rule."""


def by_rules(task: Task) -> Fleet:
    """Keep what is still wanted, place the rest large first by each rule, and return the best answer.

    It stops at the first that is proven by what can be counted.
    """
    wanted = Counter[Label]()
    for need in task.needs:
        wanted.update({(need.service, name): count for name, count in efficient(need).items()})
    found: list[Fleet] = []
    for name, rule in _rules(wanted).items():
        found.append(by_rule(task, wanted.copy(), rule, f"large-first/{name}"))
        if found[-1].is_optimal(task.prices) or wanted.total() > _MOST_PARTITIONS:
            break
    return min(found, key=lambda fleet: fleet.rank)


def _rules(wanted: Counter[Label]) -> dict[str, Rule]:
    popular: Counter[str] = Counter()
    for (_, profile), count in wanted.items():
        popular[profile] += count
    shares = {profile: count / popular.total() for profile, count in popular.items()}
    return {
        "most-open": most_open,
        "first-fit": first_fit,
        "best-region": best_region,
        "fragmentation-gradient": fragmentation_gradient(shares),
    }


def by_rule(task: Task, wanted: Counter[Label], rule: Rule, name: str) -> Fleet:
    placed: Placed = task.stock.kept(wanted)
    for product, services in task.services.items():
        items = large_first({label: n for label, n in wanted.items() if label[0] in services}, product)
        placed, _ = place_greedily(items, product, task.stock, rule, placed)
    lacking = task.lacking(placed)
    bound = least_cost(task.needs, task.prices) if not lacking else 0.0
    moves = fewest_moves(task.needs, task.stock)
    return Fleet(placed, lacking, task.cost(placed), task.moves(placed), name, not lacking, bound, moves)
