"""How many requests are in an engine: known queues are special cases."""

from math import factorial

import numpy as np
import pytest
from cynosure.size.occupancy import occupancy
from hypothesis import given
from hypothesis import strategies as st


def test_with_room_for_all_it_is_a_poisson_count() -> None:
    """M/G/infinity: 3 requests/s that stay 2 s each."""
    found = occupancy(3.0, np.full(200, 2.0))
    assert found is not None
    assert found.mean == pytest.approx(6)
    assert found.full == pytest.approx(0, abs=1e-12)
    assert found.met.mean() == pytest.approx(6, abs=0.2)


def test_with_few_places_arrivals_wait_as_erlang_says() -> None:
    """M/M/c: the probability of a wait is Erlang's C formula."""
    places, load = 5, 3.6
    found = occupancy(load, np.full(places, 1.0))
    last = load**places / factorial(places) * places / (places - load)
    assert found is not None
    assert found.full == pytest.approx(last / (sum(load**n / factorial(n) for n in range(places)) + last))
    assert found.room_rps == pytest.approx(places - load)


def test_one_at_a_time_is_the_single_server_queue() -> None:
    found = occupancy(0.8, np.array([1.0]))
    assert found is not None
    assert (found.mean, found.full) == (pytest.approx(0.8), pytest.approx(0.8))


def test_processor_sharing_is_geometric() -> None:
    """Twice as many take twice as long each: M/G/1 processor sharing has a mean of load / (1 - load)."""
    found = occupancy(0.5, np.arange(1.0, 400))
    assert found is not None
    assert found.mean == pytest.approx(1.0, rel=1e-6)


@given(
    rps=st.floats(0, 50),
    base=st.floats(0.01, 2),
    slope=st.floats(0, 0.2),
    most=st.integers(1, 300),
)
def test_the_engine_is_never_fuller_than_it_can_be(rps: float, base: float, slope: float, most: int) -> None:
    held = base + slope * np.arange(1.0, most + 1)
    found = occupancy(rps, held)
    if found is None:
        assert rps * held[-1] >= most
        return
    assert 0 <= found.mean <= most * (1 + 1e-9)
    assert (found.met >= 0).all()
    assert (found.met < most).all()
    assert 0 <= found.full <= 1 + 1e-12
    assert found.room_rps > 0
    if rps:
        more = occupancy(rps / 2, held)
        assert more is not None
        assert more.mean <= found.mean + 1e-9


def test_no_load_is_an_empty_engine() -> None:
    found = occupancy(0.0, np.array([1.0, 1.5]))
    assert found is not None
    assert (found.mean, found.full) == (pytest.approx(0), pytest.approx(0))
