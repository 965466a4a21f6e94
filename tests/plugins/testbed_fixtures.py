"""Real clusters for tests: a control plane alone, and one whose nodes run pods."""

import os
from collections.abc import Iterator

import pytest

from testbed import lifecycle
from testbed.cluster import Cluster, load_cluster
from testbed.progress import timed_progress

_POD_START_SECONDS = 0.5


@pytest.fixture(scope="session")
def api_server() -> Iterator[Cluster]:
    """Hold a control plane of this session's own; its nodes and pods are objects only, with simulated GPUs."""
    name = f"test-{os.getpid()}"
    try:
        yield lifecycle.up(name, timed_progress(), kubelets=False, ready_delay_seconds=_POD_START_SECONDS)
    finally:
        lifecycle.down(name, timed_progress())


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Hold a cluster with two nodes that run pods. One that was there before stays."""
    name = "cynosure"
    was_there = load_cluster(name) is not None
    try:
        yield lifecycle.up(name, timed_progress())
    finally:
        if not was_there:
            lifecycle.down(name, timed_progress())
