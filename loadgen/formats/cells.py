"""Columns of text as numbers, whole blocks at a time; the first cell that is none is named with its line."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from loadgen.formats.bytes_column import BytesColumn
from loadgen.formats.rows import Chunk
from loadgen.trace import Floats, Integers

_MOST_TOKENS = 2**31
_LOG_STAMP = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:")
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))
"""No trace lasts 3,000 years: a number this large counts nanoseconds, microseconds or milliseconds since 1970."""

_TIMES_SAID = "give seconds or YYYY-MM-DD HH:MM:SS (UTC)"


def seconds(chunk: Chunk, column: int, unit_seconds: float | None) -> Floats:
    """Return times in seconds: numbers in the unit given (None: by their size), or calendar stamps as Unix time."""
    cells = chunk.columns[column]
    if np.isnan(_number(cells[0])) and cells[0].strip().lower() != "nan":
        return _calendar(chunk, column)
    found = _numbers(cells)
    bad = ~(np.isfinite(found) & (found >= 0))
    if bad.any():
        row = int(bad.argmax())
        fault = "is negative" if found[row] < 0 else "is no time" if np.isnan(found[row]) else "is not finite"
        chunk.refuse(row, f"{cells[row].strip()!r} {fault}; {_TIMES_SAID}")
    return found * (_unit_of(float(found[0])) if unit_seconds is None else unit_seconds)


def tokens(chunk: Chunk, column: int) -> Integers:
    cells = chunk.columns[column]
    found = _numbers(cells)
    bad = ~((found >= 0) & (found < _MOST_TOKENS) & (found == np.floor(found)))
    if bad.any():
        row = int(bad.argmax())
        chunk.refuse(row, f"{cells[row].strip()!r} is no token count; give a whole number from 0")
    return found.astype(np.int64)


def rates(chunk: Chunk, column: int) -> Floats:
    """Return numbers from 0, NaN where a cell is empty or says NaN: missing, which is not zero."""
    cells = chunk.columns[column]
    found = _numbers(cells)
    bad = ~(found >= 0) | np.isinf(found)
    for row in np.flatnonzero(bad).tolist():
        if cells[row].strip().lower() not in ("", "nan", "null", "na", "none"):
            chunk.refuse(
                row,
                f"{cells[row].strip()!r} is no rate; give a number from 0, or leave it empty where it is missing",
            )
    return found


def _numbers(cells: Sequence[str]) -> Floats:
    """Return NaN for what is no number."""
    if isinstance(cells, BytesColumn) and (quick := cells.numbers()) is not None:
        return quick
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return np.fromiter(map(_number, cells), np.float64, len(cells))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _unit_of(first: float) -> float:
    return next((unit for least, unit in _EPOCHS if first >= least), 1.0)


def _calendar(chunk: Chunk, column: int) -> Floats:
    quick = _stamps_in_memory(chunk.columns[column])
    if quick is not None:
        return quick
    cells = [cell.strip() for cell in chunk.columns[column]]
    stamps = _fast_stamps(cells)
    if stamps is not None:
        return stamps
    parse: Callable[[str], float] = _log_stamp if _LOG_STAMP.match(cells[0]) else _stamp
    found = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            found[row] = parse(cell)
        except ValueError:
            chunk.refuse(row, f"{cell!r} is no time; {_TIMES_SAID}")
    return found


def _stamps_in_memory(cells: Sequence[str]) -> Floats | None:
    """Return stamps of one length and in UTC, as they lie in memory."""
    if not isinstance(cells, BytesColumn) or _ZONE.search(cells[0]):
        return None
    stamps = cells.stamps()
    return None if stamps is None or np.isnat(stamps).any() else stamps.astype(np.int64) / 1e6


def _fast_stamps(cells: Sequence[str]) -> Floats | None:
    """Return ISO stamps all in UTC or all with one offset; None for others, which are read one by one."""
    zone = _ZONE.search(cells[0]) if len(cells[0]) > len("2026-01-01") else None
    offset = zone.group() if zone else ""
    if min(cells)[:1] < "0" or max(cells)[:1] > "9" or min(map(len, cells)) < len("2026-01-01"):
        return None
    if zone and not all(cell.endswith(offset) for cell in cells):
        return None
    try:
        stamps = np.array([cell[: -len(offset)] for cell in cells] if offset else cells, "datetime64[us]")
    except ValueError:
        return None
    return (stamps.astype(np.int64) / 1e6) - _offset_seconds(offset)


def _offset_seconds(offset: str) -> float:
    if offset in ("", "Z"):
        return 0.0
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    return (hours * 3600.0 + minutes * 60.0) * (-1 if offset[0] == "-" else 1)


def _stamp(cell: str) -> float:
    stamp = datetime.fromisoformat(cell)
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=4096)
def _log_stamp(cell: str) -> float:
    return datetime.strptime(cell, "%d/%b/%Y:%H:%M:%S %z").timestamp()
