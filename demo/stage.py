"""The cluster that the demo plays on, and the people who take part."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.kubectl import Kubectl, StepFailed
from demo.scenario import Scenario
from testbed.progress import Progress

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLES = REPOSITORY / "examples"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with credentials of their own; what they may do is a matter of RBAC."""

    name: str
    kubectl: Kubectl
    kubeconfig: Path
    subject: Mapping[str, str]
    """As a role binding names this person."""

    def cynosure(self, *arguments: str, timeout_seconds: float = 120) -> "subprocess.CompletedProcess[str]":
        """Run ``kubectl cynosure ...`` as this person."""
        bin_folder = Path(sys.executable).parent
        environment = os.environ | {
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        command = [str(self.kubectl.program), "cynosure", *arguments]
        try:
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            raise StepFailed(f"{self.name}: cynosure {arguments[0]} gave no answer in {timeout_seconds:g} s") from None


@dataclass(frozen=True, slots=True)
class Stage:
    """``image`` runs operator, engines and load; ``out`` is where the report goes."""

    scenario: Scenario
    say: Progress
    helm: Path
    images: Mapping[str, str]
    admin: Person
    asker: Person
    approver: Person
    out: Path
    data: Path | None

    @property
    def image(self) -> str:
        return self.images["cynosure"]


def data_folder() -> Path | None:
    """Return the folder of public traces beside the checkout, if there is one."""
    folder = REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None
