"""Reading trace files: the form is told by what is in a file, and every row is used or refused by its line."""

import csv
import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path

from loadgen.errors import BadLoadInput
from loadgen.formats import prometheus
from loadgen.formats.csv_rows import CsvRows
from loadgen.formats.json_rows import JsonRows
from loadgen.formats.known import form_of
from loadgen.formats.log_rows import LogRows, looks_like_log
from loadgen.formats.rows import Rows, head_of, plain_name
from loadgen.trace import RateSeries, RequestTrace, rate_series

__all__ = ["rate_series", "read_requests", "read_trace"]


def read_trace(path: Path, only: Mapping[str, str] | None = None) -> RequestTrace | RateSeries:
    """Read requests, or a series of rates, whichever the file shows (`loadgen.formats.known`), plain or gzipped.

    ``only`` keeps the rows that have a value in a column. BadLoadInput for a file that is no trace, or has a row that
    cannot be used (with its line). 10^7 rows take seconds, and little memory beyond the numbers.
    """
    try:
        head = head_of(path)
        if prometheus.looks_like_answer(head):
            return prometheus.read(path)
        rows = _rows(path, head)
        return form_of(rows).read(rows, {plain_name(name): value for name, value in (only or {}).items()})
    except (csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadLoadInput(f"{path}: damaged, or no text ({error}); a trace is text, plain or .gz") from error
    except OSError as error:
        raise BadLoadInput(f"{path}: cannot be read ({error.strerror or error}); name a file that can") from error


def read_requests(path: Path, only: Mapping[str, str] | None = None) -> RequestTrace:
    """Read a file that must hold requests with token lengths, as the source of such lengths."""
    trace = read_trace(path, only)
    if isinstance(trace, RateSeries):
        raise BadLoadInput(f"{path}: holds rates; token lengths need timestamp,input_tokens,output_tokens")
    if not trace.has_tokens:
        raise BadLoadInput(f"{path}: its requests have no token lengths; these need input_tokens and output_tokens")
    return trace


def _rows(path: Path, head: str) -> Rows:
    begin = head.lstrip()
    if begin.startswith(("{", "[")):
        return JsonRows(path, head)
    return LogRows(path, begin) if looks_like_log(begin) else CsvRows(path, head)
