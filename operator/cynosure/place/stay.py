"""Which GPUs look alike when something stands on them, and what is settled beforehand where too few of them do."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from time import perf_counter

from cynosure.place.bounds import fewest_moves
from cynosure.place.choices import ANYONE, Kind, Label
from cynosure.place.integer_program import IntegerProgram
from cynosure.place.need import Need, Stock
from cynosure.place.pack import Pack
from cynosure.place.task import Fleet, Task

MOST_KINDS = 120
"""With more kinds of GPUs than this, deciding at once what stays takes too long."""

_MOST_CHOICES = 300
"""With more services that leave a choice, what was chosen is kept."""


def members_of(task: Task) -> dict[Kind, list[int]]:
    """Return the GPUs of each kind on which something stands.

    Whose a partition is only matters where its service may want fewer than stand.
    """
    standing = task.standing
    wanted = {(n.service, n.cheapest): n.most(n.cheapest) for n in task.needs if not n.is_choice}
    sure = {label for label, count in wanted.items() if standing[label] <= count}
    members: dict[Kind, list[int]] = {}
    for gpu, found in sorted(task.stock.standing.items()):
        kept = (replace(h, service=ANYONE) if (h.service, h.profile) in sure else h for h in found)
        if found:
            members.setdefault(Kind(task.stock.product_of(gpu) or "", tuple(sorted(kept))), []).append(gpu)
    return members


def settled(task: Task, best: Fleet, end: float) -> tuple[Sequence[Need], Stock, int]:
    """Settle which partitions serve each rate, close to those that stand, and which of a surplus go.

    :return: needs without a choice, what may stay, and a bound on the moves of any answer that is as good.
    """
    fixed, choices = [need for need in task.needs if not need.is_choice], task.choices
    needs, bound = fixed, fewest_moves(fixed, task.stock.only({need.service for need in fixed}))
    if choices:
        chosen, lost = _chosen(task, best, end)
        product = {need.service: need.product for need in choices}
        needs = [*fixed, *(Need(s, product[s], count, {p: 1.0}) for (s, p), count in sorted(chosen.items()))]
        bound += lost
    wanted = Counter({(need.service, need.cheapest): need.most(need.cheapest) for need in needs})
    return needs, replace(task.stock, standing=task.stock.kept(wanted)), bound


def _chosen(task: Task, best: Fleet, end: float) -> tuple[Counter[Label], int]:
    """Choose partitions for the rates, as few other ones than stand as the cost allows. :return: how few, too."""
    kinds = {Kind(product): task.stock.size(product) for product in task.services}
    pack = Pack(task.needs, kinds, IntegerProgram(task.solver))
    pack.program.limit(pack.unplaced(), most=float(best.unplaced.total()))
    pack.program.limit(pack.cost(task.prices), most=task.most_cost(best.cost))
    left = end - perf_counter() if len(task.choices) <= _MOST_CHOICES else 0.0
    lost = pack.program.minimise(pack.lost(task.standing), step=1.0, time_limit_seconds=left / 2)
    bound = max(0, round(lost.bound)) if isfinite(lost.bound) else 0
    services = {need.service for need in task.needs if need.is_choice}
    if lost.values is None:
        counts = replace(task, stock=replace(task.stock, standing=best.placed)).standing + best.unplaced
        return Counter({label: count for label, count in counts.items() if label[0] in services}), bound
    packing = pack.read(lost.values)
    short = {(n.service, n.cheapest): packing.short[n.service] for n in task.needs if n.service in packing.short}
    return Counter(packing.chosen) + Counter(short), bound
