"""One process at a time: a lock that the kernel releases when its holder ends, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.progress import Progress


@contextmanager
def only_one(lock: Path, whom: str, progress: Progress) -> Iterator[None]:
    """Hold an exclusive lock; says so if it has to wait for ``whom``."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"waiting for {whom}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
