"""14 requests at once for each replica: 70 % of 20."""

import pytest
from cynosure.twin.policies.knative_kpa import KnativeKpa
from cynosure.twin.policies.recommend import Load
from cynosure.twin.port import Seen, Window

from tests.twin.policies.builders import seen, setting, window


def looking(now: float, stable: float, short: float, replicas: int = 4, ready: int | None = None) -> Seen:
    """Concurrency over all replicas in the stable and in the panic window."""
    count = replicas if ready is None else ready

    def look(seconds: float) -> Window:
        return window(1.0, count, running=(stable if seconds == 60 else short) / max(1, count))

    return seen(now, look(60), replicas=replicas, look=look)


def settled(**changes: float) -> KnativeKpa:
    """Past the panic in which it starts."""
    kpa = KnativeKpa(setting(), Load.CONCURRENCY, **changes)  # type: ignore[arg-type]
    kpa.decide(looking(0, 56, 56))
    kpa.decide(looking(62, 56, 56))
    return kpa


@pytest.mark.parametrize(
    ("stable", "short", "expected"),
    [
        pytest.param(56, 56, 4, id="at target"),
        pytest.param(57, 57, 5, id="no tolerance: ceil(57 / 14)"),
        pytest.param(42, 42, 3, id="down at once"),
        pytest.param(1, 1, 2, id="but by no more than half"),
        pytest.param(56, 97, 4, id="7 wanted of 4 in the short window is below twice: no panic"),
        pytest.param(56, 99, 8, id="8 wanted of 4 is twice: panic, ceil(99 / 14)"),
    ],
)
def test_one_decision(stable: float, short: float, expected: int) -> None:
    assert settled().decide(looking(64, stable, short)).replicas == expected


def test_in_panic_it_only_grows_and_leaves_it_a_stable_window_later() -> None:
    kpa = settled()
    answers = [
        kpa.decide(looking(at, load, load, 8)).replicas
        for at, load in ((100.0, 224.0), (102.0, 56.0), (160.0, 56.0), (162.0, 56.0))
    ]
    assert answers == [16, 16, 16, 4]


def test_it_starts_in_panic_so_that_a_restart_does_not_scale_down() -> None:
    assert KnativeKpa(setting(), Load.CONCURRENCY).decide(looking(0, 14, 14)).replicas == 4


def test_only_ready_replicas_count_so_that_a_slow_start_panics() -> None:
    """8 are wanted, 4 of them are ready: 112 / 14 is twice those."""
    kpa = settled()
    kpa.decide(looking(64, 100, 112, replicas=8, ready=4))
    assert kpa.decide(looking(66, 60, 60, replicas=8, ready=4)).replicas == 8


def test_without_data_it_keeps_what_there_is() -> None:
    assert settled().decide(seen(64, None, replicas=5)).replicas == 5


def test_a_delay_holds_the_highest_of_its_window() -> None:
    kpa = settled(scale_down_delay_seconds=60)
    assert [kpa.decide(looking(at, 42, 42)).replicas for at in (64, 66, 130)] == [4, 4, 3]


def test_from_zero_the_activator_asks_for_one() -> None:
    kpa = KnativeKpa(setting(), Load.CONCURRENCY)
    assert kpa.decide(looking(0, 0, 0, replicas=1)).replicas == 0
    assert kpa.decide(looking(2, 0, 0, replicas=0)).replicas == 1
