"""``cynosure size``: its answers, and what it refuses."""

import argparse
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.errors import BadInput
from cynosure.size.command import register
from cynosure.size.deadline import ImageGpu, fewest_gpus, most_images
from hypothesis import given, settings
from hypothesis import strategies as st

LOAD = ("--rate-rps", "20", "--input-tokens", "2048", "--output-tokens", "28")


def size(*options: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    arguments = parser.parse_args(["size", *options])
    return int(arguments.run(arguments))


@pytest.fixture
def opt(repository: Path) -> str:
    return str(repository / "examples/profiles/opt-1.3b.yaml")


def answer_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_every_option_says_what_it_costs_and_gives(opt: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert size("llm", "--profile", opt, *LOAD, "--slo", "ttft_p95_ms=400,tpot_p95_ms=80", "--json") == 0
    answer = answer_of(capsys)
    keys = {"partition", "gpu", "batch", "replicas", "capacity_rps", "gpus", "cost_per_hour", "watts", "attainment"}
    assert all(keys <= set(option) for option in answer["options"])
    assert answer["chosen"] == answer["options"][0]
    assert answer["chosen"]["pareto"]
    assert all(option["attainment"] >= 0.95 for option in answer["options"])
    assert f"{answer['chosen']['replicas']} x {answer['chosen']['partition']} is the cheapest" in answer["reason"]


def test_an_slo_out_of_reach_is_a_no(opt: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert size("llm", "--profile", opt, *LOAD, "--slo", "ttft_p95_ms=5", "--json") == 1
    answer = answer_of(capsys)
    assert (answer["options"], answer["chosen"]) == ([], None)
    assert "allow a larger partition or a longer time" in answer["reason"]


def test_an_slo_and_a_bare_spec_may_come_from_files(
    opt: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
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
def test_a_target_that_is_none_is_named(opt: str, slo: str, told: str) -> None:
    with pytest.raises(BadInput, match=r"^[^\n]*$") as refused:
        size("llm", "--profile", opt, *LOAD, "--slo", slo)
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["points: 7", "[", "spec: {model: x}"], ids=["not a spec", "not YAML", "incomplete"])
def test_a_profile_that_is_none_is_one_clear_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"^[^\n]*profile\.yaml[^\n]*$"):
        size("llm", "--profile", str(file), *LOAD, "--slo", "ttft_p95_ms=400")


GPUS = [
    {"latency_seconds": [0.01, 0.002], "warmup_seconds": [1, 0.01], "max_minibatch": 64, "max_runs": 1000},
    {"latency_seconds": [0.02, 0.001], "warmup_seconds": [2, 0.01], "max_minibatch": 128, "max_runs": 50},
]


@pytest.mark.parametrize(
    ("options", "code", "used"),
    [((), 0, 2), (("--images", "5900"), 0, 1), (("--images", "7000"), 0, 2), (("--images", "20000"), 1, 0)],
    ids=["most", "one is enough", "two are needed", "too many"],
)
def test_images_before_a_deadline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], code: int, used: int
) -> None:
    file = tmp_path / "gpus.json"
    file.write_text(json.dumps(GPUS))
    assert size("images", "--gpus", str(file), "--deadline-seconds", "10", *options, "--json") == code
    answer = answer_of(capsys)
    assert set(answer) == {"gpus", "gpus_used", "images", "seconds", "optimal", "solve_seconds"}
    assert answer["gpus_used"] == len(answer["gpus"]) == used
    assert answer["seconds"] <= 10


def test_a_gpu_list_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "gpus.json"
    file.write_text('[{"latency_seconds": [1]}]')
    with pytest.raises(BadInput, match=r"^[^\n]*gpus\.json[^\n]*latency_seconds[^\n]*$"):
        size("images", "--gpus", str(file), "--deadline-seconds", "10")


seconds = st.tuples(st.floats(0, 2), st.floats(0.01, 1))
some_gpus = st.lists(
    st.builds(
        ImageGpu,
        latency_seconds=seconds,
        warmup_seconds=seconds,
        max_minibatch=st.integers(1, 4),
        max_runs=st.integers(0, 5),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(gpus=some_gpus, deadline=st.floats(0.1, 10), images=st.integers(1, 40))
def test_nothing_does_more_images_or_needs_fewer_gpus(gpus: list[ImageGpu], deadline: float, images: int) -> None:
    def fits(gpu: ImageGpu, minibatch: int, runs: int) -> bool:
        warmup, run = (a + b * minibatch for a, b in (gpu.warmup_seconds, gpu.latency_seconds))
        return warmup + runs * run <= deadline + 1e-9

    best = [
        max(((t + 1) * m for m, t in product(range(1, g.max_minibatch + 1), range(g.max_runs + 1)) if fits(g, m, t)),
            default=0)
        for g in gpus
    ]  # fmt: skip
    assert sum(share.images for share in most_images(gpus, deadline)) == sum(best)
    sets = list(product((0, 1), repeat=len(gpus)))
    enough = [sum(c) for c in sets if sum(b for b, used in zip(best, c, strict=True) if used) >= images]
    found = fewest_gpus(gpus, images, deadline)
    assert (None if found is None else len(found)) == min(enough, default=None)
