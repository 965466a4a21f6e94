"""What users do is drawn by seed, once for the whole schedule, whoever sends which part of it."""

import numpy as np
import pytest

from loadgen.errors import BadLoadInput
from loadgen.populate import populated
from loadgen.schedule import Schedule
from loadgen.users import Distribution, Patience, Users
from tests.loadgen.builders import evenly

WAITING = Users(Patience(10.0))


def travelled(schedule: Schedule) -> Schedule:
    return Schedule.from_bytes(schedule.to_bytes(), "a test")


def test_patience_is_the_same_by_seed_and_after_travels() -> None:
    first, again, other = (populated(evenly(1000, 60.0), WAITING, seed) for seed in (7, 7, 8))
    assert np.array_equal(first.patience_seconds, again.patience_seconds)
    assert np.array_equal(first.patience_seconds, travelled(first).patience_seconds)
    assert not np.array_equal(first.patience_seconds, other.patience_seconds)
    assert first.provenance["users"]["patience"] == {"mean_seconds": 10.0, "distribution": "exponential"}


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_together_are_the_whole_schedule(workers: int) -> None:
    whole = populated(evenly(1001, 60.0), WAITING, 7)
    shards = [whole.shard(index, workers) for index in range(workers)]
    numbers = np.concatenate([shard.number for shard in shards])
    waits = np.concatenate([shard.patience_seconds for shard in shards])
    assert np.array_equal(np.sort(numbers), np.arange(1001))
    assert np.array_equal(waits[np.argsort(numbers)], whole.patience_seconds)


@pytest.mark.parametrize(("distribution", "cv"), [("fixed", 0.0), ("exponential", 1.0), ("log-normal", 1.0)])
def test_patience_has_the_mean_and_the_spread_that_were_asked_for(distribution: Distribution, cv: float) -> None:
    drawn = Patience(10.0, distribution).draw(200_000, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(10.0, rel=0.02)
    assert drawn.std() / drawn.mean() == pytest.approx(cv, abs=0.03)


def test_without_patience_a_schedule_is_as_before_and_waits_for_ever() -> None:
    plain = evenly(10, 1.0)
    assert populated(plain, Users(), 7) is plain
    assert np.isinf(travelled(plain).patience_seconds).all()
    assert b"patience" not in plain.to_bytes()[:300]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), 3601.0])
def test_no_patience_at_all_is_refused(seconds: float) -> None:
    with pytest.raises(BadLoadInput, match=r"patience: .* is outside 0 to 3600 s"):
        Patience(seconds)
