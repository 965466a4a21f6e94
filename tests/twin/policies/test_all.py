"""What holds for every peer, whatever it sees."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from cynosure.twin.policies import POLICIES
from cynosure.twin.policies.dynamo import Dynamo
from cynosure.twin.policies.phpa import Model, Phpa
from cynosure.twin.port import Policy, Setting, Window
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.twin.policies.builders import a_week_of_days, seen, setting, window

OURS = {"cynosure", "static", "oracle"}
PEERS: dict[str, Callable[[Setting], Policy]] = {
    **{name: make for name, make in POLICIES.items() if name not in OURS},
    "phpa-linear": lambda given: Phpa(given, model=Model.LINEAR),
    "dynamo": lambda given: Dynamo(given, predictor="constant"),
    "dynamo-kalman": lambda given: Dynamo(given, predictor="kalman", load_loop=True),
}

numbers = st.one_of(st.floats(0, 1e6), st.just(float("nan")))
windows = st.one_of(
    st.none(),
    st.builds(
        window,
        numbers,
        st.integers(0, 20),
        running=numbers,
        waiting=numbers,
        kv=st.one_of(st.floats(0, 1), st.just(float("nan"))),
    ),
)


@pytest.mark.parametrize("make", PEERS.values(), ids=PEERS.keys())
@hypothesis_settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(windows, st.integers(0, 20)), min_size=1, max_size=12), most=st.integers(1, 20))
def test_the_answer_is_a_count_within_the_limits(
    make: Callable[[Setting], Policy], steps: list[tuple[Window | None, int]], most: int
) -> None:
    policy = make(setting(max_replicas=most))
    for n, (metrics, replicas) in enumerate(steps):
        answer = policy.decide(
            seen(n * policy.interval_seconds, metrics, replicas=min(replicas, most), history=[1.0, float("nan"), 3.0])
        ).replicas
        assert isinstance(answer, int)
        assert 0 <= answer <= most


@pytest.mark.parametrize("make", PEERS.values(), ids=PEERS.keys())
def test_a_decision_is_cheap(make: Callable[[Setting], Policy]) -> None:
    """A week of decisions in seconds, refits apart; the limit leaves room for a busy machine."""
    policy, history = make(setting()), a_week_of_days()
    rates = np.random.default_rng(1).uniform(20, 40, 60)
    seconds = []
    for n, rate in enumerate(rates):
        view = seen(n * policy.interval_seconds, window(float(rate), running=float(rate) / 2), history=history)
        begun = time.perf_counter()
        policy.decide(view)
        seconds.append(time.perf_counter() - begun)
    assert np.median(seconds) < 5e-3
