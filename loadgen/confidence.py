"""How sure a share is: requests of the same moment share their fate, so whole stretches of time are drawn again."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from loadgen.trace import Floats

Interval = tuple[float, float]
_BLOCKS = 40
_DRAWS = 2000
_Z_95 = 1.959964


def share_interval(due_seconds: Floats, flags: npt.NDArray[np.bool_]) -> Interval:
    """Return the 95 % interval of a share: the wider of the block bootstrap's and Wilson's.

    The bootstrap (Kuensch 1989, blocks of a fortieth of the time) knows that neighbours are alike, and Wilson's (1927)
    that a share of 1 seen in a few requests is not certain.
    """
    drawn = _bootstrapped(due_seconds, [flags], lambda sums: sums[:, 0] / sums[:, -1])
    wilson = _wilson(int(flags.sum()), len(flags))
    return min(drawn[0], wilson[0]), max(drawn[1], wilson[1])


def difference_interval(due_seconds: Floats, a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> Interval:
    """Return the 95 % interval of the share of a less that of b, for the same requests sent to both."""
    return _bootstrapped(due_seconds, [a, b], lambda sums: (sums[:, 0] - sums[:, 1]) / sums[:, -1])


def _bootstrapped(
    due_seconds: Floats, columns: list[npt.NDArray[np.bool_]], statistic: Callable[[Floats], Floats]
) -> Interval:
    span = float(np.ptp(due_seconds)) or 1.0
    block = np.minimum((_BLOCKS * (due_seconds - due_seconds.min()) / span).astype(int), _BLOCKS - 1)
    sums = np.array([np.bincount(block, column, _BLOCKS) for column in [*columns, np.ones(len(block))]]).T
    sums = sums[sums[:, -1] > 0]
    drawn = np.random.default_rng(0).integers(0, len(sums), (_DRAWS, len(sums)))
    low, high = np.quantile(statistic(sums[drawn].sum(axis=1)), [0.025, 0.975])
    return float(low), float(high)


def _wilson(successes: int, count: int) -> Interval:
    share, z = successes / count, _Z_95
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return float(middle - half), float(middle + half)
