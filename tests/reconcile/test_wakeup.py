"""Many edges in, one batch out, and no key is lost."""

import asyncio

from cynosure.reconcile.backoff import Backoff
from cynosure.reconcile.wakeup import Wakeup


def wakeup(*, idle: float = 0.02, longest: float = 0.1, resync: float = 5.0) -> Wakeup[int]:
    return Wakeup(idle=idle, longest=longest, resync=resync)


async def test_a_burst_is_one_batch() -> None:
    wake = wakeup()
    for key in range(100):
        wake.fire(key)
    assert await wake.batch() == frozenset(range(100))


async def test_endless_changes_do_not_hold_a_batch_for_ever() -> None:
    wake = wakeup(idle=0.05, longest=0.15)

    async def storm() -> None:
        for key in range(40):
            wake.fire(key)
            await asyncio.sleep(0.01)

    storming = asyncio.create_task(storm())
    begun = asyncio.get_running_loop().time()
    first = await wake.batch()
    took = asyncio.get_running_loop().time() - begun
    assert 0 < len(first) < 40
    assert took < 0.35
    await storming
    assert first | await wake.batch() == frozenset(range(40))


async def test_a_key_of_a_running_pass_belongs_to_the_next() -> None:
    wake = wakeup()
    wake.fire(1)
    assert await wake.batch() == {1}
    wake.fire(2)
    assert await wake.batch() == {2}


async def test_silence_still_gives_a_pass() -> None:
    assert await wakeup(resync=0.05).batch() == frozenset()


async def test_a_late_key_wakes_later() -> None:
    wake = wakeup()
    wake.fire_later(7, 0.05)
    assert wake.age_seconds == 0.0
    assert await wake.batch() == {7}


def test_backoff_doubles_up_to_its_limit_and_forgets_on_success() -> None:
    backoff = Backoff[str](0.2, 1.0)
    assert [backoff.failed("one") for _ in range(4)] == [0.2, 0.4, 0.8, 1.0]
    assert backoff.failed("two") == 0.2
    backoff.succeeded("one")
    assert backoff.failed("one") == 0.2
