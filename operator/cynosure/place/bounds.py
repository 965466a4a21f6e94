"""What can be counted without solving anything: no placement does better."""

from collections import Counter
from collections.abc import Sequence
from math import ceil

from cynosure.model.mig import geometry_of
from cynosure.place.choices import Label
from cynosure.place.need import Need, Stock
from cynosure.place.prices import Prices

_ROUNDING = 1e-9


def least_cost(needs: Sequence[Need], prices: Prices) -> float:
    """Return a bound on the cost of everything: GPUs that the slices in sum fill, and the cheapest partitions."""
    gpus = sum(prices.of_gpu(product) * _fewest_gpus(needs, product) for product in {need.product for need in needs})
    return gpus + sum(_least(need, {p: prices.of_partition(need.product, p) for p in need.choices}) for need in needs)


def fewest_moves(needs: Sequence[Need], stock: Stock) -> int:
    """Return how many of the partitions that stand are more than is wanted."""
    most: Counter[Label] = Counter({(need.service, p): need.most(p) for need in needs for p in need.choices})
    standing = Counter((held.service, held.profile) for found in stock.standing.values() for held in found)
    return (standing - most).total()


def _fewest_gpus(needs: Sequence[Need], product: str) -> int:
    geometry, mine = geometry_of(product), [need for need in needs if need.product == product]
    profiles = {profile.name: profile for profile in geometry.profiles}
    compute = sum(_least(need, {p: profiles[p].compute_slices for p in need.choices}) for need in mine)
    memory = sum(_least(need, {p: profiles[p].memory_slices for p in need.choices}) for need in mine)
    return ceil(max(compute / geometry.compute_slices, memory / geometry.memory_slices) - _ROUNDING)


def _least(need: Need, weights: dict[str, float]) -> float:
    """Return the least weight that meets a need, parts of partitions allowed where there is a choice."""
    if not need.is_choice:
        return need.most(need.cheapest) * weights[need.cheapest]
    return min(need.amount * weights[name] / need.worth[name] for name in need.choices)
