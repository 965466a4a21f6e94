"""Files with one row for each request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.formats import cells
from loadgen.formats.rows import Chunk, Rows, positions_of
from loadgen.trace import Floats, Integers, RateSeries, RequestTrace

Only = Mapping[str, str]
"""Column and value of the rows to keep."""


class Form(Protocol):
    """What the columns of a kind of file mean."""

    @property
    def name(self) -> str: ...
    def recognises(self, rows: Rows) -> bool: ...
    def read(self, rows: Rows, only: Only) -> RequestTrace | RateSeries: ...


@dataclass(frozen=True, slots=True)
class RequestForm:
    """Names of columns are `plain_name`s.

    unit_seconds: of the time column; None leaves it to the cells (`cells.seconds`). Without token columns the requests
    have none. needs: further columns by which the form is known. unordered: rows come in another order than that of
    time, and are sorted; other files whose time goes back are refused. undated: rows may lack a time, and are left out.
    """

    name: str
    time: str
    input_tokens: str = ""
    output_tokens: str = ""
    unit_seconds: float | None = None
    needs: Sequence[str] = ()
    unordered: bool = False
    undated: bool = False
    notes: Sequence[str] = field(default=())

    def recognises(self, rows: Rows) -> bool:
        return {*self._columns(), *self.needs} <= positions_of(rows).keys()

    def _columns(self) -> list[str]:
        return [name for name in (self.time, self.input_tokens, self.output_tokens) if name]

    def read(self, rows: Rows, only: Only = {}) -> RequestTrace:  # noqa: B006 (never written to)
        parts: list[tuple[Floats, Integers, Integers]] = []
        undated = 0
        for chunk in selected(rows, self._columns(), only):
            dated = self._dated(chunk) if self.undated else chunk
            undated += len(chunk) - len(dated)
            if len(dated):
                parts.append(self._part(dated, parts[-1][0][-1] if parts else -np.inf))
        if not parts:
            raise BadLoadInput(f"{rows.path}: a header and no requests{_said(only)}; at least one row is needed")
        at, inputs, outputs = _joined(parts)
        left_out = [f"{undated} rows without a time are left out"] if undated else []
        return self._trace(at, inputs, outputs, str(rows.path), [*self.notes, *left_out])

    def _dated(self, chunk: Chunk) -> Chunk:
        kept = [row for row, cell in enumerate(chunk.columns[0]) if cell.strip()]
        lines = [chunk.lines[row] for row in kept]
        return Chunk(chunk.path, lines, [[column[row] for row in kept] for column in chunk.columns])

    def _part(self, chunk: Chunk, since: float) -> tuple[Floats, Integers, Integers]:
        at = cells.seconds(chunk, 0, self.unit_seconds)
        back = np.diff(at, prepend=since) < 0
        if back.any() and not self.unordered:
            row = int(back.argmax())
            by = (at[row - 1] if row else since) - at[row]
            chunk.refuse(row, f"time goes back by {by:g} s; sort the file by its time column")
        if not self.input_tokens:
            return at, np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
        return at, cells.tokens(chunk, 1), cells.tokens(chunk, 2)

    def _trace(self, at: Floats, inputs: Integers, outputs: Integers, source: str, notes: list[str]) -> RequestTrace:
        if np.any(np.diff(at) < 0):
            order = np.argsort(at, kind="stable")
            at, inputs, outputs = at[order], inputs[order], outputs[order]
            notes = [*notes, "rows were not in order of time and are sorted"]
        if at[0] == at[-1]:
            notes = [*notes, "all requests have the same time; the trace is taken to last 1 s"]
        until = float(max(np.nextafter(at[-1], np.inf), at[0] + 1.0 if at[0] == at[-1] else 0.0))
        known = bool(self.input_tokens)
        return RequestTrace(at, inputs, outputs, float(at[0]), until, source, known, tuple(notes))


def selected(rows: Rows, columns: Sequence[str], only: Only) -> Iterator[Chunk]:
    """Yield the named columns of the rows that have every value of ``only``."""
    positions = positions_of(rows)
    unknown = [name for name in only if name not in positions]
    if unknown:
        raise BadLoadInput(f"{rows.path}: no column {unknown[0]!r} to choose by; it has {', '.join(positions)}")
    for chunk in rows.chunks([positions[name] for name in (*columns, *only)]):
        kept = chunk
        for column, value in enumerate(only.values(), len(columns)):
            kept = kept.kept(column, value)
        if len(kept):
            yield kept


def _joined(parts: list[tuple[Floats, Integers, Integers]]) -> tuple[Floats, Integers, Integers]:
    """Join column by column, so that the most there is at once are four columns of three."""
    ats, inputs, outputs = (list(column) for column in zip(*parts, strict=True))
    parts.clear()
    at = np.concatenate(ats)
    ats.clear()
    joined_inputs = np.concatenate(inputs)
    inputs.clear()
    return at, joined_inputs, np.concatenate(outputs)


def _said(only: Only) -> str:
    return "".join(f" with {name}={value}" for name, value in only.items())
