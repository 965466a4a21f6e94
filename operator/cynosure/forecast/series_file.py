"""A series in a CSV file (``.gz`` too): a header, a column of times, a column of values."""

import csv
import gzip
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from cynosure.errors import BadInput
from cynosure.model.signals import Series

_MOST_ROWS: Final = 5_000_000
_Row = dict[str, str | None]


def read_series(path: Path, time_column: str, value_column: str) -> Series:
    """Read times (Unix seconds, or ISO 8601, UTC where no zone is named) and values, sorted by time.

    An empty or non-finite value is missing. :raises BadInput: naming the file, the line and what is wrong there.
    """
    try:
        with _opened(path) as file:
            rows = list(islice(_rows(file, path, time_column, value_column), _MOST_ROWS + 1))
    except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile) as error:
        raise BadInput(f"{path}: not a CSV file ({error})") from error
    if len(rows) > _MOST_ROWS:
        raise BadInput(f"{path}: more than {_MOST_ROWS} rows; cut the series or widen its step")
    if len({time for time, _ in rows}) < 2:
        raise BadInput(f"{path}: values at fewer than 2 times in column {value_column!r}; a series needs more")
    times, values = np.array(rows, dtype=np.float64).T
    order = np.argsort(times, kind="stable")
    return Series(times[order], values[order])


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(file: TextIO, path: Path, time_column: str, value_column: str) -> Iterator[tuple[float, float]]:
    reader = csv.DictReader(file)
    for wanted, option in ((time_column, "--time-column"), (value_column, "--value-column")):
        if wanted not in (reader.fieldnames or ()):
            raise BadInput(f"{path}: no column {wanted!r}; {option} may be {', '.join(reader.fieldnames or ['?'])}")
    for row in reader:
        where = f"{path}: line {reader.line_num}"
        value = _value(row, value_column, where)
        if math.isfinite(value):
            yield _unix_seconds(row, time_column, where), value


def _value(row: _Row, column: str, where: str) -> float:
    text = (row[column] or "").strip()
    try:
        return float(text) if text else math.nan
    except ValueError:
        raise BadInput(f"{where}: {column} is {text!r}; write a number, or nothing where it is missing") from None


def _unix_seconds(row: _Row, column: str, where: str) -> float:
    text = (row[column] or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _iso_seconds(text)
    if not math.isfinite(seconds):
        raise BadInput(f"{where}: {column} is {text!r}; write Unix seconds or a time such as 2024-05-10T00:07:12Z")
    return seconds


def _iso_seconds(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
