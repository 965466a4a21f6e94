"""What a service promises and may use: its spec, its budget and the intents in force together; the strictest counts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from cynosure.model.bounds import ServiceBounds
from cynosure.model.service import Apart, Service, ServiceKey, Spread, Target

_N = TypeVar("_N", int, float)


def targets_of(service: Service, bounds: ServiceBounds, headroom: float = 1.0) -> tuple[Target, ...]:
    """Return the strictest limit for each metric and percentile, times ``headroom``."""
    strictest: dict[tuple[str, float], Target] = {}
    for target in (*service.targets, *bounds.targets):
        key = (target.metric, target.percentile)
        if key not in strictest or target.milliseconds < strictest[key].milliseconds:
            strictest[key] = target
    return tuple(replace(t, milliseconds=t.milliseconds * headroom) for t in strictest.values())


def gpu_limit(service: Service, bounds: ServiceBounds) -> int | None:
    return least((service.budget.gpus, bounds.max_gpus))


def spreading_of(services: Iterable[Service]) -> tuple[Mapping[ServiceKey, tuple[Spread, ...]], tuple[Apart, ...]]:
    """How services are spread, and which are kept apart."""
    known = tuple(services)
    return {s.key: s.spread for s in known if s.spread}, tuple(rule for s in known for rule in s.apart)


def least(values: Iterable[_N | None]) -> _N | None:
    return min((value for value in values if value is not None), default=None)
