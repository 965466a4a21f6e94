"""What a service may have: its spec, its budget and the intents in force together; the strictest counts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.calendar import open_window
from cynosure.model.mig import geometry_of
from cynosure.model.plan import Option
from cynosure.model.service import Service, Target


@dataclass(frozen=True, slots=True)
class Allowed:
    """``most`` of one partition, and what says so when it is less than ``spec.scale.max``."""

    fewest: int
    most: int
    pinned: int | None
    because: str = ""


def targets_of(service: Service, bounds: ServiceBounds, headroom: float = 1.0) -> tuple[Target, ...]:
    """Return the strictest limit for each metric and percentile, times ``headroom``."""
    strictest: dict[tuple[str, float], Target] = {}
    for target in (*service.targets, *bounds.targets):
        key = (target.metric, target.percentile)
        if key not in strictest or target.milliseconds < strictest[key].milliseconds:
            strictest[key] = target
    return tuple(replace(t, milliseconds=t.milliseconds * headroom) for t in strictest.values())


def gpu_limit(service: Service, bounds: ServiceBounds) -> int | None:
    return _least((service.budget.gpus, bounds.max_gpus))


def allowed(service: Service, cluster: Bounds, option: Option, now_seconds: float, ready_by_seconds: float) -> Allowed:
    """Return the limits of the replicas of one partition. A maximum below the minimum wins: limits protect.

    What is decided now takes effect at ``ready_by_seconds``.
    """
    bounds = cluster.of(service.key)
    scheduled = open_window((*service.schedules, *bounds.schedules), now_seconds, ready_by_seconds)
    fewest = max(service.min_replicas, bounds.min_replicas or 0, scheduled.least or 0)
    caps = {
        "scale.max": service.max_replicas,
        "a schedule": scheduled.most,
        "an intent": bounds.max_replicas,
        "the limit on GPUs": _by_gpus(_least((gpu_limit(service, bounds), cluster.max_gpus)), option),
        "the limit on watts": _by_watts(_least((service.budget.watts, bounds.max_watts, cluster.max_watts)), option),
    }
    stated = {name: cap for name, cap in caps.items() if cap is not None}
    tightest = min(stated, key=lambda name: stated[name])
    most = max(0, stated[tightest])
    pinned = bounds.pinned_replicas or service.pinned_replicas
    return Allowed(min(fewest, most), most, None if pinned is None else min(pinned, most), f"{tightest} ({most})")


def _by_gpus(gpus: float | None, option: Option) -> int | None:
    profile = geometry_of(option.gpu_product).profile(option.partition)
    return None if gpus is None or profile is None else int(gpus) * profile.most


def _by_watts(watts: float | None, option: Option) -> int | None:
    each = option.watts / max(option.replicas, 1)
    return None if watts is None or each <= 0 else int(watts / each)


def _least(values: Iterable[float | None]) -> int | None:
    stated = [value for value in values if value is not None]
    return int(min(stated)) if stated else None
