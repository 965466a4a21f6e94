"""Rows of a file as columns of text: a block at a time, so that memory stays flat, with the line of each row."""

import gzip
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol, TextIO

from loadgen.errors import BadLoadInput

BLOCK_CHARACTERS = 1 << 22
_HEAD_CHARACTERS = 1 << 16
_BINARY = {
    b"PK": "a zip archive: unpack it",
    b"PAR1": "Parquet: save it as CSV",
    b"\x28\xb5\x2f\xfd": "Zstandard: unpack it, or compress it with gzip",
    b"BZh": "bzip2: unpack it, or compress it with gzip",
    b"\xfd7zX": "xz: unpack it, or compress it with gzip",
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows: the wanted columns, each with one text for each row, and the line of each row in the file."""

    path: Path
    lines: Sequence[int]
    columns: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.lines)

    def refuse(self, row: int, message: str) -> NoReturn:
        raise BadLoadInput(f"{self.path}, line {self.lines[row]}: {message}")

    def kept(self, column: int, value: str) -> "Chunk":
        """Keep the rows that have this value in that column."""
        rows = [row for row, text in enumerate(self.columns[column]) if text.strip() == value]
        return Chunk(self.path, [self.lines[r] for r in rows], [[c[r] for r in rows] for c in self.columns])


class Rows(Protocol):
    """A file of rows with named columns."""

    @property
    def path(self) -> Path: ...

    @property
    def names(self) -> Sequence[str]:
        """The columns as the file calls them."""
        ...

    @property
    def first(self) -> Sequence[str]:
        """The first row, by which to tell numbers from words; empty when there is none."""
        ...

    def chunks(self, positions: Sequence[int]) -> Iterator[Chunk]:
        """Yield the columns at these positions of `names`, in this order; BadLoadInput for a row that has none."""
        ...


def plain_name(name: str) -> str:
    """Return a column's name in lower case with one underscore for whatever separates its words."""
    return re.sub(r"[^a-z0-9%]+", "_", name.lower()).strip("_")


def positions_of(rows: Rows) -> Mapping[str, int]:
    return {plain_name(name): position for position, name in reversed(list(enumerate(rows.names)))}


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Open a text file, unpacked if it is gzipped; bytes that are no UTF-8 (logs hold some) come through escaped."""
    with path.open("rb") as file:
        magic = file.read(6)
        file.seek(0)
        plain = gzip.GzipFile(fileobj=file) if magic.startswith(b"\x1f\x8b") else file
        found = next((said for mark, said in _BINARY.items() if magic.startswith(mark)), None)
        if found:
            raise BadLoadInput(f"{path}: this is {found}; a trace is text, plain or .gz")
        yield io.TextIOWrapper(plain, encoding="utf-8-sig", errors="backslashreplace", newline="")


def head_of(path: Path) -> str:
    """Return the beginning of the text; BadLoadInput when there is none."""
    with opened(path) as text:
        head = text.read(_HEAD_CHARACTERS)
    if not head.strip():
        raise BadLoadInput(f"{path}: empty; a trace is CSV with a header such as timestamp,input_tokens,output_tokens")
    if "\0" in head:
        raise BadLoadInput(f"{path}: holds bytes that are no text; a trace is UTF-8 text, plain or .gz")
    return head
