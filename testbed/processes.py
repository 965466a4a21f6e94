"""Start programs that outlive this one, and end exactly those: a process is a pid *and* its start time."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from testbed.cluster import Cluster
from testbed.errors import TestbedFailed

_RECORD_AND_RUN = 'cut -d" " -f1,22 "/proc/$$/stat" >"$0.new" && mv "$0.new" "$0" && exec "$@"'
"""The process records itself before it becomes the program, so no interruption can leave it unknown."""
_LOG_TAIL_BYTES = 1500


def start(
    cluster: Cluster,
    name: str,
    argv: Sequence[str],
    *,
    within: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> None:
    """Start a program in the background, in a session of its own, unless it runs already.

    ``within`` is a command that enters namespaces and then executes the rest (nsenter).
    """
    if is_running(cluster, name):
        return
    record, log = _record(cluster, name), log_file(cluster, name)
    for folder in (record.parent, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    shell = shutil.which("sh") or "/bin/sh"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    os.posix_spawn(
        shell,
        [shell, "-c", _RECORD_AND_RUN, str(record), *within, *argv],
        {**os.environ, **(environment or {})},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    wait_until(record.exists, f"{name} to start", 10)


def is_running(cluster: Cluster, name: str) -> bool:
    return pid_of(cluster, name) is not None


def pid_of(cluster: Cluster, name: str) -> int | None:
    """The pid of a program that `start` started and that still runs."""
    try:
        pid, started = (int(word) for word in _record(cluster, name).read_text().split())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _start_time(pid) == started else None


def recorded(cluster: Cluster) -> list[str]:
    """Names of the programs ever started for this cluster, the latest first."""
    files = [entry for entry in (cluster.root / "processes").glob("*") if entry.suffix != ".new"]
    return [entry.name for entry in sorted(files, key=lambda entry: entry.stat().st_mtime_ns, reverse=True)]


def stop(cluster: Cluster, name: str, *, grace_seconds: float = 10.0) -> None:
    """Ask a program to end, and after the grace period make it."""
    pid = pid_of(cluster, name)
    if pid is not None:
        stop_pids([pid], grace_seconds=grace_seconds)
    _record(cluster, name).unlink(missing_ok=True)


def kill(cluster: Cluster, name: str) -> None:
    """End a program without warning, as a crash would."""
    stop(cluster, name, grace_seconds=0)


def stop_pids(pids: Iterable[int], *, grace_seconds: float) -> None:
    """SIGTERM, then SIGKILL; returns when none of them is left."""
    alive = {pid: started for pid in pids if (started := _start_time(pid)) is not None}
    deadline = time.monotonic() + grace_seconds
    if grace_seconds:
        _signal(alive, signal.SIGTERM)
    while alive:
        if time.monotonic() >= deadline:
            _signal(alive, signal.SIGKILL)
        time.sleep(0.02)
        alive = {pid: started for pid, started in alive.items() if _start_time(pid) == started}


def wait_until(
    condition: Callable[[], bool],
    what: str,
    timeout_seconds: float,
    *,
    needs: tuple[Cluster, Sequence[str]] | None = None,
) -> None:
    """Poll until it holds.

    :raises TestbedFailed: it did not in time, or one of the programs that it ``needs`` has ended.
    """
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if needs:
            _check_running(*needs)
        if time.monotonic() > deadline:
            raise TestbedFailed(
                f"waited {timeout_seconds:.0f} s for {what}" + (_where_to_look(*needs) if needs else "")
            )
        time.sleep(0.1)


def log_file(cluster: Cluster, name: str) -> Path:
    return cluster.root / "logs" / f"{name}.log"


def _check_running(cluster: Cluster, names: Sequence[str]) -> None:
    for name in names:
        if not is_running(cluster, name):
            log = log_file(cluster, name)
            tail = log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace") if log.exists() else ""
            raise TestbedFailed(f"{name} has ended; the end of {log}:\n{tail}")


def _where_to_look(cluster: Cluster, names: Sequence[str]) -> str:
    return "; see " + ", ".join(str(log_file(cluster, name)) for name in names)


def _record(cluster: Cluster, name: str) -> Path:
    return cluster.root / "processes" / name


def _start_time(pid: int) -> int | None:
    """Clock ticks from boot to the start of the process; None when it has ended."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that ended stays visible until it is waited for
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if after_name[0] in "ZX" else int(after_name[19])


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
