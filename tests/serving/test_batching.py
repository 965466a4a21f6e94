"""Continuous batching in compressed time. The builder's engine: 1 ms of prefill per token, steps of 10 to 40 ms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batching import ContinuousBatch, Generation
from tests.serving.builders import decoder, run_to_the_end, token_times


def test_a_request_alone_is_prefilled_and_then_gets_a_token_each_step() -> None:
    times = run_to_the_end(ContinuousBatch(decoder()), [(5.0, Generation("a", 100, 4))])

    assert times["a"] == pytest.approx([5.100, 5.110, 5.120, 5.130])


def test_a_prefill_joins_the_running_batch_at_once_and_stretches_its_iteration() -> None:
    arrivals = [(0.0, Generation("a", 100, 4)), (0.105, Generation("b", 50, 2))]

    times = run_to_the_end(ContinuousBatch(decoder()), arrivals)

    assert times["b"][0] == pytest.approx(0.155), "50 ms after it came, though a step was under way"
    assert times["a"][1] == pytest.approx(0.155), "that step of a carried the prefill of b"
    assert times["a"][2] - times["a"][1] == pytest.approx(0.020), "two run together"
    assert times["a"][3] - times["a"][2] == pytest.approx(0.010), "b left"


def test_a_prompt_shorter_than_a_step_does_not_shorten_the_step() -> None:
    times = run_to_the_end(ContinuousBatch(decoder()), [(0.0, Generation("a", 1, 2))])

    assert times["a"] == pytest.approx([0.010, 0.020])


def test_a_long_prompt_is_prefilled_in_chunks_between_which_the_others_get_tokens() -> None:
    arrivals = [(0.0, Generation("a", 10, 6)), (0.011, Generation("b", 5000, 1))]

    times = run_to_the_end(ContinuousBatch(decoder()), arrivals)

    assert times["b"] == pytest.approx([0.011 + 5.000])
    assert times["a"][1:4] == pytest.approx([0.011 + 2.048, 0.011 + 4.096, 0.011 + 5.000])


def test_above_the_largest_measured_concurrency_requests_wait_in_order_of_arrival() -> None:
    machine = ContinuousBatch(decoder())
    for number in range(6):
        machine.submit(Generation(f"r{number}", 10, 3), 0.0)

    assert (machine.running, machine.waiting) == (1, 5), "the first was taken in before the others came"
    times = token_times(machine.advance(0.011))
    assert list(times) == ["r0"]
    assert (machine.running, machine.waiting) == (4, 2)


def test_a_request_waits_until_the_kv_cache_has_room_for_all_its_tokens() -> None:
    arrivals = [(0.0, Generation("large", 80, 10)), (0.001, Generation("next", 10, 1))]

    times = run_to_the_end(ContinuousBatch(decoder(kv=100)), arrivals)
    together = run_to_the_end(ContinuousBatch(decoder(kv=101)), arrivals)

    assert times["next"][0] > times["large"][-1]
    assert together["next"][0] < times["large"][-1]


def test_kv_cache_usage_grows_with_the_tokens_that_are_there() -> None:
    machine = ContinuousBatch(decoder(kv=100))
    machine.submit(Generation("a", 40, 5), 0.0)
    machine.advance(0.065)

    assert machine.kv_cache_usage == pytest.approx(0.43), "40 prompt tokens and 3 generated"


@pytest.mark.parametrize("late", [0.0, 0.003], ids=["on time", "each wake-up 3 ms late"])
def test_lateness_of_the_caller_does_not_add_up(late: float) -> None:
    machine = ContinuousBatch(decoder())
    machine.submit(Generation("a", 10, 100), 0.0)
    while (at := machine.next_event) is not None:
        last = machine.advance(at + late)[-1]

    assert last.at_seconds == pytest.approx(1.0)


def test_a_cancelled_request_frees_its_place_wherever_it_is() -> None:
    machine = ContinuousBatch(decoder(kv=100))
    machine.submit(Generation("running", 80, 10), 0.0)
    machine.submit(Generation("waiting", 80, 10), 0.0)
    machine.submit(Generation("last", 80, 1), 0.0)

    machine.cancel("waiting", 0.01)
    machine.cancel("running", 0.02)

    assert token_times(machine.advance(1.0)) == {"last": [pytest.approx(0.1)]}
    assert machine.next_event is None


def test_a_slow_engine_stretches_prefill_and_steps() -> None:
    times = run_to_the_end(ContinuousBatch(decoder(), slowdown=3.0), [(0.0, Generation("a", 100, 2))])

    assert times["a"] == pytest.approx([0.300, 0.330])


def test_an_engine_that_stood_still_goes_on_from_where_it_was() -> None:
    machine = ContinuousBatch(decoder())
    machine.submit(Generation("a", 10, 3), 0.0)
    machine.advance(0.012)
    machine.postpone(7.0)

    assert token_times(machine.advance(8.0))["a"] == pytest.approx([7.0, 7.010])


REQUESTS = st.lists(st.tuples(st.floats(0, 2), st.integers(1, 300), st.integers(1, 12)), min_size=1, max_size=25)


@settings(deadline=None)
@given(REQUESTS)
def test_each_request_gets_exactly_its_tokens_first_come_first_served(requests: list[tuple[float, int, int]]) -> None:
    arrivals = [(at, Generation(str(i), prompt, out)) for i, (at, prompt, out) in enumerate(sorted(requests))]
    machine = ContinuousBatch(decoder(kv=400))

    times = run_to_the_end(machine, arrivals)

    assert {key: len(tokens) for key, tokens in times.items()} == {r.id: r.output_tokens for _, r in arrivals}
    first_tokens = [times[r.id][0] for _, r in arrivals]
    assert first_tokens == sorted(first_tokens)
    assert all(at < times[r.id][0] for at, r in arrivals)
    assert (machine.running, machine.waiting, machine.kv_cache_usage) == (0, 0, 0.0)


@settings(deadline=None)
@given(REQUESTS, st.data())
def test_the_limits_hold_at_every_moment_and_nobody_is_lost(
    requests: list[tuple[float, int, int]], data: st.DataObject
) -> None:
    machine = ContinuousBatch(decoder(kv=400))
    alive: set[str] = set()
    now = 0.0
    for number, (gap, prompt, output) in enumerate(requests):
        now += gap / 10
        alive -= {p.id for p in machine.advance(now) if p.finished}
        machine.submit(Generation(str(number), prompt, output), now)
        alive.add(str(number))
        if data.draw(st.booleans(), label="cancel one"):
            gone = data.draw(st.sampled_from(sorted(alive)), label="which")
            machine.cancel(gone, now)
            alive.discard(gone)
        assert machine.running <= 4
        assert 0 <= machine.kv_cache_usage <= 1
        assert machine.running + machine.waiting == len(alive)
        assert (machine.next_event is None) == (not alive)
    assert {p.id for p in machine.advance(float("inf")) if p.finished} == alive
