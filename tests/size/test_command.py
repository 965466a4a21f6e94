"""``cynosure size``: its answers, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.errors import BadInput

Size = Callable[..., int]
LOAD = ("--rate-rps", "20", "--input-tokens", "2048", "--output-tokens", "28")


@pytest.fixture
def opt(repository: Path) -> str:
    return str(repository / "examples/profiles/opt-1.3b.yaml")


def answer_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_every_option_says_what_it_costs_and_gives(size: Size, opt: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert size("llm", "--profile", opt, *LOAD, "--slo", "ttft_p95_ms=400,tpot_p95_ms=80", "--json") == 0
    answer = answer_of(capsys)
    keys = {"partition", "gpu", "batch", "replicas", "capacity_rps", "gpus", "cost_per_hour", "watts", "attainment"}
    assert all(keys <= set(option) for option in answer["options"])
    assert answer["chosen"] == answer["options"][0] | {"reason": answer["reason"]}
    assert answer["chosen"]["pareto"]
    assert all(option["attainment"] >= 0.95 for option in answer["options"])
    assert f"{answer['chosen']['replicas']} x {answer['chosen']['partition']} is the cheapest" in answer["reason"]


def test_an_slo_out_of_reach_is_a_no(size: Size, opt: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert size("llm", "--profile", opt, *LOAD, "--slo", "ttft_p95_ms=5", "--json") == 1
    answer = answer_of(capsys)
    assert (answer["options"], answer["chosen"]) == ([], None)
    assert "allow a larger partition or a longer time" in answer["reason"]


def test_an_slo_and_a_bare_spec_may_come_from_files(
    size: Size, opt: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slo = tmp_path / "slo.yaml"
    slo.write_text("targets: [{metric: ttft, percentile: 95, milliseconds: 400}]")
    spec = tmp_path / "mine.json"
    spec.write_text(json.dumps(yaml.safe_load(Path(opt).read_text())["spec"]))
    assert size("llm", "--profile", str(spec), *LOAD, "--slo", str(slo), "--json") == 0
    assert answer_of(capsys)["slo"] == ["p95 ttft <= 400 ms"]


@pytest.mark.parametrize(
    ("slo", "told"),
    [
        ("ttft_p95=400", "'ttft_p95=400' is no target"),
        ("speed_p95_ms=400", "'speed_p95_ms=400' is no target"),
        ("ttft_p95_ms=0", "is no target"),
    ],
)
def test_a_target_that_is_none_is_named(size: Size, opt: str, slo: str, told: str) -> None:
    with pytest.raises(BadInput, match=r"^[^\n]*$") as refused:
        size("llm", "--profile", opt, *LOAD, "--slo", slo)
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["points: 7", "[", "spec: {model: x}"], ids=["not a spec", "not YAML", "incomplete"])
def test_a_profile_that_is_none_is_one_clear_line(size: Size, tmp_path: Path, text: str) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"^[^\n]*profile\.yaml[^\n]*$"):
        size("llm", "--profile", str(file), *LOAD, "--slo", "ttft_p95_ms=400")


ONE_POINT = {
    "model": "x/y",
    "loadSeconds": 8,
    "points": [
        {"gpu": "A100-80GB", "partition": "3g.40gb", "concurrency": 8, "inputTokens": 512, "outputTokens": 128,
         "ttftMilliseconds": "41.5", "tpotMilliseconds": "12.3", "throughputRps": "12.1", "kvCacheTokens": 100_000}
    ],
}  # fmt: skip


def one_point(tmp_path: Path, **changes: object) -> tuple[str, str]:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(ONE_POINT | {"points": [ONE_POINT["points"][0] | changes]}))  # type: ignore[index]
    return "--profile", str(file)


def test_a_profile_of_one_point_is_used_and_says_what_that_means(
    size: Size, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert size("llm", *one_point(tmp_path), *LOAD, "--slo", "ttft_p95_ms=2000,tpot_p95_ms=80", "--json") == 0
    answer = answer_of(capsys)
    assert answer["notes"] == ["3g.40gb on A100-80GB has one measured point: its times count for every batch up to 8"]
    assert answer["chosen"]["watts"] is None


@pytest.mark.parametrize(
    ("tokens", "slo", "told"),
    [
        (
            "2048",
            "tpot_p95_ms=4",
            "p95 tpot <= 4 ms: even without load 3g.40gb, the best of those allowed",
        ),
        ("200000", "ttft_p95_ms=90000", "200000 + 28 tokens do not fit the KV cache: 3g.40gb, the largest"),
    ],
    ids=["time", "memory"],
)
def test_a_no_names_the_limit_that_binds_and_the_best_there_is(
    size: Size, tmp_path: Path, capsys: pytest.CaptureFixture[str], tokens: str, slo: str, told: str
) -> None:
    load = ("--rate-rps", "2", "--input-tokens", tokens, "--output-tokens", "28")
    assert size("llm", *one_point(tmp_path), *load, "--slo", slo, "--json") == 1
    assert told in answer_of(capsys)["reason"]


def test_a_partition_that_its_gpu_does_not_have_is_no_option(
    size: Size, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert size("llm", *one_point(tmp_path, partition="1g.5gb"), *LOAD, "--slo", "ttft_p95_ms=2000", "--json") == 1
    assert "has no point for any partition" in answer_of(capsys)["reason"]


@pytest.mark.parametrize("option", ["--rate-rps", "--input-tokens", "--output-tokens", "--gpu-cost-per-hour"])
def test_an_option_out_of_its_range_names_its_limit(size: Size, opt: str, option: str) -> None:
    with pytest.raises(BadInput, match=rf"^{option}: got 0; must be above 0$"):
        size("llm", "--profile", opt, *LOAD, "--slo", "ttft_p95_ms=400", option, "0")
