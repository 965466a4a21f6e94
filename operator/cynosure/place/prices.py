"""What a placement is to keep low: GPUs, money, or power."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, gcd
from types import MappingProxyType
from typing import Final

from cynosure.model.mig import geometry_of

NOTHING: Final[Mapping[str, float]] = MappingProxyType({})

BOARD_WATTS: Final = MappingProxyType(
    {
        "A30-24GB": 165,
        "A100-40GB": 400,
        "A100-80GB": 400,
        "H100-80GB": 700,
        "H100-94GB": 400,
        "H100-96GB": 700,
        "H200-141GB": 700,
        "B200-180GB": 1000,
    }
)
"""Largest power of the SXM boards (A30, H100-94GB: PCIe) by NVIDIA's data sheets."""

_IDLE_SHARE = 0.125
"""Of the board power, where nothing better is known: ``nvidia-smi`` shows about 50 W of 400 W on an idle A100."""
_UNKNOWN_WATTS: Final = 400.0
_PLACES: Final = 1000


@dataclass(frozen=True, slots=True)
class Prices:
    """By product: of a GPU in use (1 where none is given), and of all its compute slices in use.

    Costs that differ by less than ``step`` are as good as equal; ``unit`` of them make one of what is shown.
    """

    per_gpu: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    per_compute: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    step: float = 1.0
    unit: float = 1.0

    def of_gpu(self, product: str) -> float:
        return self.per_gpu.get(product, 1.0)

    def of_partition(self, product: str, profile: str) -> float:
        price = self.per_compute.get(product, 0.0)
        return price * geometry_of(product).gpu_share(profile) if price else 0.0

    def round_up(self, bound: float) -> float:
        """Where all costs are multiples of the step, a bound may be rounded up to the next."""
        if any(self.per_compute.values()) or any(price % self.step for price in self.per_gpu.values()):
            return bound
        return ceil(bound / self.step - 1e-6) * self.step


GPUS: Final = Prices()
"""Every GPU counts 1."""


def money(cost_per_hour: Mapping[str, float]) -> Prices:
    """Return the prices of GPUs in use, in whole thousandths, so that a bound can be rounded up to the next."""
    prices = {product: max(1, round(cost * _PLACES)) for product, cost in cost_per_hour.items()}
    step = gcd(*prices.values())
    return Prices({product: float(price) for product, price in prices.items()}, step=float(step), unit=_PLACES)


def power(products: Iterable[str], idle_watts: Mapping[str, float], peak_watts: Mapping[str, float]) -> Prices:
    """Return the watts of an idle GPU, and of its compute slices at full load; by the data sheets where not stated."""
    idle, loaded = {}, {}
    for product in products:
        peak = peak_watts.get(product, BOARD_WATTS.get(product, _UNKNOWN_WATTS))
        idle[product] = idle_watts.get(product, _IDLE_SHARE * peak)
        loaded[product] = max(0.0, peak - idle[product])
    return Prices(idle, loaded)
