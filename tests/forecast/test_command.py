"""``cynosure forecast``: its contract, what it refuses, and how good it is on public traces."""

import argparse
import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cynosure.forecast.command import register
from cynosure.forecast.series_file import read_series

from tests.builders.series import daily_load


def forecast(*options: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    arguments = parser.parse_args(["forecast", *options])
    return int(arguments.run(arguments))


@pytest.fixture
def series(tmp_path: Path) -> Path:
    file, history = tmp_path / "load.csv.gz", daily_load(5.0)
    with gzip.open(file, "wt") as out:
        out.write("timestamp,value\n")
        for n, (time, value) in enumerate(zip(history.times, history.values, strict=True)):
            missing = n % 17 == 0  # as an empty cell or as no line at all
            out.write(f"{time},\n" if missing and n % 2 else "" if missing else f"{time},{value}\n")
    return file


def scored(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert forecast(*options, "--json") == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_answer_has_the_keys_of_the_contract(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = scored(capsys, "--series", str(series), "--horizon-steps", "12", "--season-steps", "120")
    assert list(answer) == [
        "series", "steps", "horizon_steps", "wape", "quantile_loss", "coverage", "baselines",
        "method_share", "fit_seconds", "predict_seconds_p99",
    ]  # fmt: skip
    assert list(answer["coverage"]) == ["0.5", "0.9", "0.99"]
    assert answer["wape"] < 0.06 < answer["baselines"]["last_value"]["wape"]
    assert sum(answer["method_share"].values()) == pytest.approx(1)


def test_a_missing_step_is_neither_forecast_nor_scored(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "predictions.csv"
    answer = scored(capsys, "--series", str(series), "--horizon-steps", "3", "--predictions", str(out))
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == answer["steps"] == sum(n % 17 != 0 for n in range(480, 600))
    assert all(float(row["q0.05"]) <= float(row["q0.5"]) <= float(row["q0.99"]) for row in rows)


def test_a_stride_forecasts_fewer_steps(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    every = scored(capsys, "--series", str(series), "--horizon-steps", "2")
    fifth = scored(capsys, "--series", str(series), "--horizon-steps", "2", "--stride", "5")
    assert fifth["steps"] == pytest.approx(every["steps"] / 5, abs=3)


THREE = "timestamp,value\n1,2\n2,3\n3,4\n"


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("", [], "empty"),
        ("timestamp,value\n", [], "fewer than 2 times"),
        ("timestamp,value\n1,2\n", [], "fewer than 2 times"),
        ("timestamp,value\n1,NaN\n2,\n3,nan\n", [], "fewer than 2 times"),
        ("time,load\n1,2\n2,3\n", [], "no column 'timestamp'; --time-column may be time, load"),
        ("timestamp,load\n1,2\n2,3\n", [], "no column 'value'; --value-column may be timestamp, load"),
        ("timestamp,value\n1,2\n2,many\n", [], "line 3: 'many'"),
        ("timestamp,value\n1,2\n2,-1\n", [], "line 3: '-1'"),
        ("timestamp,value\n1,2\nnoon,3\n", [], "line 3: 'noon'"),
        ("timestamp,value\n1,2\n2\n", [], "line 3: 1 columns where the header has 2"),
        ("timestamp,value\n1,2\n2,3\n3,4\n1e12,5\n", [], "look for a wrong time"),
        (THREE, ["--horizon-steps", "9"], "use a longer series, a smaller horizon"),
        (THREE, ["--horizon-steps", "0"], "--horizon-steps: got 0"),
        (THREE, ["--start-fraction", "1.5"], "--start-fraction: got 1.5"),
        (THREE, ["--stride", "0"], "--stride: got 0"),
        (THREE, ["--season-steps", "1"], "--season-steps: got 1"),
    ],
    ids=[
        "empty", "header only", "one row", "all missing", "time column", "value column", "no number", "negative",
        "no time", "ragged", "wrong time", "horizon beyond history", "horizon", "fraction", "stride", "season",
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(tmp_path: Path, text: str, options: list[str], told: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"^[^\n]*$") as refused:
        forecast("--series", str(file), "--horizon-steps", "1", *options)
    assert told in str(refused.value)


def test_rows_may_come_in_any_order_and_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice the same time is one bin, its mean; NaN and an empty cell are missing, which is not zero."""
    rows = [f"{60 * n},{10 + n % 7}" for n in range(200)]
    answers = []
    for name, lines in {"plain": rows, "shuffled": [*reversed(rows), *rows, "60,NaN", "120,"]}.items():
        (tmp_path / name).write_text("timestamp,value\n" + "\n".join(lines) + "\n")
        answers.append(scored(capsys, "--series", str(tmp_path / name), "--horizon-steps", "2"))
    assert answers[0]["steps"] == answers[1]["steps"]
    assert answers[0]["wape"] == pytest.approx(answers[1]["wape"])


def test_clocks_going_back_are_no_time_going_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An offset makes each hour its own; without one the hour that comes twice is averaged."""
    utc = [datetime(2024, 10, 25, tzinfo=UTC) + timedelta(hours=n) for n in range(96)]
    local = [time.astimezone(ZoneInfo("Europe/Berlin")) for time in utc]
    steps = []
    for name, stamps in {"offset": local, "naive": [time.replace(tzinfo=None) for time in local]}.items():
        text = "".join(f"{stamp.isoformat()},{stamp.hour + 1}\n" for stamp in stamps)
        (tmp_path / name).write_text("timestamp,value\n" + text)
        steps.append(scored(capsys, "--series", str(tmp_path / name), "--horizon-steps", "2")["steps"])
    assert steps == [19, 19]


def test_a_constant_load_is_forecast_without_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "constant.csv"
    file.write_text("timestamp,value\n" + "".join(f"{60 * n},5\n" for n in range(300)))
    answer = scored(capsys, "--series", str(file), "--horizon-steps", "3")
    assert answer["wape"] == pytest.approx(0, abs=1e-9)
    assert answer["coverage"]["0.99"] == 1


def test_a_long_file_is_read_in_seconds(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("timestamp,value\n" + "".join(f"{n},{n % 1000}\n" for n in range(300_000)))
    began = perf_counter()
    series = read_series(file, "timestamp", "value")
    assert perf_counter() - began < 10  # 0.4 s on an idle machine
    assert len(series) == 300_000


@pytest.mark.parametrize(
    ("week", "horizon", "best_baseline"),
    [("code", 4, 0.0735), ("conv", 4, 0.0783)],
    ids=["code", "conv"],
)
def test_a_public_week_is_forecast_better_than_by_any_naive_method(
    week: str, horizon: int, best_baseline: float, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an hour ahead; of code the same time yesterday is the best baseline, of conv the last value."""
    file = shared_data / f"azure_llm_2024_digitised/{week}_week_digitised.csv"
    columns = ["--time-column", "timestamp_utc", "--value-column", "per_min_mid"]
    answer = scored(capsys, "--series", str(file), *columns, "--horizon-steps", str(horizon))
    assert answer["wape"] < best_baseline
    assert answer["coverage"]["0.9"] == pytest.approx(0.9, abs=0.046)  # 99 % of the binomial distribution
    assert answer["coverage"]["0.99"] > 0.97
