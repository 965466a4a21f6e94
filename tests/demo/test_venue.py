"""The demo on a cluster of one's own: what it must be told, and what it does with kind."""

from collections.abc import Sequence

import pytest
from cynosure.errors import BadInput

from demo.venue import images_of
from testbed import kind


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("", id="none"),
        pytest.param("registry.example:5000/cynosure", id="without a tag"),
        pytest.param("cynosure@sha256:0123", id="by digest, which the chart does not take"),
    ],
)
def test_an_image_that_the_chart_cannot_use_is_refused(image: str) -> None:
    with pytest.raises(BadInput, match="CYNOSURE_IMAGE="):
        images_of({"CYNOSURE_IMAGE": image})


def test_background_load_needs_an_image_of_its_own() -> None:
    named = {"CYNOSURE_IMAGE": "registry.example:5000/cynosure:dev"}
    assert images_of(named)["cynosure"] == "registry.example:5000/cynosure:dev"
    assert "stress-ng" not in images_of(named)
    assert images_of({**named, "CYNOSURE_STRESS_IMAGE": "stress:1"})["stress-ng"] == "stress:1"


@pytest.mark.parametrize(
    ("standing", "creates"), [pytest.param("", True, id="new"), pytest.param("other\ncynosure\n", False, id="there")]
)
def test_kind_gets_a_cluster_once_and_the_image_each_time(standing: str, creates: bool) -> None:
    commands: list[tuple[str, ...]] = []

    def run(command: Sequence[str]) -> str:
        commands.append(tuple(command[:3]))
        return standing

    image = kind.kind_up("podman", lambda text: None, run)
    assert (("kind", "create", "cluster") in commands) == creates
    assert ("podman", "build", "--tag") in commands
    assert commands[-1] == ("kind", "load", "docker-image")
    assert images_of({"CYNOSURE_IMAGE": image})["cynosure"] == image
