"""The future known: about the fewest GPU-hours with which the objective can be met, as the measure for all others.

In each step a number of replicas costs their time and misses the share of requests that one replica misses at its part
of the rate, which the twin has measured. The cheapest number under a price for a miss is found for each step, and the
price is raised until the twin says that the objective is met. What is left is a schedule of starts: the k-th replica
is needed in some intervals, and starting it again costs the lead time, so that a gap shorter than that is cheaper
bridged. Levels are independent, which makes this the optimum of the dynamic program over (time, replicas).
"""

from dataclasses import dataclass

import numpy as np

from cynosure.model.signals import Floats
from cynosure.twin.port import Seen, Wanted
from cynosure.twin.tally import Integers

STEP_SECONDS = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """Rates of each step, and what one replica attains at ``replica_rates``, which rise."""

    rates: Floats
    replica_rates: Floats
    attainments: Floats
    most_replicas: int

    def replicas(self, price_of_miss: float, lead_seconds: float) -> Integers:
        """Return the replicas to be ready in each step when a miss costs so many replica-seconds."""
        counts = np.arange(1, self.most_replicas + 1)
        wanted = np.empty(len(self.rates), np.int64)
        for n, rate in enumerate(self.rates):
            misses = rate * (1 - np.interp(rate / counts, self.replica_rates, self.attainments))
            wanted[n] = counts[np.argmin(counts + price_of_miss * misses)]
        return bridged(wanted, int(np.ceil(lead_seconds / STEP_SECONDS)))


def bridged(wanted: Integers, lead_steps: int) -> Integers:
    """Fill every gap of a level that is shorter than the lead time, also that before its first use."""
    filled = wanted.copy()
    for level in range(2, int(wanted.max(initial=0)) + 1):
        on = np.append(-1, np.flatnonzero(wanted >= level))
        gaps = np.diff(on)
        for first, gap in zip(on[:-1][gaps > 1], gaps[gaps > 1], strict=True):
            if gap - 1 < lead_steps:
                np.maximum(filled[first + 1 : first + gap], level, out=filled[first + 1 : first + gap])
    return filled


@dataclass(slots=True, eq=False)
class Oracle:
    """Follows a schedule of ready replicas: it orders each one lead time ahead, and drops it when its use ends."""

    ready: Integers
    lead_time_seconds: float
    name: str = "oracle"
    interval_seconds: float = STEP_SECONDS

    def decide(self, seen: Seen) -> Wanted:
        now = min(int(seen.now_seconds / STEP_SECONDS + 1e-9), len(self.ready) - 1)
        reach = int(np.ceil(self.lead_time_seconds / STEP_SECONDS))
        return Wanted(int(self.ready[now : now + reach + 1].max()))
