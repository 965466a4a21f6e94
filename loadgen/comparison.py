"""Two targets that got the same schedule at the same time, compared request by request."""

from math import comb, erfc, sqrt

import numpy as np

from loadgen.confidence import difference_interval
from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes
from loadgen.report import Report, attained_all
from loadgen.slo import Slo

_EXACT_UP_TO = 1000


def compare(a: Outcomes, b: Outcomes, slo: Slo) -> Report:
    """Return how much more of the requests a attains than b, and by how much its answers differ in time.

    ``p_value`` is McNemar's (1947) test of the requests that only one of them attained: exact for few, with the normal
    approximation for many. It takes requests as independent; the interval does not. ``decided`` is the side whose
    advantage the 95 % interval of the difference leaves no doubt of, or null.
    """
    if not np.array_equal(a.due_seconds, b.due_seconds):
        raise BadLoadInput("comparison: the two were not sent the same schedule; replay both with one trace and seed")
    met_a, met_b = attained_all(a, slo), attained_all(b, slo)
    low, high = difference_interval(a.due_seconds, met_a, met_b)
    both = a.succeeded & b.succeeded
    slower = (a.latency_seconds - b.latency_seconds)[both] * 1000
    only_a, only_b = int((met_a & ~met_b).sum()), int((met_b & ~met_a).sum())
    return {
        "attainment": [float(met_a.mean()), float(met_b.mean())],
        "attainment_difference": float(met_a.mean() - met_b.mean()),
        "attainment_difference_interval_95": [low, high],
        "only_first_attained": only_a,
        "only_second_attained": only_b,
        "p_value": _mcnemar(only_a, only_b),
        "latency_difference_ms_p50": float(np.median(slower)) if slower.size else None,
        "decided": "first" if low > 0 else "second" if high < 0 else None,
    }


def _mcnemar(only_a: int, only_b: int) -> float:
    n, least = only_a + only_b, min(only_a, only_b)
    if n <= _EXACT_UP_TO:
        return min(1.0, float(2 * sum(comb(n, k) for k in range(least + 1)) / 2**n))
    return erfc((abs(only_a - only_b) - 1) / sqrt(2 * n))
