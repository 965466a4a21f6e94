"""A fixed fleet: what a careful person would buy for the peak."""

from dataclasses import dataclass
from math import ceil

from cynosure.twin.port import Seen, Setting, Wanted


@dataclass(slots=True)
class Static:
    replicas: int
    name: str = "static"
    interval_seconds: float = 15.0

    def decide(self, seen: Seen) -> Wanted:
        return Wanted(self.replicas)


def static_for(setting: Setting, peak_rps: float) -> Static:
    """Enough replicas for the busiest minute; it has to be known in advance."""
    return Static(min(setting.max_replicas, max(1, ceil(peak_rps / setting.replica_rps))))
