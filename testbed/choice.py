"""Which cluster to use: the one that is named, else kind where containers run, else the native testbed."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from testbed.kind import CONTEXT


@dataclass(frozen=True, slots=True)
class Choice:
    """``context`` is the kubeconfig context, None for the native testbed; ``reason`` is for a person to read."""

    kind: Literal["context", "kind", "native"]
    context: str | None
    reason: str
    engine: str = ""
    """The container engine that kind uses."""


def _works(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def choose_cluster(environment: Mapping[str, str] = os.environ, works: Callable[[list[str]], bool] = _works) -> Choice:
    """Choose without starting anything; ``works`` says whether a command is there and succeeds."""
    named = environment.get("CYNOSURE_CONTEXT")
    if named:
        return Choice("context", named, f"CYNOSURE_CONTEXT names the context {named}")
    if works(["kind", "version"]):
        for engine in ("docker", "podman"):
            if works([engine, "info"]):
                return Choice("kind", CONTEXT, f"kind and {engine} are here", engine)
    return Choice("native", None, "there is no CYNOSURE_CONTEXT and no kind with a container engine")
