from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.profile import Profile, ProfileError, classifier_timing, decoder_timing, read_profile
from tests.serving.builders import GPU, PARTITION, image_spec, text_spec


def test_a_manifest_and_its_spec_alone_read_the_same(tmp_path: Path) -> None:
    spec, manifest = tmp_path / "spec.json", tmp_path / "manifest.yaml"
    spec.write_text(yaml.safe_dump(text_spec()))
    manifest.write_text(yaml.safe_dump({"kind": "ModelProfile", "spec": text_spec()}))

    assert read_profile(spec) == read_profile(manifest)


def test_text_points_become_timing() -> None:
    timing = decoder_timing(Profile.model_validate(text_spec(step_ms=10, ttft_ms=40)), GPU, PARTITION)

    assert timing.max_concurrency == 4
    assert timing.step_seconds(4) == pytest.approx(0.015)
    assert timing.prefill_seconds(200, 1) == pytest.approx(0.020), "half of the measured 400 tokens"


def test_image_points_become_timing_and_those_of_several_processes_are_left_out() -> None:
    spec = image_spec()
    spec["points"].append({**spec["points"][0], "batch": 64, "processes": 3})

    assert classifier_timing(Profile.model_validate(spec), GPU, PARTITION).max_batch == 8


def _without(field: str) -> dict[str, Any]:
    spec = text_spec()
    del spec["points"][1][field]
    return spec


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("points: [", "cannot be read", id="not YAML"),
        pytest.param("- 1", "the document: Input should be", id="not a mapping"),
        pytest.param("task: text-generation", "points: Field required", id="no points"),
        pytest.param(yaml.safe_dump({**text_spec(), "task": "video"}), "task: Input should be", id="unknown task"),
        pytest.param(
            yaml.safe_dump(text_spec(step_ms=-1)), "points.0.tpotMilliseconds: Input should be greater", id="negative"
        ),
    ],
)
def test_a_bad_file_gives_one_line_that_names_file_and_field(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(text)

    with pytest.raises(ProfileError) as refusal:
        read_profile(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"absent\.yaml: cannot be read"):
        read_profile(tmp_path / "absent.yaml")


def test_a_partition_that_was_not_measured_is_refused_with_those_that_were() -> None:
    with pytest.raises(ProfileError, match=r"no measurement on A100-80GB 1g\.10gb; measured are A100-80GB 3g\.40gb"):
        decoder_timing(Profile.model_validate(text_spec()), GPU, "1g.10gb")


def test_a_point_without_a_needed_field_names_it() -> None:
    with pytest.raises(ProfileError, match=r"A100-80GB 3g\.40gb: tpotMilliseconds missing"):
        decoder_timing(Profile.model_validate(_without("tpotMilliseconds")), GPU, PARTITION)
