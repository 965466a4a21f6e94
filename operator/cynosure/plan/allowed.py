"""How many replicas of one partition a service may have, by everything that limits it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cynosure.model.bounds import Bounds
from cynosure.model.calendar import open_window
from cynosure.model.gpu import GpuClass
from cynosure.model.mig import geometry_of
from cynosure.model.plan import Option
from cynosure.model.service import Service
from cynosure.plan.limits import gpu_limit, least


@dataclass(frozen=True, slots=True)
class Allowed:
    """``most`` of one partition, and what says so when it is less than ``spec.scale.max``.

    ``unpriced``: a limit on cost that cannot be kept, as no price is known; the replicas stay until one is.
    """

    fewest: int
    most: int
    pinned: int | None
    because: str = ""
    unpriced: str | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """``replicas`` are there; what is decided takes effect at ``ready_by_seconds``; ``classes`` by GPU product."""

    seconds: float
    ready_by_seconds: float
    replicas: int
    classes: Mapping[str, GpuClass]


def allowed(service: Service, cluster: Bounds, option: Option, now: Now) -> Allowed:
    """Return the limits of the replicas of one partition. A maximum below the minimum wins: limits protect."""
    bounds = cluster.of(service.key)
    scheduled = open_window((*service.schedules, *bounds.schedules), now.seconds, now.ready_by_seconds)
    fewest = max(service.min_replicas, bounds.min_replicas or 0, scheduled.least or 0)
    watts = least((service.budget.watts, bounds.max_watts, cluster.max_watts))
    by_cost, unpriced = _by_cost(service, cluster, option, now.classes)
    caps = {
        "scale.max": max(service.max_replicas, bounds.raised_max or 0),
        "a schedule": scheduled.most,
        "an intent": bounds.max_replicas,
        "the limit on GPUs": _by_gpus(least((gpu_limit(service, bounds), cluster.max_gpus)), option),
        "the limit on watts": _number(watts, option.watts / max(option.replicas, 1)),
        "the limit on cost": by_cost,
        "the limit on cost, without a price": max(now.replicas, fewest) if unpriced else None,
    }
    stated = {name: cap for name, cap in caps.items() if cap is not None}
    tightest = min(stated, key=lambda name: stated[name])
    most = max(0, stated[tightest])
    pinned = bounds.pinned_replicas or service.pinned_replicas
    told = f"{tightest} ({most})"
    return Allowed(min(fewest, most), most, None if pinned is None else min(pinned, most), told, unpriced)


def price_per_hour(option: Option, found: GpuClass | None, currency: str) -> float | None:
    """Return what one replica costs; None where no price is known."""
    price = found.prices.get(currency) if found else None
    return None if price is None else price * option.gpu_share / max(option.replicas, 1)


def _by_cost(
    service: Service, cluster: Bounds, option: Option, classes: Mapping[str, GpuClass]
) -> tuple[int | None, str | None]:
    """Return the most replicas within the limits on cost that have a price, and which has none."""
    caps, unpriced = list[int](), None
    for limit, currency in _cost_limits(service, cluster):
        each = price_per_hour(option, classes.get(option.gpu_product), currency)
        if each is None:
            unpriced = f"no GPUClass has a price of {option.gpu_product} in {currency}"
        elif (number := _number(limit, each)) is not None:
            caps.append(number)
    return min(caps, default=None), unpriced


def _cost_limits(service: Service, cluster: Bounds) -> Iterator[tuple[float, str]]:
    budget = service.budget
    pairs = (
        (budget.cost_per_hour, budget.currency),
        (cluster.of(service.key).max_cost_per_hour, cluster.currency),
        (cluster.max_cost_per_hour, cluster.currency),
    )
    return ((limit, currency) for limit, currency in pairs if limit is not None)


def _by_gpus(gpus: float | None, option: Option) -> int | None:
    profile = geometry_of(option.gpu_product).profile(option.partition)
    return None if gpus is None or profile is None else int(gpus) * profile.most


def _number(limit: float | None, each: float) -> int | None:
    """How many of ``each`` are within the limit; what uses nothing is not limited."""
    return None if limit is None or each <= 0 else int(limit / each + 1e-9)
