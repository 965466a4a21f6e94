"""Outside programs, whose failure is told with the end of what they said."""

import subprocess
from collections.abc import Mapping, Sequence

from testbed.errors import TestbedFailed


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return what the command printed. :raises TestbedFailed: it ended with another code than 0."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        told = (done.stderr or done.stdout).strip()[-1500:]
        raise TestbedFailed(f"`{' '.join(command[:6])} …` failed:\n{told}")
    return done.stdout
