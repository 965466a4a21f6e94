"""The product in the twin: the operator's own plan, with what it would see."""

from dataclasses import replace

import numpy as np
import pytest
from cynosure.model.service import Metric, Target
from cynosure.plan.reasons import Why
from cynosure.twin.policies.cynosure import Cynosure
from cynosure.twin.simulation import simulate
from cynosure.twin.tally import shares

from tests.twin.conftest import experiment

TTFT = Target(Metric.TTFT, 95, 600)

WAVE = tuple(10 + 8 * np.sin(np.arange(12) / 12 * 2 * np.pi))


def test_it_grows_and_shrinks_with_the_load_and_says_why() -> None:
    load = experiment(WAVE, replicas=3, targets=(TTFT,), partitions=("3g.40gb",))

    outcome = simulate(load, Cynosure(load.setting))

    attainment, _ = shares(outcome.tally)
    wanted = outcome.timeline.wanted
    reasons = {reason.partition(":")[0] for reason in outcome.timeline.reason}
    assert attainment > 0.95
    assert wanted.max() >= 4 > 2 >= wanted.min()
    assert {Why.PRESENT, Why.SURPLUS} <= reasons or {Why.FORECAST, Why.SURPLUS} <= reasons


def test_without_metrics_it_keeps_what_there_is() -> None:
    load = replace(
        experiment((8.0, 20.0, 2.0), replicas=3, targets=(TTFT,), partitions=("3g.40gb",)), absent=((120.0, 780.0),)
    )

    outcome = simulate(load, Cynosure(load.setting))

    blind = (outcome.timeline.at_seconds >= 150) & (outcome.timeline.at_seconds < 780)
    assert len(set(outcome.timeline.wanted[blind])) == 1
    assert all(
        reason.startswith(Why.NO_METRICS)
        for reason, is_blind in zip(outcome.timeline.reason, blind, strict=True)
        if is_blind
    )


def test_it_stays_within_the_gpus_that_there_are() -> None:
    load = experiment((30.0,) * 3, replicas=2, gpus=2, max_replicas=4, targets=(TTFT,), partitions=("3g.40gb",))

    outcome = simulate(load, Cynosure(load.setting))

    assert outcome.timeline.wanted.max() <= 4
    assert outcome.gpu_hours <= 2 * outcome.seconds / 3600


@pytest.mark.parametrize("lead", [30.0, 120.0])
def test_a_change_of_partition_loses_no_request(lead: float) -> None:
    load = experiment(
        (0.5,) * 3 + (30.0,) * 5, replicas=1, partition="7g.80gb", lead_time_seconds=lead, targets=(TTFT,)
    )

    outcome = simulate(load, Cynosure(load.setting))

    assert outcome.tally.counts[1] == 0


def test_it_forecasts_from_the_first_minute_on_without_any_history() -> None:
    load = experiment((8.0,) * 13, replicas=3, targets=(TTFT,), partitions=("3g.40gb",))

    outcome = simulate(load, Cynosure(load.setting))

    assert shares(outcome.tally)[0] > 0.95
