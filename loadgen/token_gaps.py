"""Times between tokens, all of them, in few bytes: counts in buckets that grow by two percent.

The form of HdrHistogram (hdrhistogram.org): a percentile is right to within one bucket, whatever was counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, log
from typing import Self

_LEAST_SECONDS = 1e-5
_LOG_GROWTH = log(1.02)
_MOST_BUCKETS = 1200  # 1e-5 s to beyond a day


@dataclass(slots=True)
class TokenGaps:
    counts: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float, times: int = 1) -> None:
        bucket = int(log(max(seconds, _LEAST_SECONDS) / _LEAST_SECONDS) / _LOG_GROWTH)
        self.counts[min(bucket, _MOST_BUCKETS)] += times

    def percentile_seconds(self, percent: float) -> float | None:
        """Return the middle of the bucket with the gap of that rank; None when nothing was counted."""
        rank = max(1, ceil(self.counts.total() * percent / 100))
        for bucket, count in sorted(self.counts.items()):
            rank -= count
            if rank <= 0:
                return float(_LEAST_SECONDS * 1.02 ** (bucket + 0.5))
        return None

    def to_json(self) -> dict[str, int]:
        return {str(bucket): count for bucket, count in sorted(self.counts.items())}

    @classmethod
    def from_json(cls, counts: Mapping[str, int]) -> Self:
        """ValueError or TypeError for what `to_json` did not write."""
        return cls(Counter({min(max(int(bucket), 0), _MOST_BUCKETS): int(count) for bucket, count in counts.items()}))

    @classmethod
    def joined(cls, parts: Iterable["TokenGaps"]) -> Self:
        whole = cls()
        for part in parts:
            whole.counts.update(part.counts)
        return whole
