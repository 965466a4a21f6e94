"""One line per step on stderr, with the seconds since the start."""

import sys
import time
from collections.abc import Callable

Progress = Callable[[str], None]


def timed_progress() -> Progress:
    started = time.monotonic()

    def report(step: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {step}", file=sys.stderr, flush=True)  # noqa: T201

    return report
