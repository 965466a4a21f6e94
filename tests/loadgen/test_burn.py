"""Keeping a pod as busy as a schedule says, on a simulated machine; the real one is in tests/testbed/test_pods.py."""

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from loadgen import burn
from loadgen.burn import CATCH_UP_SECONDS, TICK_SECONDS, Ballast, Controller, Utilisation

OWN_CORES = 0.003
"""What the pod uses for itself, which the controller cannot switch off."""


def played(
    utilisation: Utilisation, speed: Callable[[float], float] = lambda _: 1.0, late: float = 0.0
) -> tuple[list[float], Controller]:
    """Return the mean cores of each step on a machine that gives ``speed`` cores to who burns, and wakes ``late``."""
    controller, chance = Controller(utilisation), random.Random(1)
    used, edges = 0.0, [0.0]
    for tick in range(round(utilisation.duration_seconds / TICK_SECONDS)):
        at = tick * TICK_SECONDS
        burn = controller.burn_seconds(at, used)
        burn += chance.uniform(0, late) if burn else 0.0
        used += min(burn, TICK_SECONDS) * speed(at) + OWN_CORES * TICK_SECONDS
        if (tick + 1) % round(utilisation.step_seconds / TICK_SECONDS) == 0:
            edges.append(used)
    return [(after - before) / utilisation.step_seconds for before, after in pairwise(edges)], controller


STEPS = Utilisation(5.0, (0.01, 0.1, 0.06, 0.03, 0.1, 0.02))


def test_each_step_uses_what_is_due_though_signals_come_late_and_the_pod_itself_uses_some() -> None:
    cores, controller = played(STEPS, late=0.003)
    assert cores == pytest.approx(STEPS.cores, abs=0.002)
    assert controller.forgiven_cpu_seconds == 0


def test_nothing_drifts_over_an_hour() -> None:
    hour = Utilisation(60.0, (0.05, 0.15) * 30)
    cores, _ = played(hour, late=0.005)
    assert sum(cores) == pytest.approx(sum(hour.cores), abs=0.01)


def test_a_machine_that_gives_a_third_of_a_core_makes_no_difference() -> None:
    assert played(STEPS, speed=lambda _: 1 / 3)[0] == pytest.approx(STEPS.cores, abs=0.002)


def test_what_was_missed_is_caught_up_soon() -> None:
    starved = Utilisation(5.0, (0.1, 0.1, 0.05))
    cores, controller = played(starved, speed=lambda at: 0.0 if 8.0 <= at < 8.8 else 1.0)
    assert cores == pytest.approx(starved.cores, abs=0.002)
    assert controller.forgiven_cpu_seconds == 0


def test_what_was_missed_for_long_is_forgiven_rather_than_burnt_at_the_wrong_time() -> None:
    starved = Utilisation(5.0, (0.1, 0.1, 0.1, 0.02))
    cores, controller = played(starved, speed=lambda at: 0.0 if 5.0 <= at < 10.0 else 1.0)
    assert cores[1] == pytest.approx(OWN_CORES)
    assert cores[2] <= 0.1 + CATCH_UP_SECONDS * 0.1 / 5.0 + 0.002
    assert cores[3] == pytest.approx(0.02, abs=0.001)
    assert controller.forgiven_cpu_seconds == pytest.approx(5 * 0.1 - CATCH_UP_SECONDS * 0.1, abs=0.02)


def test_an_idle_hour_is_no_credit_for_the_step_after_it() -> None:
    idle = Utilisation(600.0, (0.0, 0.1))
    cores, controller = played(idle)
    assert cores == pytest.approx([OWN_CORES, 0.1], abs=0.001)
    assert controller.forgiven_cpu_seconds < 0, "the pod itself used CPU that was not due"


def test_more_than_a_core_is_never_asked_for() -> None:
    controller = Controller(Utilisation(5.0, (1.0,)))
    assert controller.burn_seconds(4.0, 0.0) == TICK_SECONDS


@pytest.mark.parametrize(
    ("place", "text"),
    [("cpu.stat", "usage_usec 2500000\nuser_usec 1\n"), ("cpuacct/cpuacct.usage", "2500000000\n")],
)
def test_both_versions_of_cgroups_are_read(
    place: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [(tmp_path / path.relative_to("/sys/fs/cgroup"), seconds) for path, seconds in burn._COUNTERS]
    monkeypatch.setattr(burn, "_COUNTERS", known)
    with pytest.raises(OSError, match="no CPU counter"):
        burn.read_cpu_seconds()
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(text)
    assert burn.read_cpu_seconds() == 2.5


def test_memory_is_what_is_due_less_what_the_pod_has_besides() -> None:
    mebibyte, ballast = 1 << 20, Ballast()
    held, besides = [], 18 * mebibyte
    for due in (30, 60, 60, 10):
        held.append(ballast.hold_bytes(due * mebibyte, besides + ballast.held_bytes) // mebibyte)
        besides = 22 * mebibyte  # who holds needs some, too
    assert held == [12, 38, 38, 0]


def test_due_time_ends_with_the_schedule() -> None:
    assert STEPS.due_cpu_seconds(7.5) == pytest.approx(0.05 + 0.25)
    assert STEPS.due_cpu_seconds(1e6) == pytest.approx(sum(STEPS.cores) * 5.0)
