"""Keeps the pod that it runs in as busy as a schedule says: stress-ng burns, and the measured CPU time says how long.

Runs as a script in a pod, from a ConfigMap, so it needs nothing but the standard library and stress-ng on PATH.
stress-ng's own ``--cpu-load`` is an open setting in whole percent of a core. Here it always burns a whole core, and is
let run for a part of each tick, so that the CPU time that the pod's cgroup has counted follows what is due. Memory,
where the schedule has any, is held by another stress-ng. At the end one line of JSON says how much was used in each
step, by the same counters.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TICK_SECONDS = 0.1
CATCH_UP_SECONDS = 1.0
"""What cannot be burnt, as others have the CPU, is caught up later; what is more than this at the peak is forgiven,
since load that comes much too late would be wrong a second time."""

_LEARNT, _LEAST_CORES = 0.3, 0.1
_COUNTERS: tuple[tuple[Path, Callable[[str], float]], ...] = (
    (Path("/sys/fs/cgroup/cpu.stat"), lambda text: int(text.split()[1]) / 1e6),  # v2: usage_usec N
    (Path("/sys/fs/cgroup/cpuacct/cpuacct.usage"), lambda text: int(text) / 1e9),
    (Path("/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage"), lambda text: int(text) / 1e9),
)
_MEMORY = tuple(
    Path("/sys/fs/cgroup") / place
    for place in ("memory.current", "memory/memory.usage_in_bytes")  # v2, v1
)
_STRESS = ("stress-ng", "--quiet", "--timeout", "0", "--temp-path", "/tmp")  # noqa: S108
_BURN = (*_STRESS, "--cpu", "1")
_HOLD = (*_STRESS, "--vm", "1", "--vm-keep", "--vm-hang", "0", "--vm-bytes")
_LEAST_CHANGE_BYTES = 1 << 20
_BEGINS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Utilisation:
    """CPU cores that are due in steps of equal length, counted from a common start.

    memory_bytes: what the pod as a whole is to have in each of them; empty: whatever it has.
    """

    step_seconds: float
    cores: tuple[float, ...]
    memory_bytes: tuple[int, ...] = ()

    @property
    def duration_seconds(self) -> float:
        return self.step_seconds * len(self.cores)

    def due_cpu_seconds(self, at_seconds: float) -> float:
        """Return the CPU time that is due from the start until then."""
        whole = min(int(at_seconds / self.step_seconds), len(self.cores))
        part = self.cores[whole] * (at_seconds - whole * self.step_seconds) if whole < len(self.cores) else 0.0
        return sum(self.cores[:whole]) * self.step_seconds + part


@dataclass(slots=True)
class Controller:
    """Says for each tick how long to burn. All that was used too much or too little so far counts, so nothing drifts.

    forgiven_cpu_seconds: due and never burnt (above zero), or burnt though not due, as a pod uses CPU for itself.
    """

    utilisation: Utilisation
    forgiven_cpu_seconds: float = 0.0
    _cores: float = field(default=1.0, init=False)
    _burnt_seconds: float = field(default=0.0, init=False)
    _used_cpu_seconds: float = field(default=0.0, init=False)

    def burn_seconds(self, at_seconds: float, used_cpu_seconds: float) -> float:
        """Return how long to burn from now on, at most a tick; used CPU time counts from the start like the time."""
        self._learn(used_cpu_seconds)
        due = self.utilisation.due_cpu_seconds(at_seconds + TICK_SECONDS)
        debt = due - used_cpu_seconds - self.forgiven_cpu_seconds
        most = CATCH_UP_SECONDS * max(self.utilisation.cores)
        kept = min(max(debt, -most), most)
        self.forgiven_cpu_seconds += debt - kept
        self._burnt_seconds = min(max(kept, 0.0) / self._cores, TICK_SECONDS)
        return self._burnt_seconds

    def _learn(self, used_cpu_seconds: float) -> None:
        """On a busy machine who burns gets but a part of a core, and has to burn for longer."""
        if self._burnt_seconds:
            got = (used_cpu_seconds - self._used_cpu_seconds) / self._burnt_seconds
            self._cores += _LEARNT * (min(max(got, _LEAST_CORES), 1.0) - self._cores)
        self._used_cpu_seconds = used_cpu_seconds


@dataclass(slots=True)
class Ballast:
    """Says for each step how much to hold: what is due, less what the pod had besides in the step before."""

    held_bytes: int = 0

    def hold_bytes(self, due_bytes: int, used_bytes: int) -> int:
        besides = max(used_bytes - self.held_bytes, 0)
        wanted = max(due_bytes - besides, 0)
        if abs(wanted - self.held_bytes) >= _LEAST_CHANGE_BYTES:  # a change costs CPU time
            self.held_bytes = wanted if wanted >= _LEAST_CHANGE_BYTES else 0
        return self.held_bytes


def read_memory_bytes() -> int:
    """Return what the cgroup of this container has now. :raises OSError: no counter is mounted."""
    for path in _MEMORY:
        if path.exists():
            return int(path.read_text())
    raise OSError("no memory counter in /sys/fs/cgroup: memory.current (v2) or memory/memory.usage_in_bytes (v1)")


def read_cpu_seconds() -> float:
    """Return what the cgroup of this container has used since it was made; both versions of cgroups are read.

    :raises OSError: no counter is mounted.
    """
    for path, seconds in _COUNTERS:
        if path.exists():
            return seconds(path.read_text())
    raise OSError("no CPU counter in /sys/fs/cgroup: cpu.stat (v2) or cpuacct/cpuacct.usage (v1); is this a container?")


@contextmanager
def burner() -> Iterator[Callable[[signal.Signals], None]]:
    """Start stress-ng, stopped, and yield what sends a signal to it and to its worker."""
    process = subprocess.Popen(_BURN, start_new_session=True)

    def tell(number: signal.Signals) -> None:
        if process.poll() is not None:
            raise ChildProcessError(f"stress-ng has ended with code {process.returncode}")
        os.killpg(process.pid, number)

    try:
        time.sleep(_BEGINS_SECONDS)
        tell(signal.SIGSTOP)
        yield tell
    finally:
        _end_group(process)


@contextmanager
def holder() -> Iterator[Callable[[int], None]]:
    """Yield what lets stress-ng hold so many bytes, in place of what it held before."""
    running: list[subprocess.Popen[bytes]] = []

    def hold(count: int) -> None:
        while running:
            _end_group(running.pop())
        if count:
            running.append(subprocess.Popen((*_HOLD, str(count)), start_new_session=True))

    try:
        yield hold
    finally:
        hold(0)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with suppress(ChildProcessError):  # its workers become ours, as we are the first process of the container
        while os.waitpid(-process.pid, 0)[0]:
            pass


def follow(utilisation: Utilisation, start_at_unix_seconds: float) -> dict[str, Any]:
    """Burn until the schedule ends; return the CPU seconds used until the end of each step, and what was forgiven.

    memory_bytes are those at the end of each step.
    """
    with burner() as tell, holder() as hold:
        time.sleep(max(0.0, start_at_unix_seconds - time.time()))
        # The clock that steps are counted by must not be set back; a pod that begins late leaves the past out.
        zero = time.monotonic() - (time.time() - start_at_unix_seconds)
        begun = time.monotonic() - zero
        base = read_cpu_seconds() - utilisation.due_cpu_seconds(begun)
        controller, ballast = Controller(utilisation), Ballast()
        used: list[float] = []
        memory: list[int] = []
        for tick in range(int(begun / TICK_SECONDS), round(utilisation.duration_seconds / TICK_SECONDS)):
            _sleep_until(zero + tick * TICK_SECONDS)
            now, spent = time.monotonic() - zero, read_cpu_seconds() - base
            step = min(int(now / utilisation.step_seconds), len(utilisation.cores) - 1)
            used += [spent] * (step - len(used))
            if utilisation.memory_bytes and len(memory) <= step:
                memory += [read_memory_bytes()] * (step + 1 - len(memory))
                before = ballast.held_bytes
                if (wanted := ballast.hold_bytes(utilisation.memory_bytes[step], memory[-1])) != before:
                    hold(wanted)
            _burn(tell, controller.burn_seconds(now, spent))
        _sleep_until(zero + utilisation.duration_seconds)
        used.append(read_cpu_seconds() - base)
        if memory:
            memory = [*memory[1:], read_memory_bytes()]
    forgiven = controller.forgiven_cpu_seconds
    return {"used_cpu_seconds": used, "forgiven_cpu_seconds": forgiven, "memory_bytes": memory}


def _burn(tell: Callable[[signal.Signals], None], seconds: float) -> None:
    if seconds:
        tell(signal.SIGCONT)
        time.sleep(seconds)
        tell(signal.SIGSTOP)


def _sleep_until(at_seconds: float) -> None:
    time.sleep(max(0.0, at_seconds - time.monotonic()))


def _end(number: int, _: object) -> None:
    sys.exit(128 + number)


def main() -> None:
    """Read the schedule from the file that is named: step_seconds, cores, start_at_unix_seconds."""
    signal.signal(signal.SIGTERM, _end)  # the first process of a container ignores it otherwise
    given = json.loads(Path(sys.argv[1]).read_text())
    utilisation = Utilisation(given["step_seconds"], tuple(given["cores"]), tuple(given["memory_bytes"]))
    print(json.dumps(follow(utilisation, given["start_at_unix_seconds"])), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
