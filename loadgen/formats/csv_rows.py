"""CSV with a header: commas, semicolons, tabs or bars; quoted cells cost time only where there are some."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path

from loadgen.errors import BadLoadInput
from loadgen.formats.bytes_column import columns_of
from loadgen.formats.rows import BLOCK_CHARACTERS, Chunk, opened

_DELIMITERS = (",", ";", "\t", "|")
_QUOTED_ROWS = 1 << 15


class CsvRows:
    """Rows of equal length under a header; a row with more or fewer cells is refused, as it may be cut or shifted."""

    def __init__(self, path: Path, head: str) -> None:
        self.path = path
        lines = [line for line in head.splitlines() if line.strip()]
        self._delimiter = max(_DELIMITERS, key=lines[0].count)
        header, *rest = csv.reader(lines[:2], delimiter=self._delimiter)
        self.names: Sequence[str] = [name.strip() for name in header]
        self.first: Sequence[str] = [cell.strip() for cell in rest[0]] if rest else []
        if all(_is_number(name) for name in self.names):
            raise BadLoadInput(
                f"{path}, line 1: {lines[0].strip()[:60]!r} is no header; begin the file with one, such as "
                f"timestamp,input_tokens,output_tokens or timestamp,value"
            )

    def chunks(self, positions: Sequence[int]) -> Iterator[Chunk]:
        with opened(self.path) as text:
            line = 1
            while not text.readline().strip():
                line += 1
            while block := text.read(BLOCK_CHARACTERS) + text.readline():
                if '"' in block:
                    yield from self._quoted(chain(block.splitlines(keepends=True), text), line, positions)
                    return
                block = block.replace("\r\n", "\n").removesuffix("\n") + "\n"
                if chunk := self._quick(block, line, positions) or self._plain(block, line, positions):
                    yield chunk
                line += block.count("\n")

    def _quick(self, block: str, line: int, positions: Sequence[int]) -> Chunk | None:
        """Return the rows as they lie in memory, if all are alike."""
        columns = columns_of(block.encode(), self._delimiter, len(self.names)) if block.isascii() else None
        if columns is None:
            return None
        lines = range(line + 1, line + 1 + len(columns[0]))
        return Chunk(self.path, lines, [columns[position] for position in positions])

    def _plain(self, block: str, line: int, positions: Sequence[int]) -> Chunk | None:
        lines = block.removesuffix("\n").split("\n")
        numbers: Sequence[int] = range(line + 1, line + 1 + len(lines))
        width, delimiter = len(self.names), self._delimiter
        if set(map(str.count, lines, repeat(delimiter))) != {width - 1} or "" in lines:
            mended = [
                (number, delimiter.join(self._fitted(row.split(delimiter), number)))
                for number, row in zip(numbers, lines, strict=True)
                if row and not row.isspace()
            ]
            numbers, lines = [number for number, _ in mended], [row for _, row in mended]
        if not lines:
            return None
        cells = delimiter.join(lines).split(delimiter)
        return Chunk(self.path, numbers, [cells[position::width] for position in positions])

    def _quoted(self, lines: Iterator[str], line: int, positions: Sequence[int]) -> Iterator[Chunk]:
        reader = csv.reader(lines, delimiter=self._delimiter)
        rows = ((line + reader.line_num, self._fitted(row, line + reader.line_num)) for row in reader if row)
        while batch := list(islice(rows, _QUOTED_ROWS)):
            yield Chunk(self.path, [number for number, _ in batch], [[row[p] for _, row in batch] for p in positions])

    def _fitted(self, row: list[str], line: int) -> list[str]:
        """Return the cells that the header names; empty ones after them are the ornament of some programs."""
        width = len(self.names)
        if len(row) < width or any(cell.strip() for cell in row[width:]):
            raise BadLoadInput(
                f"{self.path}, line {line}: {len(row)} columns where the header has {width}; mend or remove the row"
            )
        return row[:width]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
