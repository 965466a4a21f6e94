"""From GPUClass objects to what a pass knows of GPU products."""

from collections.abc import Iterable

from cynosure.api import GPUClass
from cynosure.api.gpu_class import Price
from cynosure.model.gpu import GpuClass

DEFAULT_REGION = "default"


def classes_of(found: Iterable[GPUClass]) -> dict[str, GpuClass]:
    """By product; of two objects for one product the one whose name sorts first counts."""
    ordered = sorted(found, key=lambda each: each.metadata.name, reverse=True)
    return {
        each.spec.product: GpuClass(each.spec.product, _prices(each.spec.prices), each.spec.confidential)
        for each in ordered
    }


def _prices(prices: Iterable[Price]) -> dict[str, float]:
    """By currency: that of the default region, else the highest, so that no limit is exceeded unknowingly."""
    found: dict[str, float] = {}
    for price in sorted(prices, key=lambda p: (p.region == DEFAULT_REGION, p.per_hour)):
        found[price.currency] = float(price.per_hour)
    return found
