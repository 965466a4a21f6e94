"""Files that nobody published, understood by the names that people give to times, tokens, rates and counts."""

import re
from difflib import get_close_matches

from loadgen.errors import BadLoadInput
from loadgen.formats.rates import RateForm
from loadgen.formats.requests import Form, RequestForm
from loadgen.formats.rows import Rows, plain_name, positions_of

# fmt: off
_TIMES = (
    "timestamp", "time", "ts", "datetime", "date", "arrival", "arrivals", "arrival_time", "arrival_timestamp",
    "arrived_at", "request_time", "start", "start_time", "sent_at", "created_at", "timestamp_utc", "time_utc",
    "unix_time", "epoch", "t", "msec", "time_iso8601", "time_local",
)
_STEPS = {
    "second": 1.0, "seconds": 1.0, "minute": 60.0, "minutes": 60.0, "hour": 3600.0, "hours": 3600.0,
    "hour_utc": 3600.0, "day": 86_400.0, "days": 86_400.0,
}
_UNITS = {
    "ns": 1e-9, "nanoseconds": 1e-9, "us": 1e-6, "microseconds": 1e-6, "ms": 1e-3, "milliseconds": 1e-3, "millis": 1e-3,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, **_STEPS,
}
_INPUTS = (
    "input_tokens", "prompt_tokens", "num_prefill_tokens", "num_input_tokens", "context_tokens", "contexttokens",
    "request_tokens", "input_length", "input_len", "prompt_length", "prompt_len", "isl",
)
_OUTPUTS = (
    "output_tokens", "completion_tokens", "num_decode_tokens", "num_output_tokens", "generated_tokens",
    "generatedtokens", "response_tokens", "output_length", "output_len", "osl",
)
_RATES = ("value", "rate", "rps", "qps", "request_rate", "arrival_rate", "rate_rps", "total_rate_rps", "load")
_COUNTS = (
    "count", "counts", "requests", "request_count", "num_requests", "n_requests", "total_requests",
    "requests_estimated", "hits", "invocations", "arrivals", "calls", "queries", "total",
)
# fmt: on
_PER = re.compile(r"(?:[a-z]+_)*per_(s|sec|second|m|min|minute|h|hour|day)(?:_mid)?")
_CALENDAR_STEP_SECONDS = 60.0


def plain_form(rows: Rows) -> Form:
    """Return what the columns of a file make it; BadLoadInput, with the nearest names, when they make it nothing."""
    names = list(positions_of(rows))
    time = next((name for name in names if _is_time(name)), None)
    if time is None:
        raise BadLoadInput(_unknown(rows, "no column of times"))
    inputs, outputs = (next((n for n in known if n in names and n != time), "") for known in (_INPUTS, _OUTPUTS))
    if inputs and outputs:
        return RequestForm("requests", time, inputs, outputs, _unit_of(time))
    if inputs or outputs:
        raise BadLoadInput(_unknown(rows, f"{inputs or outputs} without {'output' if inputs else 'input'} tokens"))
    if value := next((name for name in names if name != time and _is_value(name)), None):
        return RateForm("rates", time, value, _counted_over(value, time), _unit_of(time))
    if any(_is_number(cell) for name, cell in zip(rows.names, rows.first, strict=False) if plain_name(name) != time):
        raise BadLoadInput(_unknown(rows, "no column of rates, counts or tokens"))
    return RequestForm("arrivals", time, unit_seconds=_unit_of(time), notes=("each row is taken as one request",))


def _is_time(name: str) -> bool:
    base, _, unit = name.rpartition("_")
    return name in _TIMES or name in _STEPS or (base in _TIMES and unit in _UNITS)


def _unit_of(time: str) -> float | None:
    """Return the unit that a column of times names; None where its cells must tell."""
    return None if time in _TIMES else _UNITS[time if time in _UNITS else time.rpartition("_")[2]]


def _is_value(name: str) -> bool:
    return name in _RATES or name in _COUNTS or name == "rpm" or _PER.fullmatch(name) is not None


def _counted_over(value: str, time: str) -> float | None:
    """Return the seconds that a value counts requests over; None is the step of the file."""
    if value in _RATES:
        return 1.0
    if found := _PER.fullmatch(value):
        return _UNITS[found[1]]
    if value == "rpm":
        return 60.0
    step = _STEPS.get(time, 0.0)
    return step if step >= _CALENDAR_STEP_SECONDS else None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _unknown(rows: Rows, lack: str) -> str:
    known = (*_TIMES, *_INPUTS, *_OUTPUTS, *_RATES, *_COUNTS)
    close = {name: get_close_matches(plain_name(name), known, 1, 0.75) for name in rows.names}
    hints = [f"; is {name!r} {match[0]!r}?" for name, match in close.items() if match and match[0] != name]
    return (
        f"{rows.path}, line 1: the columns {','.join(rows.names)[:120]!r} are no trace that is known "
        f"({lack}){''.join(hints[:2])}; name them timestamp,input_tokens,output_tokens (requests), timestamp,value "
        f"(requests per second) or timestamp,count (requests in each step)"
    )
