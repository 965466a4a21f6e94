"""Fleets to be placed, drawn from families that are hard for different reasons; and what can be counted of one cheaply.

Each is made from its family and number alone, so labels can be kept by these.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from random import Random

import numpy as np
from cynosure.model.mig import Profile, geometry_of
from cynosure.place.greedy import Placed, efficient, large_first, place_greedily
from cynosure.place.need import Need, Stock
from cynosure.place.rules import first_fit

A100 = "A100-80GB"
PRODUCTS = (A100, "H100-80GB", "A30-24GB")
LEAST_GPUS, MOST_GPUS = 5, 300


@dataclass(frozen=True, slots=True)
class Instance:
    key: str
    family: str
    needs: tuple[Need, ...]
    stock: Stock


def profiles_of(product: str) -> list[Profile]:
    return [profile for profile in geometry_of(product).profiles if not profile.has_media]


def _gpus(chance: Random) -> int:
    """As many small fleets as large ones, on a logarithmic scale."""
    return round(LEAST_GPUS * (MOST_GPUS / LEAST_GPUS) ** chance.random())


def _fixed(chance: Random, product: str, gpus: int, skew: float = 1.0, name: str = "f") -> list[Need]:
    """Services with a number of partitions of one profile; ``skew`` favours small profiles, below 0 large ones."""
    found = profiles_of(product)
    weights = [profile.memory_slices**-skew for profile in found]
    services = chance.randint(2, max(3, gpus))
    kinds = chance.choices(found, weights, k=services)
    scale = geometry_of(product).compute_slices * gpus / sum(kind.compute_slices for kind in kinds)
    return [
        Need(f"{name}{n}", product, max(1, round(scale * chance.uniform(0.4, 1.6))), {kind.name: 1.0})
        for n, kind in enumerate(kinds)
    ]


def _rates(chance: Random, product: str, gpus: int, powers: tuple[float, float], name: str = "r") -> list[Need]:
    """Services with a rate each, whose throughput grows with the compute slices to a power from a range."""
    whole, needs = geometry_of(product).compute_slices, list[Need]()
    services = chance.randint(2, max(3, gpus))
    for number in range(services):
        power = chance.uniform(*powers)
        worth = {p.name: p.compute_slices**power * (1 + 0.05 * p.memory_slices) for p in profiles_of(product)}
        amount = whole * gpus / services * chance.lognormvariate(0, 0.7)
        needs.append(Need(f"{name}{number}", product, amount, worth))
    return needs


def _free(needs: Sequence[Need], product: str = A100) -> tuple[list[Need], Stock]:
    return list(needs), Stock({}, {}, product)


def fixed(chance: Random) -> tuple[list[Need], Stock]:
    return _free(_fixed(chance, A100, _gpus(chance), chance.uniform(-0.5, 1.0)))


def small(chance: Random) -> tuple[list[Need], Stock]:
    return _free(_fixed(chance, A100, _gpus(chance), 2.0))


def rates(chance: Random) -> tuple[list[Need], Stock]:
    return _free(_rates(chance, A100, _gpus(chance), (0.7, 1.1)))


def flat(chance: Random) -> tuple[list[Need], Stock]:
    """Rates for which the profiles are nearly worth their slices: many choices cost almost the same."""
    return _free(_rates(chance, A100, _gpus(chance), (0.97, 1.03)))


def mixed(chance: Random) -> tuple[list[Need], Stock]:
    gpus = _gpus(chance)
    return _free(_fixed(chance, A100, (gpus + 1) // 2) + _rates(chance, A100, (gpus + 1) // 2, (0.7, 1.1)))


def tight(chance: Random) -> tuple[list[Need], Stock]:
    """About as many GPUs as are asked for, too few as often as not."""
    gpus = _gpus(chance)
    make = _fixed(chance, A100, gpus) if chance.random() < 0.5 else _rates(chance, A100, gpus, (0.7, 1.1))
    return make, Stock(dict.fromkeys(range(max(2, round(gpus * chance.uniform(0.85, 1.15)))), A100))


def standing(chance: Random) -> tuple[list[Need], Stock]:
    """What first fit left standing, after services have shrunk and grown."""
    gpus = _gpus(chance)
    before = _fixed(chance, A100, gpus)
    counts = Counter({(need.service, need.cheapest): need.most(need.cheapest) for need in before})
    labels = large_first(counts, A100)
    chance.shuffle(labels)
    placed, _ = place_greedily(labels, A100, Stock({}, {}, A100), first_fit, {})
    left: Placed = {gpu: tuple(h for h in found if chance.random() < 0.7) for gpu, found in placed.items()}
    after = [
        Need(n.service, A100, max(1, round(n.amount * chance.choice((0.6, 0.8, 0.8, 1.0)))), n.worth) for n in before
    ]
    return after, Stock({}, {gpu: found for gpu, found in left.items() if found}, A100)


def products(chance: Random) -> tuple[list[Need], Stock]:
    """Two or three products side by side, of each as many GPUs as it may take."""
    needs, gpus, total = list[Need](), dict[int, str](), _gpus(chance)
    chosen = chance.sample(PRODUCTS, chance.randint(2, 3))
    for number, product in enumerate(chosen):
        share = max(2, total // len(chosen))
        needs += (
            _fixed(chance, product, share, 0.5, f"f{number}-")
            if chance.random() < 0.5
            else _rates(chance, product, share, (0.7, 1.1), f"r{number}-")
        )
        gpus |= dict.fromkeys(range(len(gpus), len(gpus) + round(share * 1.5) + 2), product)
    return needs, Stock(gpus)


FAMILIES: Mapping[str, Callable[[Random], tuple[list[Need], Stock]]] = {
    make.__name__: make for make in (fixed, small, rates, flat, mixed, tight, standing, products)
}


def instance_of(key: str) -> Instance:
    """Return the instance of ``family/number``; the same one every time."""
    family = key.partition("/")[0]
    needs, stock = FAMILIES[family](Random(key))
    return Instance(key, family, tuple(needs), stock)


FEATURES = (
    "services",
    "choices",
    "share_of_choices",
    "products",
    "partitions",
    "slices_of_demand",
    "gpus",
    "demand_per_slice",
    "profiles",
    "entropy_of_profiles",
    "share_of_smallest",
    "share_of_halves",
    "share_of_largest",
    "amount_mean",
    "amount_deviation",
    "largest_amount_share",
    "standing",
    "standing_per_partition",
    "gpus_in_use",
    "kinds_standing",
    "edges",
    "degree_mean",
    "degree_deviation",
    "degree_most",
    "spread_of_worth",
)
HAS_CHOICES, IS_LIMITED = FEATURES.index("choices"), FEATURES.index("gpus")


def features_of(instance: Instance) -> list[float]:
    """Count what :data:`FEATURES` names: demand, profiles, what stands, and degrees of the graph of the instance.

    The graph joins services with the profiles that may serve them, and partitions that stand with GPU and service.
    """
    needs, stock = instance.needs, instance.stock
    counts, slices, sizes = Counter[str](), 0.0, list[float]()
    for need in needs:
        geometry = geometry_of(need.product)
        for name, count in efficient(need).items():
            share = geometry.gpu_share(name)
            counts[_size(share)] += count
            slices += count * share
        sizes.append(need.most(need.cheapest))
    partitions, gpus = counts.total(), len(stock.products)
    held = [h for found in stock.standing.values() for h in found]
    alike = {tuple(sorted(h.spot for h in found)) for found in stock.standing.values()}
    joined = Counter(h.service for h in held)
    degrees = np.array([len(need.worth) + joined[need.service] for need in needs], dtype=float)
    shares = [count / partitions for count in counts.values() if count]
    return [
        len(needs),
        sum(need.is_choice for need in needs),
        sum(need.is_choice for need in needs) / len(needs),
        len({need.product for need in needs}),
        partitions,
        slices,
        gpus,
        slices / gpus if gpus else 0.0,
        len({(need.product, name) for need in needs for name in need.worth}),
        -sum(share * log(share) for share in shares),
        *(counts[size] / partitions for size in ("smallest", "half", "largest")),
        float(np.mean(sizes)),
        float(np.std(sizes)),
        max(sizes) / partitions,
        len(held),
        len(held) / partitions,
        len(stock.standing),
        len(alike),
        float(degrees.sum()),
        float(degrees.mean()),
        float(degrees.std()),
        float(degrees.max()),
        float(np.mean([_worth_spread(need) for need in needs])),
    ]


def _size(share: float) -> str:
    return "smallest" if share < 0.2 else "half" if share < 0.9 else "largest"


def _worth_spread(need: Need) -> float:
    """How unlike the profiles are in what they give for their slices."""
    share = geometry_of(need.product).gpu_share
    gives = [worth / share(name) for name, worth in need.worth.items()]
    return max(gives) / min(gives) - 1
