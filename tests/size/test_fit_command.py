"""``cynosure size fit``: a profile for other lengths than those that were measured."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cynosure.errors import BadInput
from cynosure.size.measured import interpolation_error, read_profile

Size = Callable[..., int]
PLACE = ("--model", "x/y", "--gpu", "A100-80GB", "--partition", "7g.80gb")
LENGTHS = ("--input-tokens", "1000", "--output-tokens", "200")
HEADER = "concurrency,input_tokens,output_tokens,tpot_ms,ttft_ms"


def decode_ms(batch: float, context: float) -> float:
    return 10 + 0.05 * batch + 2e-4 * batch * context


def measured() -> str:
    """Runs of a known engine: a decode step, 20 us for each prompt token of others, and 5 ms + 0.1 ms a token alone."""
    lines = [HEADER]
    for batch in (1, 4, 16, 64):
        for inputs, outputs in ((128, 128), (512, 64), (2048, 256), (500, 800)):
            tpot = decode_ms(batch, inputs + outputs / 2) + 0.02 * batch * inputs / outputs
            lines.append(f"{batch},{inputs},{outputs},{tpot},{5 + 0.1 * inputs}")
    return "\n".join(lines)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    path.write_text(measured())
    return path


def test_the_decode_step_is_told_apart_from_the_prefills_of_others(
    size: Size, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert size("fit", "--runs", str(runs), *PLACE, *LENGTHS) == 0
    fitted = tmp_path / "fitted.json"
    fitted.write_text(capsys.readouterr().out)
    points = read_profile(fitted).on("A100-80GB", "7g.80gb")
    assert [point.batch for point in points] == [1, 4, 16, 64]
    for point in points:
        assert 1000 * point.tpot_seconds == pytest.approx(decode_ms(point.batch, 1100), rel=0.02)
        assert 1000 * point.ttft_seconds == pytest.approx(105, rel=0.02)
    assert "each predicted from the others: median error" in json.loads(fitted.read_text())["provenance"]


def test_the_fitted_profile_can_be_sized_with(
    size: Size, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size("fit", "--runs", str(runs), *PLACE, *LENGTHS)
    fitted = tmp_path / "fitted.json"
    fitted.write_text(capsys.readouterr().out)
    load = ("--rate-rps", "5", *LENGTHS)
    assert size("llm", "--profile", str(fitted), *load, "--slo", "ttft_p95_ms=800,tpot_p95_ms=60", "--json") == 0
    assert json.loads(capsys.readouterr().out)["chosen"]["time_error"] < 0.02


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("concurrency,tpot_ms\n1,2", "no column input_tokens, output_tokens, ttft_ms"),
        (f"{HEADER}\n1,2,3,4,5", "1 runs; a fit needs at least 4"),
        (f"{HEADER}\n1,2,3,-4,5", "line 2: tpot_ms is '-4'; must be a number above 0"),
        (f"{HEADER}\n1,2,3", "line 2: tpot_ms is None"),
        ("", "no column concurrency"),
    ],
    ids=["columns", "too few", "negative", "short line", "empty"],
)
def test_runs_that_cannot_be_fitted_are_one_clear_line(size: Size, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"^[^\n]*runs\.csv[^\n]*$") as refused:
        size("fit", "--runs", str(path), *PLACE, *LENGTHS)
    assert told in str(refused.value)


def test_a_partition_that_the_gpu_does_not_have_is_named(size: Size, runs: Path) -> None:
    with pytest.raises(BadInput, match=r"^--partition: A100-80GB has no 1g\.5gb; it has 1g\.10gb"):
        size("fit", "--runs", str(runs), *PLACE[:-1], "1g.5gb", *LENGTHS)


def test_points_left_out_tell_how_well_the_others_stand_for_them(repository: Path) -> None:
    points = read_profile(repository / "examples/profiles/opt-1.3b.yaml").on("A100-80GB", "7g.80gb")
    error = interpolation_error(points)
    assert error is not None
    assert 0 < error < 0.1
    assert interpolation_error(points[:2]) is None
    assert np.isfinite(error)
