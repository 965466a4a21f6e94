"""What one replica of each partition does, found by letting it serve: the base of every comparison."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cynosure.model.service import Target
from cynosure.model.signals import Floats
from cynosure.twin.fleet import Fleet, Ground
from cynosure.twin.port import mean
from cynosure.twin.tally import shares, tally_for
from cynosure.twin.traffic import Traffic
from loadgen.tokens import TokenLengths
from loadgen.trace import RateSeries

_REQUESTS: Final = 20_000
_LOWEST_RPS: Final = 1e-3
_PRECISION: Final = 0.01


@dataclass(frozen=True, slots=True)
class Served:
    """One replica at a steady Poisson rate: ``is_met`` when every target is met by its share of the requests."""

    is_met: bool
    attainment: float
    concurrency: float


@dataclass(frozen=True, slots=True)
class Bench:
    """Requests of these lengths (None: images), on these replicas, judged by these targets."""

    ground: Ground
    targets: tuple[Target, ...]
    tokens: TokenLengths | None
    seed: int

    def serve(self, partition: str, rps: float) -> Served:
        seconds = _REQUESTS / rps
        start, end, rate = np.array([[0.0], [seconds], [rps]])
        trace = RateSeries(start, end, rate, 0.0, seconds, "a steady rate")
        tally = tally_for(self.targets)
        fleet = Fleet(self.ground, tally, Traffic(trace, self.tokens, self.seed).chunks(), partition, 1)
        fleet.run_until(seconds)
        running, waiting, *_ = fleet.sums(fleet.ready).T / seconds
        fleet.finish(0.0)
        attainment, each = shares(tally)
        is_met = objective_met(self.targets, attainment, each)
        return Served(is_met, attainment, mean(running) + mean(waiting))

    def capacity_rps(self, partition: str) -> float:
        """Return the largest rate within the targets; 0 when not even a request a quarter of an hour is."""
        if not self.serve(partition, _LOWEST_RPS).is_met:
            return 0.0
        low, high = _LOWEST_RPS, 1.0
        while self.serve(partition, high).is_met:
            low, high = high, 2 * high
        while high / low > 1 + _PRECISION:
            middle = (low * high) ** 0.5 if high / low > 2 else (low + high) / 2
            low, high = (middle, high) if self.serve(partition, middle).is_met else (low, middle)
        return low

    def attainments(self, partition: str, rates: Floats) -> Floats:
        return np.array([self.serve(partition, rate).attainment for rate in rates])


def objective_met(targets: tuple[Target, ...], attainment: float, each: tuple[float, ...]) -> bool:
    """Whether each target is met by its own share of the requests, and all together by it where the shares agree."""
    objectives = {target.objective for target in targets}
    if len(objectives) == 1:
        return attainment >= objectives.pop()
    return all(share >= target.objective for share, target in zip(each, targets, strict=True))
