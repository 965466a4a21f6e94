"""CSV with a header: commas, semicolons, tabs or bars; quoted cells cost time only where there are some."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from loadgen.errors import BadLoadInput
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
            while block := text.readlines(BLOCK_CHARACTERS):
                if any('"' in each for each in block):
                    yield from self._quoted(chain(block, text), line, positions)
                    return
                if chunk := self._plain(block, line, positions):
                    yield chunk
                line += len(block)

    def _plain(self, block: list[str], line: int, positions: Sequence[int]) -> Chunk | None:
        numbers: Sequence[int] = range(line + 1, line + 1 + len(block))
        rows = [row.rstrip("\r\n") for row in block]
        if any(not row or row.isspace() for row in rows):
            numbers = [number for number, row in zip(numbers, rows, strict=True) if row and not row.isspace()]
            rows = [row for row in rows if row and not row.isspace()]
        width, delimiter = len(self.names), self._delimiter
        for index, row in enumerate(rows):
            if row.count(delimiter) != width - 1:
                rows[index] = delimiter.join(self._fitted(row.split(delimiter), numbers[index]))
        if not rows:
            return None
        cells = delimiter.join(rows).split(delimiter)
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


def looks_like_csv(head: str) -> bool:
    return any(delimiter in head.partition("\n")[0] for delimiter in _DELIMITERS) or "\n" in head.strip()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
