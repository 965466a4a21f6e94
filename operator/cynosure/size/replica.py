"""What one replica does at a request rate: the share of its requests that meet a latency."""

from typing import Protocol

from cynosure.model.service import Target


class Replica(Protocol):
    """One replica on one partition, for the lengths that its requests have."""

    @property
    def largest_batch(self) -> int:
        """The most requests worked on together; 0 when not even one fits."""
        ...

    @property
    def measured_rps(self) -> float:
        """The largest rate that was measured, whatever the latency."""
        ...

    def attainment(self, target: Target, rps: float) -> float:
        """Return the share (0..1) of requests within the target at a steady Poisson rate; 0 when it cannot keep up."""
        ...

    def floor_milliseconds(self, target: Target) -> float:
        """Return the target's percentile without any load: no number of replicas gives less."""
        ...

    def batch_at(self, rps: float) -> float:
        """Return the mean number of requests worked on together."""
        ...


_BISECTIONS = 16


def capacity_rps(replica: Replica, targets: tuple[Target, ...]) -> float:
    """Return the largest rate at which every target is met by its share of the requests; 0 if none is."""

    def meets(rps: float) -> bool:
        return all(replica.attainment(target, rps) >= target.objective for target in targets)

    low, high = 0.0, replica.measured_rps
    if not meets(high * 1e-6):
        return 0.0
    if meets(high):
        return high
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if meets(middle) else (low, middle)
    return low
