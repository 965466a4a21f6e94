"""Readers of trace files, chosen by what is in the file: CSV with a header, plain or gzipped, read row by row."""

import csv
import gzip
import io
import math
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import Floats, RateSeries, RequestTrace

_REQUEST_TIMES = ("timestamp", "arrival_timestamp", "arrived_at", "time")
_INPUT_TOKENS = ("input_tokens", "contexttokens", "num_prefill_tokens", "request tokens", "prompt_tokens")
_OUTPUT_TOKENS = ("output_tokens", "generatedtokens", "num_decode_tokens", "response tokens", "completion_tokens")

_RATES: tuple[tuple[str, str, float], ...] = (
    ("timestamp_utc", "per_min_mid", 60.0),
    ("hour_utc", "requests_estimated", 3600.0),
    ("minute", "count", 60.0),
    ("timestamp", "value", 1.0),
)
"""Time column, value column, and the seconds that one value counts requests over."""

_EPOCH_MILLISECONDS = 1e11
_GAP = 1.5
"""A step of more than this many median steps is a gap: the last value holds for one median step only."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The header of an open file: its path, and the column names in lower case mapped to positions."""

    path: Path
    positions: Mapping[str, int]

    def first_of(self, names: tuple[str, ...]) -> int | None:
        return next((self.positions[name] for name in names if name in self.positions), None)


Row = tuple[int, list[str]]


def read_trace(path: Path) -> RequestTrace | RateSeries:
    """Read requests (time and token lengths of each) or a series of rates, whichever the header shows.

    BadLoadInput for a file that is neither, or has a row that cannot be used (with its line).
    """
    try:
        rows = _rows(path)
        columns = _header(path, rows)
        inputs, outputs = columns.first_of(_INPUT_TOKENS), columns.first_of(_OUTPUT_TOKENS)
        when = columns.first_of(_REQUEST_TIMES)
        if when is not None and inputs is not None and outputs is not None:
            return _requests(columns, rows, when, inputs, outputs)
        return _rates(columns, rows)
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadLoadInput(f"{path}: not a CSV text ({error}); a trace is CSV with a header, plain or .gz") from error


def read_requests(path: Path) -> RequestTrace:
    """Read a file that must hold requests, as the source of token lengths."""
    trace = read_trace(path)
    if isinstance(trace, RateSeries):
        raise BadLoadInput(f"{path}: holds rates; token lengths need timestamp,input_tokens,output_tokens")
    return trace


def _rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        plain = gzip.GzipFile(fileobj=file) if zipped else file
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
        reader = csv.reader(text)
        for row in reader:
            if row:
                yield reader.line_num, row


def _header(path: Path, rows: Iterator[Row]) -> Columns:
    _, names = next(rows, (0, []))
    if not names:
        raise BadLoadInput(f"{path}: empty; a trace is CSV with a header such as timestamp,input_tokens,output_tokens")
    return Columns(path, {name.strip().lower(): position for position, name in enumerate(names)})


def _requests(columns: Columns, rows: Iterator[Row], when: int, inputs: int, outputs: int) -> RequestTrace:
    at, prompt, output = array("d"), array("q"), array("q")
    for line, row in rows:
        where = f"{columns.path}, line {line}"
        at.append(_time(row, when, where))
        if len(at) > 1 and at[-1] < at[-2]:
            raise BadLoadInput(f"{where}: time goes back by {at[-2] - at[-1]:g} s; sort the file by its time column")
        prompt.append(_tokens(row, inputs, where))
        output.append(_tokens(row, outputs, where))
    if not at:
        raise BadLoadInput(f"{columns.path}: a header and no requests; at least one row is needed")
    until = float(np.nextafter(at[-1], math.inf))
    return RequestTrace(np.array(at), np.array(prompt), np.array(output), at[0], until, str(columns.path))


def _rates(columns: Columns, rows: Iterator[Row]) -> RateSeries:
    form = next((f for f in _RATES if f[0] in columns.positions and f[1] in columns.positions), None)
    if form is None:
        raise BadLoadInput(_unknown(columns))
    when, value, per_seconds = columns.positions[form[0]], columns.positions[form[1]], form[2]
    at, values = array("d"), array("d")
    for line, row in rows:
        where = f"{columns.path}, line {line}"
        at.append(_time(row, when, where))
        if len(at) > 1 and at[-1] <= at[-2]:
            raise BadLoadInput(f"{where}: not later than the row before; one row for each time, in order, is needed")
        values.append(_rate(row, value, where))
    if len(at) < 2:
        raise BadLoadInput(f"{columns.path}: {len(at)} rows; a series of rates needs at least 2 to know its step")
    return rate_series(np.array(at), np.array(values) / per_seconds, str(columns.path))


def rate_series(at_seconds: Floats, rps: Floats, source: str) -> RateSeries:
    """Make segments of samples: each holds until the next, or for one median step where the next is missing.

    NaN is a missing sample.
    """
    steps = np.diff(at_seconds)
    step = float(np.median(steps))
    lengths = np.append(np.where(steps > _GAP * step, step, steps), step)
    known = ~np.isnan(rps)
    if not known.any():
        raise BadLoadInput(f"{source}: every value is missing; at least one rate is needed")
    ends = at_seconds + lengths
    return RateSeries(at_seconds[known], ends[known], rps[known], float(at_seconds[0]), float(ends[-1]), source)


def _cell(row: list[str], position: int, where: str) -> str:
    if position >= len(row):
        raise BadLoadInput(f"{where}: {len(row)} columns where the header needs at least {position + 1}")
    return row[position].strip()


def _time(row: list[str], position: int, where: str) -> float:
    text = _cell(row, position, where)
    try:
        seconds = float(text)
    except ValueError:
        return _calendar(text, where)
    if not math.isfinite(seconds):
        raise BadLoadInput(f"{where}: the time {text!r} is not finite; give seconds or YYYY-MM-DD HH:MM:SS")
    return seconds / 1000 if seconds > _EPOCH_MILLISECONDS else seconds


def _calendar(text: str, where: str) -> float:
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise BadLoadInput(f"{where}: {text!r} is no time; give seconds or YYYY-MM-DD HH:MM:SS (UTC)") from None
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def _tokens(row: list[str], position: int, where: str) -> int:
    text = _cell(row, position, where)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < 2**31 or number != int(number):
        raise BadLoadInput(f"{where}: {text!r} is no token count; give a whole number from 0")
    return int(number)


def _rate(row: list[str], position: int, where: str) -> float:
    text = _cell(row, position, where)
    if not text or text.lower() == "nan":
        return math.nan
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < math.inf:
        raise BadLoadInput(f"{where}: {text!r} is no rate; give a number from 0, or leave it empty where it is missing")
    return rate


def _unknown(columns: Columns) -> str:
    known = "; ".join(f"{time},{value}" for time, value, _ in _RATES)
    names = ",".join(columns.positions)[:120]
    return (
        f"{columns.path}, line 1: the columns {names!r} are no trace that is known; rename them to "
        f"timestamp,input_tokens,output_tokens (requests) or one of {known} (rates; value is requests per second)"
    )
