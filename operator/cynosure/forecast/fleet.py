"""What the methods were worth to other services, which is what a new one believes until it knows better."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from cynosure.model.signals import Floats

Worth = Mapping[str, Floats]
"""By the name of a method its error (leads) as a share of that of the last value; NaN is not known."""

_FEWEST: Final = 5
"""What fewer services found says more about them than about a new one."""


def fleet_worth(services: Iterable[Worth]) -> Worth:
    """Return the median over the services, which no odd one of them moves. All have the same leads."""
    found: dict[str, list[Floats]] = {}
    for service in services:
        for name, errors in service.items():
            found.setdefault(name, []).append(errors)
    return {name: _median(np.stack(errors)) for name, errors in found.items() if len(errors) >= _FEWEST}


def _median(errors: Floats) -> Floats:
    """Return the lower median (leads) of what is known; NaN where too few know."""
    rising = np.sort(errors, axis=0)  # NaN comes last
    known = np.count_nonzero(~np.isnan(errors), axis=0)
    middle, lead = np.maximum(known - 1, 0) // 2, np.arange(errors.shape[1])
    return np.where(known >= _FEWEST, rising[middle, lead], np.nan)
