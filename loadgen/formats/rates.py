"""Files of samples: the rate, or a count of requests, or another load, over time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.formats import cells
from loadgen.formats.requests import Only, selected
from loadgen.formats.rows import Rows, positions_of
from loadgen.trace import REQUESTS, Floats, RateSeries, rate_series

Together = Literal["refuse", "sum", "mean"]
"""What becomes of several rows for one time: they are a mistake, or parts of a whole, or of one kind."""


@dataclass(frozen=True, slots=True)
class RateForm:
    """Names of columns are `plain_name`s.

    per_seconds: what one value counts requests over; None is the median step of the file. unit: of the values, where
    they are no requests. cv: a column with the coefficient of variation of the intervals between requests.
    """

    name: str
    time: str
    value: str
    per_seconds: float | None = 1.0
    unit_seconds: float | None = None
    unit: str = REQUESTS
    together: Together = "refuse"
    cv: str = ""
    needs: Sequence[str] = ()
    notes: Sequence[str] = field(default=())

    def recognises(self, rows: Rows) -> bool:
        return {self.time, self.value, *self.needs} <= positions_of(rows).keys()

    def read(self, rows: Rows, only: Only = {}) -> RateSeries:  # noqa: B006 (never written to)
        at, values, cv = self._samples(rows, only)
        notes = list(self.notes)
        if len(np.unique(at)) < len(at):
            series = np.unique(at, return_counts=True)[1].max()
            at, values = together(at, values, self.together)
            cv = np.full(len(at), np.nan)
            notes.append(f"{self.together} of up to {series} rows for each time; --only COLUMN=VALUE chooses some")
        if len(at) < 2:
            raise BadLoadInput(f"{rows.path}: {len(at)} rows; a series of rates needs at least 2 to know its step")
        step = float(np.median(np.diff(at)))
        if self.per_seconds is None:
            notes.append(f"{self.value} counts requests in steps of {step:g} s, the median of the file")
        rps = values / (step if self.per_seconds is None else self.per_seconds)
        series = rate_series(at, rps, str(rows.path), unit=self.unit, cv=_mean_cv(cv, values))
        if series.gap_seconds > step / 1000:
            notes.append(f"{series.gap_seconds:.6g} s have no value: they are missing, and nothing is sent there")
        return replace(series, notes=tuple(notes))

    def _samples(self, rows: Rows, only: Only) -> tuple[Floats, Floats, Floats]:
        parts: list[tuple[Floats, Floats, Floats]] = []
        for chunk in selected(rows, [self.time, self.value, *([self.cv] if self.cv else [])], only):
            at = cells.seconds(chunk, 0, self.unit_seconds)
            late = np.diff(at, prepend=parts[-1][0][-1] if parts else -np.inf) <= 0
            if late.any() and self.together == "refuse":
                chunk.refuse(
                    int(late.argmax()),
                    "not later than the row before; one row for each time, in order, is needed "
                    "(--only COLUMN=VALUE takes one series of several)",
                )
            parts.append((at, cells.rates(chunk, 1), cells.rates(chunk, 2) if self.cv else np.full(len(at), np.nan)))
        if not parts:
            raise BadLoadInput(f"{rows.path}: 0 rows; a series of rates needs at least 2 to know its step")
        at, values, cv = (np.concatenate(column) for column in zip(*parts, strict=True))
        return at, values, cv


def together(at: Floats, values: Floats, how: Together) -> tuple[Floats, Floats]:
    """Return one value for each time, of those that are known; NaN where none is."""
    times, index = np.unique(at, return_inverse=True)
    known = ~np.isnan(values)
    counts = np.bincount(index[known], minlength=len(times)).astype(float)
    sums = np.bincount(index[known], weights=values[known], minlength=len(times))
    with np.errstate(invalid="ignore", divide="ignore"):
        return times, np.where(counts > 0, sums if how == "sum" else sums / counts, np.nan)


def _mean_cv(cv: Floats, values: Floats) -> float | None:
    """Return the mean weighted by the requests that each value speaks for."""
    if len(cv) != len(values):
        return None
    known = ~np.isnan(cv) & (values > 0) & (cv > 0)
    return float(np.average(cv[known], weights=values[known])) if known.any() else None
