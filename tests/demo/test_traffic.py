"""The day that is replayed and the days before it belong together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demo.scenario import Scenario
from demo.traffic import Flow, flows

SCENARIO = Scenario()


@pytest.fixture(params=["traces", "published figures"])
def both(request: pytest.FixtureRequest) -> tuple[Flow, Flow]:
    data: Path | None = request.getfixturevalue("shared_data") if request.param == "traces" else None
    return flows(SCENARIO, data)


def test_the_day_lasts_as_long_as_the_scenario_says_and_hits_its_peak(both: tuple[Flow, Flow]) -> None:
    chat, _ = both
    assert chat.schedule.duration_seconds == pytest.approx(SCENARIO.day_seconds)
    counts, _ = np.histogram(chat.schedule.send_at_seconds, np.arange(0, 601, 60.0))
    assert counts.max() / 60 == pytest.approx(SCENARIO.chat_peak_rps, rel=0.15)


def test_history_runs_into_the_day_without_a_jump(both: tuple[Flow, Flow]) -> None:
    chat, _ = both
    past = chat.past("shop", "llm", day_starts_at=1_000_000.0)
    early = chat.schedule.send_at_seconds < 30
    assert past.rate_rps(1_000_010.0) == pytest.approx(early.sum() / 30, rel=0.4)
    week = [past.rate_rps(1_000_000.0 - 600 * day + 300) for day in (1, 2)]
    assert all(0 < rate < 1.5 * SCENARIO.chat_peak_rps for rate in week)


def test_before_the_trace_begins_nothing_is_known(both: tuple[Flow, Flow]) -> None:
    past = both[0].past("shop", "llm", day_starts_at=0.0)
    assert np.isnan(past.rate_rps(-30 * SCENARIO.day_seconds))


def test_the_same_seed_gives_the_same_day() -> None:
    first, again, other = (flows(replace(SCENARIO, seed=seed), None)[0].schedule for seed in (7, 7, 8))
    assert first.to_bytes() == again.to_bytes()
    assert first.to_bytes() != other.to_bytes()
