"""Columns of whole numbers as few bytes: differences, bytes of the same weight side by side, zlib.

A million requests a day differ from one to the next by little, so that most high bytes are zero and compress away.
The format is a magic line, one line of JSON, and the compressed columns; nothing in it is code.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import Integers

MOST_ROWS = 2_000_000
MAGIC = b"cynosure-columns/1\n"
_LONGEST_HEADER = 1 << 16


def encode(columns: Mapping[str, Integers], meta: Mapping[str, Any]) -> bytes:
    """Pack columns of the same length, and ``meta`` as JSON."""
    rows = len(next(iter(columns.values())))
    header = json.dumps({"rows": rows, "columns": list(columns), "meta": dict(meta)}, separators=(",", ":"))
    body = b"".join(_shuffled(column) for column in columns.values())
    return MAGIC + header.encode() + b"\n" + zlib.compress(body, 9)


def decode(data: bytes, source: str) -> tuple[dict[str, Integers], dict[str, Any]]:
    """Unpack what `encode` made; BadLoadInput for anything else, and never more memory than ``MOST_ROWS`` need."""
    if not data.startswith(MAGIC):
        raise BadLoadInput(f"{source}: not a file of this program (it begins with {MAGIC.decode().strip()!r})")
    header, _, body = data[len(MAGIC) :].partition(b"\n")
    try:
        rows, names, meta = _parse_header(header)
        size = 8 * rows * len(names)
        inflate = zlib.decompressobj()
        plain = inflate.decompress(body, size + 1)
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise BadLoadInput(f"{source}: damaged ({error}); make it again") from error
    if len(plain) != size or not inflate.eof:
        raise BadLoadInput(f"{source}: cut short or damaged ({len(plain)} of {size} bytes); make it again")
    parts = np.frombuffer(plain, np.uint8).reshape(len(names), 8, rows)
    return {name: _restored(part) for name, part in zip(names, parts, strict=True)}, meta


def _parse_header(header: bytes) -> tuple[int, list[str], dict[str, Any]]:
    if len(header) > _LONGEST_HEADER:
        raise ValueError(f"a header of {len(header)} bytes, at most {_LONGEST_HEADER}")
    parsed = json.loads(header)
    rows, names, meta = int(parsed["rows"]), list(parsed["columns"]), dict(parsed["meta"])
    if not 0 <= rows <= MOST_ROWS or not 1 <= len(names) <= 16:
        raise ValueError(f"{rows} rows of {len(names)} columns, at most {MOST_ROWS} of 16")
    return rows, names, meta


def _shuffled(column: Integers) -> bytes:
    steps = np.diff(column.astype("<i8"), prepend=np.int64(0))
    zigzag = (steps << 1) ^ (steps >> 63)  # small negative steps become small numbers too
    return np.ascontiguousarray(zigzag.astype("<i8").view(np.uint8).reshape(-1, 8).T).tobytes()


def _restored(part: np.ndarray[Any, np.dtype[np.uint8]]) -> Integers:
    zigzag = np.ascontiguousarray(part.T).view("<u8").ravel()
    steps = (zigzag >> np.uint64(1)).astype(np.int64) ^ -(zigzag & np.uint64(1)).astype(np.int64)
    return np.cumsum(steps, dtype=np.int64)
