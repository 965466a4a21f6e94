"""Where the testbed keeps things: builds in the cache, clusters in the state folder, nothing in the source tree."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def cache_directory() -> Path:
    return _base("XDG_CACHE_HOME", ".cache")


def state_directory(name: str) -> Path:
    return _base("XDG_STATE_HOME", ".local/state") / "testbed" / name


def _base(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default) / "cynosure"
