"""kubectl as one person of the cluster. The demo does what a user would do, with the program a user would use."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Body = dict[str, Any]


class StepFailed(Exception):
    """A step of the demo could not be done; the message is what the program said."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """``options`` choose the cluster and the person, for example ``("--kubeconfig", path)``."""

    program: Path
    options: tuple[str, ...]

    def apply(self, *bodies: Mapping[str, Any]) -> None:
        self.run("apply", "--server-side", "-f", "-", stdin=_list(bodies))

    def apply_file(self, path: Path) -> None:
        self.run("apply", "--server-side", "-f", str(path))

    def get(self, kinds: str, name: str | None = None, *, namespace: str | None = None, selector: str = "") -> Body:
        arguments = ["get", kinds, *([name] if name else []), "-o", "json"]
        arguments += ["--namespace", namespace] if namespace else ["--all-namespaces"] if not name else []
        arguments += ["--selector", selector] if selector else []
        answer: Body = json.loads(self.run(*arguments))
        return answer

    def raw(self, path: str, query: Mapping[str, str] | None = None) -> Body:
        """GET a path of the API server, such as the proxy to a Service."""
        answer: Body = json.loads(self.run("get", "--raw", f"{path}?{urlencode(query)}" if query else path))
        return answer

    def run(self, *arguments: str, stdin: str | None = None, timeout_seconds: float = 180) -> str:
        command: Sequence[str] = (str(self.program), *self.options, *arguments)
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            raise StepFailed(f"kubectl {' '.join(arguments[:4])}: no answer in {timeout_seconds:g} s") from None
        if done.returncode != 0:
            raise StepFailed(f"kubectl {' '.join(arguments[:4])}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


MADE_BY = {"app.kubernetes.io/managed-by": "cynosure-demo"}
"""The label of what the demo makes outside its namespaces, and of these."""


def namespace_body(name: str) -> Body:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": MADE_BY}}


def _list(bodies: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)})
