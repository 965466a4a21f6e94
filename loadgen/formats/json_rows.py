"""One JSON object a line: request traces such as Mooncake's, and the access logs of servers that write JSON."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from loadgen.errors import BadLoadInput
from loadgen.formats.rows import Chunk, opened

_ROWS_AT_ONCE = 1 << 15


class JsonRows:
    """The columns are the members of the first object; one that another object lacks is an empty cell there."""

    def __init__(self, path: Path, head: str) -> None:
        self.path = path
        first = _parsed(path, 1 + _blank_lines(head), head.lstrip().partition("\n")[0])
        self.names: Sequence[str] = list(first)
        self.first: Sequence[str] = [_cell(value) for value in first.values()]

    def chunks(self, positions: Sequence[int]) -> Iterator[Chunk]:
        names = [self.names[position] for position in positions]
        with opened(self.path) as text:
            rows = ((number, _parsed(self.path, number, line)) for number, line in enumerate(text, 1) if line.strip())
            while batch := list(islice(rows, _ROWS_AT_ONCE)):
                columns = [[_cell(row.get(name)) for _, row in batch] for name in names]
                yield Chunk(self.path, [number for number, _ in batch], columns)


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = str(error)
    else:
        if isinstance(row, dict):
            return row
        reason = f"{type(row).__name__} instead of an object"
    raise BadLoadInput(
        f"{path}, line {number}: no JSON object ({reason}); write one a line, as `jq -c '.[]'` does"
    ) from None


def _cell(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _blank_lines(head: str) -> int:
    return head[: len(head) - len(head.lstrip())].count("\n")
