"""What a request costs: the CPU of a pod as a base and seconds of each functionality, fitted from a measured pod."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import Floats


@dataclass(frozen=True, slots=True)
class Costs:
    """base_cores: of a pod without requests. seconds: CPU seconds that one request takes, by functionality."""

    base_cores: float
    seconds: Mapping[str, float]

    def cores(self, requests_per_second: Mapping[str, Floats]) -> Floats:
        """Return the cores that a pod will use in each step. :raises BadLoadInput: a functionality has no cost."""
        unknown = sorted(requests_per_second.keys() - self.seconds.keys())
        if unknown:
            raise BadLoadInput(f"no cost is known of {', '.join(unknown)}; known are {', '.join(sorted(self.seconds))}")
        return self.base_cores + sum(
            (self.seconds[name] * rates for name, rates in requests_per_second.items()), start=np.zeros(1)
        )


def fit_costs(requests_per_second: Mapping[str, Floats], cores: Floats) -> Costs:
    """Fit costs by least squares to what a pod used; steps that were not measured (NaN) are left out.

    ``requests_per_second``: for each functionality its rate in each step; all have the length of ``cores``.
    :raises BadLoadInput: the rates do not tell the functionalities apart, or a cost comes out negative.
    """
    names = sorted(requests_per_second)
    known = ~np.isnan(cores)
    table = np.column_stack([np.ones(len(cores)), *(requests_per_second[name] for name in names)])[known]
    found, _, rank, _ = np.linalg.lstsq(table, cores[known], rcond=None)
    if rank < table.shape[1]:
        raise BadLoadInput(
            f"{len(table)} measured steps do not tell {', '.join(names)} and the base apart; vary their rates apart"
        )
    if negative := [name for name, cost in zip(["base", *names], found.tolist(), strict=True) if cost < 0]:
        raise BadLoadInput(f"the cost of {', '.join(negative)} comes out negative; calibrate longer, or with more load")
    base, *each = found.tolist()
    return Costs(base, dict(zip(names, each, strict=True)))
