"""Dynamic batching in compressed time; the engine takes 10 ms for one image and 24 ms for eight."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batching import Progress
from serving.dynamic_batching import Classification, DynamicBatch
from serving.timing import ClassifierTiming, Curve

TIMING = ClassifierTiming(Curve.through([(1, 0.010), (8, 0.024)]))
WINDOW_SECONDS = 0.002


def machine(slowdown: float = 1.0) -> DynamicBatch:
    return DynamicBatch(TIMING, slowdown, WINDOW_SECONDS)


def ends(happened: list[Progress]) -> dict[str, float]:
    return {progress.id: progress.at_seconds for progress in happened}


def test_a_request_alone_waits_for_the_window_and_no_longer() -> None:
    batch = machine()
    batch.submit(Classification("a"), 1.0)

    assert ends(batch.advance(2.0)) == {"a": pytest.approx(1.012)}


def test_requests_within_the_window_share_a_batch() -> None:
    batch = machine()
    batch.submit(Classification("a", images=3), 0.0)
    batch.submit(Classification("b", images=2), 0.001)

    assert ends(batch.advance(1.0)) == {"a": pytest.approx(0.020), "b": pytest.approx(0.020)}


def test_a_full_batch_starts_at_once_and_the_rest_waits_for_it() -> None:
    batch = machine()
    batch.submit(Classification("a", images=5), 0.0)
    batch.submit(Classification("b", images=5), 0.001)
    batch.submit(Classification("c", images=1), 0.001)

    happened = ends(batch.advance(1.0))

    assert happened["a"] == pytest.approx(0.001 + 0.018), "b did not fit, so waiting longer gains nothing"
    assert happened["b"] == happened["c"] == pytest.approx(0.001 + 0.018 + 0.020)


def test_an_engine_that_stood_still_begins_afterwards() -> None:
    batch = machine()
    batch.submit(Classification("a"), 0.0)
    batch.postpone(5.0)

    assert ends(batch.advance(6.0)) == {"a": pytest.approx(5.010)}


def test_a_slow_engine_stretches_the_batch_and_not_the_window() -> None:
    batch = machine(slowdown=2.0)
    batch.submit(Classification("a"), 0.0)

    assert ends(batch.advance(1.0)) == {"a": pytest.approx(0.022)}


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.03), st.integers(1, 8), st.booleans()), min_size=1, max_size=30))
def test_all_that_are_not_cancelled_are_answered_in_order(requests: list[tuple[float, int, bool]]) -> None:
    batch = machine()
    now, happened, kept = 0.0, [], []
    for number, (gap, images, cancelled) in enumerate(requests):
        now += gap
        happened += batch.advance(now)
        batch.submit(Classification(str(number), images), now)
        if cancelled:
            batch.cancel(str(number), now)
        else:
            kept.append(str(number))
        assert batch.running <= TIMING.max_batch
    happened += batch.advance(float("inf"))

    assert [progress.id for progress in happened] == kept
    assert (batch.running, batch.waiting, batch.next_event) == (0, 0, None)
