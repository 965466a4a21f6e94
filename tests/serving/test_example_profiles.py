"""The committed profiles are what their derivation says, and what the operator accepts."""

import importlib.util
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from cynosure.api.model_profile import ModelProfile

NAMES = ["opt-1.3b", "resnet-152"]


def derivation(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("derive_profiles", repository / "benchmarks" / "derive_profiles.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_derived_again_from_the_published_measurements(name: str, repository: Path, shared_data: Path) -> None:
    derived = derivation(repository).derive(shared_data)

    assert (repository / "examples" / "profiles" / f"{name}.yaml").read_text() == derived[f"{name}.yaml"]


def points(repository: Path, name: str) -> list[dict[str, Any]]:
    manifest = yaml.safe_load((repository / "examples" / "profiles" / f"{name}.yaml").read_text())
    found: list[dict[str, Any]] = manifest["spec"]["points"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_api_accepts_them(name: str, repository: Path) -> None:
    manifest = yaml.safe_load((repository / "examples" / "profiles" / f"{name}.yaml").read_text())

    profile = ModelProfile.model_validate(manifest)

    assert {point.partition for point in profile.spec.points} == {"1g.10gb", "2g.20gb", "3g.40gb", "7g.80gb"}


@pytest.mark.parametrize(("name", "size"), [("opt-1.3b", "concurrency"), ("resnet-152", "batch")])
def test_a_larger_partition_is_never_slower(name: str, size: str, repository: Path) -> None:
    field = {"concurrency": "tpotMilliseconds", "batch": "latencyMilliseconds"}[size]
    by_size: dict[int, list[float]] = {}
    for point in points(repository, name):
        by_size.setdefault(point[size], []).append(float(point[field]))

    for at, times in by_size.items():
        assert all(later <= 1.1 * earlier for earlier, later in pairwise(times)), at
