"""The public series on which forecasts are measured, each on a regular grid where NaN is missing.

``tuned`` series are those that the choices inside ``cynosure.forecast`` were made on; the others only confirm them.
"""

import csv
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from cynosure.forecast.grid import on_grid
from cynosure.forecast.series_file import read_series
from cynosure.model.signals import Floats, Series

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    step_seconds: float
    read: Callable[[], Floats]
    tuned: bool = False

    @property
    def day_steps(self) -> int:
        return round(86400 / self.step_seconds)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Services that are observed together."""

    name: str
    step_seconds: float
    services: tuple[Floats, ...]


def fleets() -> tuple[Fleet, ...]:
    """Clients with two requests a second or more, as each were a service of its own; and machines."""
    machines = (61, 73, 355, 359, 543, 608, 615, 654, 807, 842, 844, 1213)
    return (
        *(Fleet(f"servegen {model} clients 10-min", 600, _busy(model, 2.0)) for model in ("m-small", "m-large")),
        Fleet("bitbrains 5-min", 300, tuple(_bitbrains(machine) for machine in machines)),
    )


def cases() -> tuple[Case, ...]:
    return (
        Case("nasa 5-min", 300, partial(_web, "nasa"), tuned=True),
        Case("fifa 5-min", 300, partial(_web, "fifa")),
        Case("azure code 7.2-min", 432, partial(_azure, "code"), tuned=True),
        Case("azure code hourly", 3600, partial(_azure_hourly, "code"), tuned=True),
        Case("azure conv 7.2-min", 432, partial(_azure, "conv")),
        Case("azure conv hourly", 3600, partial(_azure_hourly, "conv")),
        Case("servegen m-small 10-min", 600, partial(_servegen, "m-small"), tuned=True),
        Case("servegen m-large 10-min", 600, partial(_servegen, "m-large")),
        *(Case(f"m-small client {n} 10-min", 600, partial(_client, "m-small", n), tuned=True) for n in _SMALL_CLIENTS),
        *(Case(f"m-large client {n} 10-min", 600, partial(_client, "m-large", n)) for n in _LARGE_CLIENTS),
        *(Case(f"bitbrains {n} 5-min", 300, partial(_bitbrains, n), tuned=True) for n in (61, 73, 355, 359, 543, 608)),
        *(Case(f"bitbrains {n} 5-min", 300, partial(_bitbrains, n)) for n in (615, 654, 807, 842, 844, 1213)),
        Case("alibaba lora requests 30-min", 1800, _alibaba_requests),
    )


_SMALL_CLIENTS = (0, 1, 2, 3)
_LARGE_CLIENTS = (0, 1, 2, 3)


def _web(name: str) -> Floats:
    """Requests in 5 minutes. A minute without requests has no row, so a bin without any row is an outage: missing."""
    times, counts = _columns(DATA / f"web_traffic_1998_1995/{name}.csv.gz", "minute", "count")
    return _sums(times, counts, 300.0)


def _azure(name: str) -> Floats:
    series = read_series(DATA / f"azure_llm_2024_digitised/{name}_week_digitised.csv", "timestamp_utc", "per_min_mid")
    return on_grid(series, float(series.times[-1]) + 216, 432.0).values


def _azure_hourly(name: str) -> Floats:
    path = DATA / f"azure_llm_2024_digitised/{name}_week_hourly_estimated.csv"
    return read_series(path, "hour_utc", "requests_estimated").values


def _servegen(model: str) -> Floats:
    with (DATA / "servegen/derived_total_rates.csv").open(encoding="utf-8") as file:
        return np.array([float(row["total_rate_rps"]) for row in csv.DictReader(file) if row["model"] == model])


def _client(model: str, rank: int) -> Floats:
    """The client with the ``rank``-th largest load of a model."""
    return sorted(_clients(model), key=np.nansum)[-1 - rank]


def _busy(model: str, least_rps: float) -> tuple[Floats, ...]:
    return tuple(rates for rates in _clients(model) if np.nanmean(rates) >= least_rps)


def _clients(model: str) -> list[Floats]:
    rates: dict[str, list[float]] = {}
    for row in _rows(DATA / f"servegen/{model}_client_rates.csv.gz"):
        rates.setdefault(row["client"], []).append(float(row["rate_rps"] or "nan"))
    return [np.array(values) for values in rates.values()]


def _bitbrains(machine: int) -> Floats:
    """CPU used, in MHz, while the machine has cores: the files go on, some with a second machine's rows of zeros."""
    rows = _rows(DATA / f"bitbrains_faststorage/{machine}.csv.gz", delimiter=";")
    on = (row for row in rows if float(row["\tCPU cores"]) > 0)
    pairs = np.array([(float(row["Timestamp [ms]"]), float(row["\tCPU usage [MHZ]"])) for row in on])
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    series = Series(pairs[:, 0], pairs[:, 1])
    return on_grid(series, float(series.times[-1]) + 150, 300.0).values


def _alibaba_requests() -> Floats:
    path = DATA / "alibaba_genai_2026/lora_request_trace.csv.gz"
    times = np.array([_unix_seconds(row["gmt_create"]) for row in _rows(path)])
    counts = np.bincount(((times - times.min()) // 1800).astype(int)).astype(float)
    return counts[:-1]


def trimmed(values: Floats) -> Floats:
    """Return the values from the first to the last that is known."""
    known = np.flatnonzero(np.isfinite(values))
    return values[known[0] : known[-1] + 1]


def _sums(times: Floats, counts: Floats, step: float) -> Floats:
    index = ((times - times[0]) // step).astype(int)
    seen = np.bincount(index)
    return np.where(seen > 0, np.bincount(index, counts), np.nan)[:-1]


def _columns(path: Path, time: str, value: str) -> tuple[Floats, Floats]:
    pairs = np.array([(_unix_seconds(row[time]), float(row[value])) for row in _rows(path)])
    return pairs[:, 0], pairs[:, 1]


def _unix_seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _rows(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file, delimiter=delimiter)
