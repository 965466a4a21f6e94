"""The cluster that is named wins, then kind, then the native testbed."""

import pytest

from testbed.choice import choose_cluster


@pytest.mark.parametrize(
    ("environment", "working", "expected"),
    [
        pytest.param({"CYNOSURE_CONTEXT": "mine"}, {"kind", "docker"}, ("context", "mine"), id="named"),
        pytest.param({}, {"kind", "docker"}, ("kind", "kind-cynosure"), id="kind with Docker"),
        pytest.param({}, {"kind", "podman"}, ("kind", "kind-cynosure"), id="kind with Podman"),
        pytest.param({}, {"kind"}, ("native", None), id="kind alone"),
        pytest.param({}, {"docker"}, ("native", None), id="Docker alone"),
        pytest.param({"CYNOSURE_CONTEXT": ""}, set(), ("native", None), id="nothing"),
    ],
)
def test_choice(environment: dict[str, str], working: set[str], expected: tuple[str, str | None]) -> None:
    choice = choose_cluster(environment, lambda command: command[0] in working)
    assert (choice.kind, choice.context) == expected
    assert choice.reason
