"""A cluster of kind, for people who have Docker or Podman. The project's own tests have neither."""

from collections.abc import Callable, Sequence

from testbed.paths import REPOSITORY
from testbed.progress import Progress
from testbed.run import run

NAME = "cynosure"
CONTEXT = f"kind-{NAME}"
_IMAGE = "localhost/cynosure:kind"

Run = Callable[[Sequence[str]], str]


def kind_up(engine: str, progress: Progress, run: Run = run) -> str:
    """Make the cluster unless it is there; its context is CONTEXT. Build our image and load it; return its name."""
    if NAME not in run(["kind", "get", "clusters"]).split():
        progress("kind: creating the cluster")
        run(["kind", "create", "cluster", "--config", str(REPOSITORY / "testbed" / "kind.yaml"), "--wait", "180s"])
    progress(f"{engine}: building {_IMAGE}")
    run([engine, "build", "--tag", _IMAGE, str(REPOSITORY)])
    run(["kind", "load", "docker-image", _IMAGE, "--name", NAME])
    return _IMAGE


def kind_down(run: Run = run) -> None:
    """Delete the cluster; no matter if there is none."""
    run(["kind", "delete", "cluster", "--name", NAME])
