"""Builders of the load tests: schedules of like requests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from loadgen.schedule import Kind, Schedule

Write = Callable[[str], Path]


def evenly(count: int, seconds: float, *, output_tokens: int = 3, kind: Kind = Kind.COMPLETION) -> Schedule:
    """Return a schedule of ``count`` like requests at even intervals."""
    at = np.arange(count) * seconds / count
    ones = np.ones(count, dtype=np.int64)
    return Schedule.of(at, 10 * ones, output_tokens * ones, int(kind) * ones, seconds, {"trace": "made in a test"})
