"""A series in a file: a header, a column of times, a column of values. The reading itself is that of traces."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cynosure.errors import BadInput
from cynosure.model.signals import Floats, Series
from loadgen.formats import cells
from loadgen.formats.csv_rows import CsvRows
from loadgen.formats.rows import head_of


def read_series(path: Path, time_column: str, value_column: str) -> Series:
    """Read times (numbers since 1970 in any usual unit, or ISO 8601, UTC where no zone is named) and values from 0.

    An empty value or NaN is missing. Rows may come in any order, and times repeat. 10^7 rows take seconds, and memory
    for their numbers alone. :raises BadInput: naming the file, the line and what is wrong there.
    """
    try:
        times, values = _columns(path, time_column, value_column)
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"{path}: damaged, or no text ({error}); a series is CSV with a header, plain or .gz") from error
    if not len(times) or times.min() == times.max():
        raise BadInput(f"{path}: values at fewer than 2 times in column {value_column!r}; a series needs more")
    if (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
    return Series(times, values)


def _columns(path: Path, time_column: str, value_column: str) -> tuple[Floats, Floats]:
    parts = list(_known(path, time_column, value_column))
    if not parts:
        return np.empty(0), np.empty(0)
    return np.concatenate([times for times, _ in parts]), np.concatenate([values for _, values in parts])


def _known(path: Path, time_column: str, value_column: str) -> Iterator[tuple[Floats, Floats]]:
    """Yield the samples that are not missing, a block of the file at a time."""
    rows = CsvRows(path, head_of(path))
    positions = []
    for wanted, option in ((time_column, "--time-column"), (value_column, "--value-column")):
        if wanted.strip() not in rows.names:
            raise BadInput(f"{path}: no column {wanted!r}; {option} may be {', '.join(rows.names)}")
        positions.append(rows.names.index(wanted.strip()))
    for chunk in rows.chunks(positions):
        values = cells.rates(chunk, 1)
        known = np.isfinite(values)
        yield cells.seconds(chunk, 0, None)[known], values[known]
