"""The answer of a Prometheus or Thanos range query, saved as it came (`/api/v1/query_range`, resultType matrix)."""

import json
import re
from pathlib import Path

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.formats.rates import together
from loadgen.formats.rows import opened
from loadgen.trace import RateSeries, rate_series

_ANSWER = re.compile(r'\s*\{\s*"status"\s*:\s*"')


def looks_like_answer(head: str) -> bool:
    return _ANSWER.match(head) is not None


def read(path: Path) -> RateSeries:
    """Sum the series of the answer, taken as requests per second; NaN and absent samples are missing."""
    with opened(path) as text:
        answer = json.load(text)
    try:
        series = [entry["values"] for entry in answer["data"]["result"]]
        at, values = np.array([(float(at), float(value)) for each in series for at, value in each]).reshape(-1, 2).T
    except (KeyError, TypeError, ValueError) as error:
        raise BadLoadInput(f"{path}: no matrix of a range query ({error!r}); ask /api/v1/query_range") from None
    if np.any(values < 0) or np.any(np.isinf(values)):
        raise BadLoadInput(f"{path}: a value below 0 or not finite is no rate; query rate(...) of a counter")
    times, sums = together(at, values, "sum")
    if len(times) < 2:
        raise BadLoadInput(f"{path}: {len(times)} samples; a series of rates needs at least 2 to know its step")
    notes = (f"sum of {len(series)} series",) if len(series) > 1 else ()
    return rate_series(times, sums, str(path), notes=notes)
