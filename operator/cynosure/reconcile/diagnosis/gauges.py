"""What only a diagnosis asks of Prometheus: power and clocks of GPUs, and which series a service has at all."""

import logging
import math
from dataclasses import dataclass

from cynosure.errors import Unavailable
from cynosure.model.service import ServiceKey
from cynosure.observe.prometheus import Metrics, Sample
from cynosure.observe.promql import quoted

log = logging.getLogger(__name__)

POWER = "max by (UUID) (DCGM_FI_DEV_POWER_USAGE)"
"""Watts, as NVIDIA's DCGM exporter names it; the labels of its series have the UUID of the GPU."""
THROTTLE = "max by (UUID) (DCGM_FI_DEV_CLOCKS_EVENT_REASONS or DCGM_FI_DEV_CLOCK_THROTTLE_REASONS)"
"""The bit mask of NVML; the first name is that of DCGM 4."""
_HOT = 0x08 | 0x20 | 0x40 | 0x80
"""Hardware slowdown, thermal by software and by hardware, power brake. A software power cap is ordinary under load."""


@dataclass(frozen=True, slots=True)
class GpuReading:
    """None: no exporter says."""

    watts: float | None = None
    throttled: bool | None = None


async def gpu_readings(metrics: Metrics) -> dict[str, GpuReading]:
    """By UUID; empty where nothing exports them, which is no fault."""
    watts, masks = await _by_uuid(metrics, POWER), await _by_uuid(metrics, THROTTLE)
    return {
        uuid: GpuReading(watts.get(uuid), bool(int(masks[uuid]) & _HOT) if uuid in masks else None)
        for uuid in watts.keys() | masks.keys()
    }


async def series_of(metrics: Metrics, key: ServiceKey) -> frozenset[str] | None:
    """The names of all series of a service; None when Prometheus does not answer."""
    selector = f"{{namespace={quoted(key.namespace)}, service={quoted(key.name)}}}"
    samples = await _asked(metrics, f"count by (__name__) ({selector})")
    return None if samples is None else frozenset(s.labels["__name__"] for s in samples if "__name__" in s.labels)


async def _by_uuid(metrics: Metrics, query: str) -> dict[str, float]:
    samples = await _asked(metrics, query) or []
    return {s.labels["UUID"]: s.value for s in samples if "UUID" in s.labels and math.isfinite(s.value)}


async def _asked(metrics: Metrics, query: str) -> list[Sample] | None:
    try:
        return await metrics.instant(query)
    except Unavailable as error:
        log.info("a diagnosis goes without", extra={"query": query, "error": str(error)})
        return None
