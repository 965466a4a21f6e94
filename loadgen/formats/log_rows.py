"""The access logs of web servers, in the common and the combined log format.

The format is that of Apache's documentation (mod_log_config, "Common Log Format"), which nginx and others write too.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from loadgen.errors import BadLoadInput
from loadgen.formats.rows import Chunk, opened

_ENTRY = re.compile(r'^(\S+) \S+ .*?\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "(.*?)" (\d{3}|-) (\d+|-)')
_ROWS_AT_ONCE = 1 << 15


class LogRows:
    """One line for each request, in the order in which they ended."""

    names: Sequence[str] = ("client", "time_local", "request", "status", "bytes_sent")

    def __init__(self, path: Path, head: str) -> None:
        self.path = path
        self.first: Sequence[str] = _cells(path, 1, head.partition("\n")[0])

    def chunks(self, positions: Sequence[int]) -> Iterator[Chunk]:
        with opened(self.path) as text:
            rows = ((number, _cells(self.path, number, line)) for number, line in enumerate(text, 1) if line.strip())
            while batch := list(islice(rows, _ROWS_AT_ONCE)):
                numbers = [number for number, _ in batch]
                yield Chunk(self.path, numbers, [[row[p] for _, row in batch] for p in positions])


def looks_like_log(head: str) -> bool:
    return _ENTRY.match(head) is not None


def _cells(path: Path, number: int, line: str) -> Sequence[str]:
    found = _ENTRY.match(line)
    if found is None:
        raise BadLoadInput(
            f"{path}, line {number}: {line.strip()[:60]!r} is no entry of a common or combined log; remove it"
        )
    return found.groups()
