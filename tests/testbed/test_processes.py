"""Programs are started, known again and ended by pid and start time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cynosure.errors import BadInput

from testbed.cluster import Cluster, load_cluster, plan_cluster
from testbed.errors import TestbedFailed
from testbed.lifecycle import DEFAULT_NODES
from testbed.processes import is_running, kill, log_file, pid_of, recorded, start, stop, wait_until
from testbed.users import read_token, write_credentials

SLEEP = ["sleep", "60"]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    planned = plan_cluster("quick", DEFAULT_NODES, kubelets=False)
    yield planned
    for name in recorded(planned):
        kill(planned, name)


def test_a_program_runs_until_it_is_stopped(cluster: Cluster) -> None:
    start(cluster, "program", SLEEP)
    assert recorded(cluster) == ["program"]
    stop(cluster, "program")
    assert not is_running(cluster, "program")
    assert recorded(cluster) == []


def test_starting_again_keeps_the_one_that_runs(cluster: Cluster) -> None:
    start(cluster, "program", SLEEP)
    first = pid_of(cluster, "program")
    start(cluster, "program", SLEEP)
    assert pid_of(cluster, "program") == first


def test_one_that_ignores_the_request_is_made_to_end(cluster: Cluster) -> None:
    start(cluster, "stubborn", ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
    stop(cluster, "stubborn", grace_seconds=0.1)
    assert not is_running(cluster, "stubborn")


def test_a_pid_that_somebody_else_has_by_now_is_left_alone(cluster: Cluster) -> None:
    """After a restart of the machine the recorded pid may be anybody's, even this test's own."""
    record = cluster.root / "processes" / "old"
    record.parent.mkdir(parents=True)
    record.write_text(f"{os.getpid()} 1\n")
    assert not is_running(cluster, "old")
    stop(cluster, "old")


def test_waiting_ends_with_the_log_of_what_has_died(cluster: Cluster) -> None:
    start(cluster, "broken", ["sh", "-c", "echo no such flag >&2; exit 1"])
    with pytest.raises(TestbedFailed, match="broken has ended") as failure:
        wait_until(lambda: False, "nothing", 10, needs=(cluster, ["broken"]))
    assert "no such flag" in str(failure.value)
    assert str(log_file(cluster, "broken")) in str(failure.value)


def test_a_cluster_is_read_back_as_it_was_planned(cluster: Cluster) -> None:
    assert load_cluster("quick") is None
    cluster.save()
    assert load_cluster("quick") == cluster


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "-x", "x" * 33])
def test_a_name_that_files_and_devices_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="--name"):
        load_cluster(name)


def test_tokens_stay_when_credentials_are_written_again(cluster: Cluster) -> None:
    write_credentials(cluster)
    before = {user: read_token(cluster, user) for user in ("admin", "alice", "bob")}
    write_credentials(cluster)
    assert {user: read_token(cluster, user) for user in before} == before
    assert len(set(before.values())) == 3
    assert cluster.kubeconfig("alice").stat().st_mode & 0o077 == 0
