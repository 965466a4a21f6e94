"""A column of a block of text as places in its bytes: numbers are read digit by digit for all rows at once."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from loadgen.trace import Floats

_MOST_DIGITS = 15  # so that digits and a power of ten are exact, and their quotient is what float() gives
_ZERO, _POINT = 48, 46
Places = npt.NDArray[np.int64]


class BytesColumn(Sequence[str]):
    """A sequence of cells that exist as text only when one is asked for."""

    def __init__(self, data: bytes, starts: Places, ends: Places) -> None:
        self._data, self._starts, self._ends = data, starts, ends
        self._codes = np.frombuffer(data, np.uint8)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        return self._data[self._starts[row] : self._ends[row]].decode("ascii")

    def numbers(self) -> Floats | None:
        """Return plain decimal numbers; None when a cell is another thing, even one that float() can read."""
        lengths = self._ends - self._starts
        if lengths.min(initial=1) < 1 or lengths.max(initial=0) > _MOST_DIGITS:
            return None
        digits, scale, fraction = (np.full(len(self), value) for value in (0.0, 1.0, 1.0))
        points = np.zeros(len(self), np.int64)
        for place in range(int(lengths.max(initial=0))):
            inside = place < lengths
            codes = np.where(inside, self._codes[np.maximum(self._ends - 1 - place, 0)], _ZERO)
            point = codes == _POINT
            digit = codes.astype(np.float64) - _ZERO
            if np.any(((digit < 0) | (digit > 9)) & ~point):
                return None
            points += point
            fraction = np.where(point, scale, fraction)
            digits += np.where(point, 0.0, digit * scale)
            scale = np.where(point | ~inside, scale, scale * 10)
        if points.max(initial=0) > 1 or np.any(lengths - points < 1):
            return None
        quotient: Floats = digits / fraction
        return quotient

    def stamps(self) -> npt.NDArray[np.datetime64] | None:
        """Return calendar stamps of one length, in microseconds; None when they are others."""
        lengths = self._ends - self._starts
        width = int(lengths[0])
        if width < len("2026-01-01") or np.any(lengths != width):
            return None
        text = self._codes[self._starts[:, None] + np.arange(width)]
        if np.any(text[:, :4] - _ZERO > 9):  # unsigned: also below zero
            return None
        try:
            stamps: npt.NDArray[Any] = text.view(f"S{width}").ravel().astype("datetime64[us]")
        except ValueError:
            return None
        return stamps


def columns_of(data: bytes, delimiter: str, width: int) -> list[BytesColumn] | None:
    """Return the columns of lines that all have so many cells; None when one has not, or is empty."""
    codes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero((codes == ord(delimiter)) | (codes == ord("\n")))
    pattern = np.array([ord(delimiter)] * (width - 1) + [ord("\n")])
    if len(ends) % width or np.any(codes[ends].reshape(-1, width) != pattern):
        return None
    starts = np.concatenate([[0], ends[:-1] + 1]).reshape(-1, width)
    return [BytesColumn(data, starts[:, p], ends.reshape(-1, width)[:, p]) for p in range(width)]
