"""``cynosure forecast``: its contract, what it refuses, and how good it is on public traces."""

import argparse
import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from cynosure.errors import BadInput
from cynosure.forecast.command import register

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


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("time,load\n1,2\n2,3\n", [], "no column 'timestamp'; --time-column may be time, load"),
        ("timestamp,value\n1,2\n2,many\n", [], "line 3: value is 'many'"),
        ("timestamp,value\n1,2\nnoon,3\n", [], "line 3: timestamp is 'noon'"),
        ("timestamp,value\n1,2\n", [], "fewer than 2 times"),
        ("", [], "no column 'timestamp'"),
        ("timestamp,value\n1,2\n2,3\n3,4\n", ["--horizon-steps", "9"], "use a longer series, a smaller horizon"),
        ("timestamp,value\n1,2\n2,3\n3,4\n", ["--horizon-steps", "0"], "--horizon-steps: got 0"),
        ("timestamp,value\n1,2\n2,3\n3,4\n", ["--start-fraction", "1.5"], "--start-fraction: got 1.5"),
    ],
    ids=["column", "number", "time", "one row", "empty", "too short", "horizon", "fraction"],
)
def test_bad_input_is_one_clear_line(tmp_path: Path, text: str, options: list[str], told: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"^[^\n]*$") as refused:
        forecast("--series", str(file), "--horizon-steps", "1", *options)
    assert told in str(refused.value)


@pytest.mark.parametrize("week", ["code", "conv"])
def test_a_public_week_is_forecast_within_calibrated_bands(
    week: str, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an hour ahead; measured 5.6 % against 9.9 % (code) of the last value; conv: see docs/forecast.md."""
    file = shared_data / f"azure_llm_2024_digitised/{week}_week_digitised.csv"
    columns = ["--time-column", "timestamp_utc", "--value-column", "per_min_mid"]
    answer = scored(capsys, "--series", str(file), *columns, "--horizon-steps", "4")
    assert answer["wape"] <= 1.05 * answer["baselines"]["last_value"]["wape"]
    assert answer["coverage"]["0.9"] == pytest.approx(0.9, abs=0.05)
    assert answer["coverage"]["0.99"] > 0.96
