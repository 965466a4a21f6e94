"""What happened to the requests, in memory that does not grow with their number.

Latencies fall into buckets whose bounds grow by a constant factor, the mapping of DDSketch (Masson, Rim and Lee, PVLDB
12(12), 2019), so that every quantile is within one per cent. Requests are counted by the set of targets they met.
"""

from math import ceil, log
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cynosure.model.service import Metric, Target
from cynosure.model.signals import Floats
from cynosure.twin.compiled import compiled

Integers = NDArray[np.int64]

METRICS: Final = (Metric.TTFT, Metric.TPOT, Metric.E2E)
OFFERED, DROPPED, FINISHED, INPUT_TOKENS, OUTPUT_TOKENS, _COUNTS = range(6)

_SMALLEST_SECONDS: Final = 1e-4
_BUCKETS: Final = 1024
_GROWTH: Final = 1.02
_PER_BUCKET: Final = 1 / log(_GROWTH)


class Ledger(NamedTuple):
    """What became of each request, by its number from 0; of those beyond its length nothing is kept."""

    first_at: Floats
    """NaN as long as it has no token."""
    finished_at: Floats
    dropped: NDArray[np.bool_]


class Tally(NamedTuple):
    """Only ever counted up: a window is the difference of two copies."""

    buckets: Integers
    """(metric, bucket), over finished requests; tpot only over those with more than one token."""
    met: Integers
    """Finished requests by the bit mask of the targets that they met."""
    counts: Integers
    target_metric: Integers
    target_seconds: Floats
    ledger: Ledger

    def copy(self) -> "Tally":
        return self._replace(buckets=self.buckets.copy(), met=self.met.copy(), counts=self.counts.copy())

    def since(self, earlier: "Tally") -> "Tally":
        return self._replace(
            buckets=self.buckets - earlier.buckets, met=self.met - earlier.met, counts=self.counts - earlier.counts
        )


def tally_for(targets: tuple[Target, ...], kept: int = 0) -> Tally:
    """With a ledger of the first ``kept`` requests: without one, memory does not grow with their number."""
    return Tally(
        np.zeros((len(METRICS), _BUCKETS), np.int64),
        np.zeros(2 ** len(targets), np.int64),
        np.zeros(_COUNTS, np.int64),
        np.array([METRICS.index(target.metric) for target in targets], np.int64),
        np.array([target.milliseconds / 1000 for target in targets], np.float64),
        Ledger(np.full(kept, np.nan), np.full(kept, np.nan), np.zeros(kept, np.bool_)),
    )


@compiled
def record(tally: Tally, number: int, arrived: float, first_at: float, finished_at: float, output_tokens: int) -> None:
    """Count a finished request. One token has no time between tokens, so it meets every tpot target."""
    gaps = max(output_tokens - 1, 1)
    seconds = (first_at - arrived, (finished_at - first_at) / gaps, finished_at - arrived)
    tally.counts[FINISHED] += 1
    if number < len(tally.ledger.first_at):
        tally.ledger.first_at[number] = first_at
        tally.ledger.finished_at[number] = finished_at
    for metric in range(3):
        if metric != 1 or output_tokens > 1:
            tally.buckets[metric, _bucket(seconds[metric])] += 1
    met = 0
    for n in range(len(tally.target_seconds)):
        if seconds[tally.target_metric[n]] <= tally.target_seconds[n]:
            met |= 1 << n
    tally.met[met] += 1


@compiled
def drop(tally: Tally, number: int) -> None:
    tally.counts[DROPPED] += 1
    if number < len(tally.ledger.dropped):
        tally.ledger.dropped[number] = True


@compiled
def _bucket(seconds: float) -> int:
    if seconds <= _SMALLEST_SECONDS:
        return 0
    return min(int(np.log(seconds / _SMALLEST_SECONDS) * _PER_BUCKET) + 1, _BUCKETS - 1)


def quantile_milliseconds(tally: Tally, metric: Metric, percentile: float) -> float:
    """Return the nearest-rank percentile, within one per cent; NaN when nothing finished."""
    buckets = tally.buckets[METRICS.index(metric)]
    reached = np.cumsum(buckets)
    if not reached[-1]:
        return float("nan")
    rank = max(1, ceil(percentile / 100 * int(reached[-1]) - 1e-9))
    bucket = int(np.searchsorted(reached, rank))
    return float(1000 * _SMALLEST_SECONDS * _GROWTH ** (bucket - 0.5))


def within(tally: Tally) -> list[float]:
    """Return for each target how many finished requests met it."""
    masks = np.arange(len(tally.met))
    return [float(tally.met[(masks >> n) & 1 == 1].sum()) for n in range(len(tally.target_seconds))]


def shares(tally: Tally) -> tuple[float, tuple[float, ...]]:
    """Return the share of the offered requests that met every target, and for each target the share that met it."""
    offered = max(int(tally.counts[OFFERED]), 1)
    each = tuple(count / offered for count in within(tally))
    return float(tally.met[-1]) / offered, each
