"""Whole runs: what policies see and when, and what holds of every run."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from cynosure.model.service import Metric, Target
from cynosure.twin.policies import POLICIES
from cynosure.twin.policies.static import Static
from cynosure.twin.port import Wanted
from cynosure.twin.simulation import Experiment, Outcome, simulate
from cynosure.twin.tally import DROPPED, FINISHED, OFFERED, shares
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.conftest import TTFT, Told, experiment, keep, traffic

LOOSE = Target(Metric.TTFT, 95, 600)


def facts(outcome: Outcome) -> tuple[object, ...]:
    return (outcome.gpu_hours, outcome.energy_kwh, outcome.scale_actions, *outcome.tally.met, *outcome.tally.counts)


def test_the_same_seed_gives_the_same_outcome_and_another_one_does_not() -> None:
    one, again, other = (simulate(experiment(seed=seed), keep(2)) for seed in (1, 1, 2))

    assert facts(one) == facts(again)
    assert np.array_equal(one.tally.buckets, again.tally.buckets)
    assert facts(one) != facts(other)


def test_every_policy_gets_the_same_requests() -> None:
    few, many = (simulate(experiment(), keep(replicas)) for replicas in (1, 9))

    assert few.tally.counts[OFFERED] == many.tally.counts[OFFERED]
    assert few.timeline.arrival_rps.tolist() == many.timeline.arrival_rps.tolist()
    assert few.tally.met[-1] < many.tally.met[-1]


@settings(max_examples=15, deadline=None)
@given(
    rates=st.lists(st.floats(0, 30), min_size=1, max_size=4),
    counts=st.lists(st.integers(0, 8), min_size=1, max_size=6),
    seed=st.integers(0, 9),
)
def test_whatever_a_policy_does_each_request_is_met_missed_or_dropped_once(
    rates: list[float], counts: list[int], seed: int
) -> None:
    told = Told(lambda now: Wanted(counts[int(now / 45) % len(counts)], ("3g.40gb", "7g.80gb")[int(now / 200) % 2]))

    outcome = simulate(experiment([*rates, 1.0], seed=seed, lead_time_seconds=20.0), told)

    counted = outcome.tally.counts
    assert counted[DROPPED] + counted[FINISHED] <= counted[OFFERED]
    assert outcome.tally.met.sum() == counted[FINISHED]
    assert 0 <= shares(outcome.tally)[0] <= 1
    most = (max(counts) + 3) * outcome.seconds / 3600
    assert 0 <= outcome.gpu_hours <= 2 * most


def test_with_enough_replicas_every_request_is_finished() -> None:
    counted = simulate(experiment(), keep(4)).tally.counts

    assert counted[DROPPED] == 0
    assert counted[FINISHED] == counted[OFFERED]


def test_metrics_are_seen_one_scrape_late() -> None:
    watching = keep(3)
    simulate(experiment([0.0, 8.0, 8.0], replicas=3), watching)

    seen = {s.now_seconds: s for s in watching.seen}
    assert seen[315.0].window is not None
    assert seen[315.0].window.arrival_rps == 0, "the load began at 300, which the scrape at 315 tells first"
    later = seen[330.0].look(15)
    assert later is not None
    assert later.arrival_rps == pytest.approx(8, rel=0.3)


def test_what_was_attained_is_told_of_whole_minutes_with_metrics() -> None:
    watching = keep(1)
    dark = replace(experiment([8.0, 8.0]), absent=((130.0, 250.0),))
    outcome = simulate(dark, watching)

    seen = {s.now_seconds: s.attained for s in watching.seen}
    assert seen[60.0] == (), "no whole minute is over"
    assert seen[255.0] == seen[195.0] == seen[135.0], "in the dark nothing is counted, neither requests nor misses"
    (last,) = (one for one in seen[max(seen)] if one.target == TTFT)
    assert 0 < last.within < last.requests < outcome.tally.counts[FINISHED]
    assert last.within / last.requests == pytest.approx(shares(outcome.tally)[1][0], abs=0.2)


def test_the_history_ends_with_the_last_whole_minute_that_is_seen() -> None:
    watching = keep(3)
    simulate(replace(experiment([3.0, 6.0]), past=np.array([1.0, 2.0])), watching)

    seen = {s.now_seconds: s for s in watching.seen}
    assert seen[60.0].history.tolist() == [1, 2]
    assert (len(seen[75.0].history), seen[75.0].history_until_seconds) == (3, 60)
    assert seen[585.0].history[-1] == pytest.approx(6, rel=0.5)


def test_what_was_not_measured_is_absent_and_never_zero() -> None:
    watching = keep(3)
    simulate(replace(experiment(), absent=((300.0, 600.0),)), watching)

    windows = {s.now_seconds: s.window for s in watching.seen}
    assert windows[300.0] is not None
    assert all(windows[now] is None for now in (330.0, 450.0, 600.0))
    assert windows[660.0] is not None
    assert np.isnan(watching.seen[-1].history[5:10]).all()
    assert np.isfinite(watching.seen[-1].history[:4]).all()


def test_replicas_are_told_apart_in_a_window() -> None:
    watching = Told(lambda now: Wanted(4 if now > 300 else 2))
    simulate(experiment(replicas=2), watching)

    last = watching.seen[-1]
    assert last.window is not None
    assert (last.ready, last.starting, len(last.window.busy)) == (4, 0, 4)
    assert all(0 < busy < 1 for busy in last.window.busy)
    stay = last.window.running.sum() / last.window.arrival_rps
    assert 0.3 < stay < 1.2, "seconds, by Little's law"


def test_memory_does_not_grow_with_the_trace() -> None:
    def peak(minutes: int) -> int:
        load: Experiment = replace(experiment(), traffic=traffic([100.0] * minutes, step=60.0))
        tracemalloc.start()
        simulate(load, Static(30))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(200) < 1.1 * peak(100)


@pytest.mark.parametrize("name", ["cynosure", "hpa"])
def test_a_policy_serves_a_steady_load_without_waste_or_want(name: str) -> None:
    steady = experiment([20.0] * 2, replicas=5, targets=(LOOSE,))

    outcome = simulate(steady, POLICIES[name](steady.setting))

    assert shares(outcome.tally)[0] > 0.9
    assert outcome.gpu_hours < 3 * 5 * 3 / 7 * outcome.seconds / 3600


def test_the_timeline_adds_up_to_the_whole() -> None:
    outcome = simulate(experiment(), keep(2))

    times = np.diff(np.append(outcome.timeline.at_seconds, outcome.seconds))
    assert outcome.timeline.arrival_rps @ times == pytest.approx(outcome.tally.counts[OFFERED])
    assert set(outcome.timeline.wanted.tolist()) == {2.0, 3.0}
