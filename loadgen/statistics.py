"""What a trace is like: how long, how much, how bursty, how long its requests are; and its shape as text."""

from typing import Any

import numpy as np

from loadgen.arrivals import own_cv, rates_of
from loadgen.trace import PEAK_WINDOW_SECONDS, Floats, Integers, RateSeries, RequestTrace

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_BARS = " ▁▂▃▄▅▆▇█"


def statistics(trace: RateSeries | RequestTrace) -> dict[str, Any]:
    """Return JSON-ready values; null is what the trace cannot tell."""
    series = trace if isinstance(trace, RateSeries) else rates_of(trace)
    known = float(np.sum(series.ends - series.starts))
    total = float(np.sum(series.rps * (series.ends - series.starts)))
    mean, peak = total / known, trace.peak_rps(PEAK_WINDOW_SECONDS)
    return {
        "source": trace.source,
        "form": "rates" if isinstance(trace, RateSeries) else "requests",
        "unit": series.unit,
        "requests": None if isinstance(trace, RateSeries) else len(trace.at_seconds),
        "from_seconds": trace.from_seconds,
        "duration_seconds": trace.until_seconds - trace.from_seconds,
        "gap_seconds": series.gap_seconds,
        "mean_rps": mean,
        "peak_rps": peak,
        "peak_window_seconds": PEAK_WINDOW_SECONDS,
        "peak_to_mean": peak / mean if mean else None,
        "rate_cv": float(_weighted_deviation(series, mean) / mean) if mean else None,
        "interval_cv": own_cv(trace),
        **_token_lengths(trace),
        "notes": list(trace.notes),
    }


def plot(trace: RateSeries | RequestTrace, width: int = 72, height: int = 8) -> str:
    """Return the rate over time as blocks; a column whose time is all missing is dotted."""
    series = trace if isinstance(trace, RateSeries) else rates_of(trace)
    edges = np.linspace(series.from_seconds, series.until_seconds, width + 1)
    known = np.diff(series.known_seconds_until(edges))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known > 1e-9, np.diff(series.counted_until(edges)) / known, np.nan)
    top = float(np.nanmax(means)) or 1.0
    rows = [_row(means / top * height, level) for level in reversed(range(height))]
    labels = [f"{top:10.3g} ", *([" " * 11] * (height - 2)), f"{0:10d} "]
    foot = f"{' ' * 11}0 s{f'{series.until_seconds - series.from_seconds:.6g} s'.rjust(width - 3)}"
    return "\n".join([*(label + row for label, row in zip(labels, rows, strict=True)), foot])


def _row(heights: Floats, level: int) -> str:
    return "".join(
        ("·" if level == 0 else " ") if np.isnan(each) else _BARS[int(np.clip(round((each - level) * 8), 0, 8))]
        for each in heights.tolist()
    )


def _weighted_deviation(series: RateSeries, mean: float) -> float:
    return float(np.sqrt(np.average((series.rps - mean) ** 2, weights=series.ends - series.starts)))


def _token_lengths(trace: RateSeries | RequestTrace) -> dict[str, dict[str, float] | None]:
    if isinstance(trace, RateSeries) or not trace.has_tokens:
        return {"input_tokens": None, "output_tokens": None}
    return {"input_tokens": _quantiles(trace.input_tokens), "output_tokens": _quantiles(trace.output_tokens)}


def _quantiles(lengths: Integers) -> dict[str, float]:
    names = (f"p{quantile * 100:g}" for quantile in _QUANTILES)
    return {"mean": float(lengths.mean()), **dict(zip(names, np.quantile(lengths, _QUANTILES).tolist(), strict=True))}
