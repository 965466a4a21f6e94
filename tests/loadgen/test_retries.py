"""A failed request is sent again after a wait, is offered once all the same, and a target that is down is spared."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from aiohttp.test_utils import unused_port

from loadgen.engine import OpenLoop
from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes, Status, merge
from loadgen.play import play
from loadgen.populate import populated
from loadgen.report import report_of
from loadgen.retries import Retries, RetryBudget
from loadgen.schedule import Schedule
from loadgen.slo import Slo
from loadgen.users import Patience, Users
from tests.loadgen.builders import evenly
from tests.loadgen.server import TinyServer, serving
from tests.loadgen.test_engine import engine, replayed

QUICK = Retries(most=3, backoff_seconds=0.02, budget_share=1.0)


def retrying(schedule: Schedule, retries: Retries = QUICK, patience: Patience | None = None) -> Schedule:
    return populated(schedule, Users(patience, retries), 7)


async def test_who_was_refused_is_answered_later_and_counts_from_the_first_time() -> None:
    async with serving(TinyServer(refusals=2)) as server:
        outcomes = await replayed(retrying(evenly(8, 0.1)), f"{server.url}/busy/completions")
    assert outcomes.succeeded.all()
    assert outcomes.attempts.tolist() == [3] * 8
    report = report_of(outcomes, Slo())
    assert (report["offered"], report["sent"], report["failed"]) == (8, 8, 0)
    assert report["attempts"] == {"sent": 24, "retried_requests": 8, "retried_and_succeeded": 8}
    drawn = replace(QUICK, seed=7)
    waited = [drawn.wait_seconds(number, 1) + drawn.wait_seconds(number, 2) for number in range(8)]
    assert (outcomes.latency_seconds >= waited).all()
    assert outcomes.lag_seconds.max() < 0.05, "the first sending is what may be late"


@pytest.mark.slow
async def test_the_server_says_when_to_come_back() -> None:
    async with serving(TinyServer(refusals=1, retry_after="1")) as server:
        outcomes = await replayed(retrying(evenly(3, 0.03)), f"{server.url}/busy/completions")
        assert outcomes.succeeded.all()
    assert outcomes.latency_seconds.min() >= 1


async def test_nobody_waits_for_a_time_beyond_the_time_out() -> None:
    async with serving(TinyServer(refusals=1, retry_after="3600")) as server:
        outcomes = await replayed(retrying(evenly(3, 0.03)), f"{server.url}/busy/completions", timeout_seconds=20)
    assert outcomes.status.tolist() == [429] * 3
    assert outcomes.attempts.tolist() == [1] * 3


async def test_who_waits_for_a_retry_may_lose_patience() -> None:
    schedule = retrying(evenly(3, 0.03), patience=Patience(0.1, "fixed"))
    async with serving(TinyServer(refusals=1, retry_after="5")) as server:
        outcomes = await replayed(schedule, f"{server.url}/busy/completions")
    assert set(outcomes.status.tolist()) == {Status.ABANDONED}
    assert outcomes.attempts.tolist() == [1] * 3


@pytest.mark.parametrize(("route", "attempts"), [("503", 4), ("404", 1), ("cut", 1), ("error", 1)])
async def test_only_what_may_succeed_later_is_sent_again(route: str, attempts: int) -> None:
    async with serving(TinyServer()) as server:
        outcomes = await replayed(retrying(evenly(2, 0.02)), f"{server.url}/{route}/completions")
        assert len(server.bodies) == 2 * attempts
    assert outcomes.attempts.tolist() == [attempts] * 2
    assert not outcomes.succeeded.any()


async def test_a_target_that_is_down_gets_no_storm() -> None:
    schedule = retrying(evenly(200, 0.2), Retries(most=10, backoff_seconds=0.01, budget_share=0.1))
    outcomes = await replayed(schedule, f"http://127.0.0.1:{unused_port()}")
    assert set(outcomes.status.tolist()) == {Status.CONNECTION}
    assert 200 < outcomes.attempts.sum() <= 200 + 10 + 0.1 * 200
    assert report_of(outcomes, Slo())["offered"] == 200


@pytest.mark.slow
async def test_a_wait_for_a_retry_takes_no_connection_from_others() -> None:
    async with serving(TinyServer(refusals=1, retry_after="1")) as server:
        outcomes = await replayed(retrying(evenly(4, 0.1)), f"{server.url}/busy/completions", max_connections=1)
    assert outcomes.succeeded.all()
    assert outcomes.lag_seconds.max() < 0.5


async def test_stopped_while_waiting_it_is_unfinished_and_leaves_nothing_behind() -> None:
    async with serving(TinyServer(refusals=1, retry_after="30")) as server:
        loop = engine(retrying(evenly(1, 0.01)), f"{server.url}/busy/completions")
        outcomes = await stopped_after_the_first_answer(loop, server)
    assert outcomes.status.tolist() == [Status.UNFINISHED]


async def stopped_after_the_first_answer(loop: OpenLoop, server: TinyServer) -> Outcomes:
    running = asyncio.create_task(play(loop))
    await server.arrivals.get()
    await asyncio.sleep(0.05)
    loop.stop()
    return await asyncio.wait_for(running, 5)


def test_what_was_saved_up_is_no_more_than_a_burst() -> None:
    budget = RetryBudget(Retries(budget_share=0.5))
    for _ in range(10_000):
        budget.earn()
    assert sum(budget.spend() for _ in range(100)) == 10
    budget.earn()
    budget.earn()
    assert [budget.spend(), budget.spend()] == [True, False]


def test_waits_grow_and_are_the_same_in_every_shard() -> None:
    whole = retrying(evenly(10, 1.0), Retries(backoff_seconds=1.0))
    shard = Schedule.from_bytes(whole.to_bytes(), "a test").shard(1, 2)
    assert shard.retries == whole.retries
    assert whole.retries is not None
    waits = np.array([[whole.retries.wait_seconds(n, a) for a in (1, 2, 3)] for n in range(2000)])
    assert (waits <= [1, 2, 4]).all()
    assert waits.mean(axis=0) == pytest.approx([0.5, 1, 2], rel=0.1)


def test_attempts_come_back_from_a_pod_and_older_pods_tell_of_one() -> None:
    due, nothing = np.arange(3.0), np.full(3, np.nan)
    counts, kind = np.ones(3, np.int64), np.zeros(3, np.int64)
    status = np.array([Status.SUCCEEDED, Status.UNSENT, 503])
    told = Outcomes(due, nothing, nothing, nothing, counts, kind, status, 3.0, "builtin", {"completion": ""}, {})
    assert told.attempts.tolist() == [1, 0, 1]
    again = Outcomes.from_bytes(replace(told, attempts=np.array([2, 0, 4])).to_bytes(), "a test")
    assert merge([again, again]).attempts.tolist() == [2, 2, 0, 0, 4, 4]


@pytest.mark.parametrize("wrong", [{"most": 0}, {"most": 11}, {"backoff_seconds": 0.0}, {"budget_share": 1.5}])
def test_retries_without_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadLoadInput, match=r"retr.* is outside .*such as"):
        Retries(**wrong)  # type: ignore[arg-type]
