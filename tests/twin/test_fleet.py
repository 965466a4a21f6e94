"""What is paid for and who gets requests, while replicas come and go."""

import numpy as np
import pytest
from cynosure.twin.tally import DROPPED, FINISHED, OFFERED

from tests.twin.conftest import Arrivals, arrivals, curves, fleet, ground

A_THIRD = 3 / 7
HOUR = 3600.0


def every(seconds: float, until: float, outputs: int = 1) -> Arrivals:
    return arrivals(np.arange(seconds / 2, until, seconds), 1, outputs)


def test_a_replica_is_paid_for_from_its_creation_and_serves_after_the_lead_time() -> None:
    served = fleet(every(1.0, 200), replicas=0)
    served.run_until(10)
    served.scale(1, "3g.40gb")
    served.run_until(69)
    assert served.counts() == (0, 1)
    served.run_until(200)

    assert served.counts() == (1, 0)
    assert served.tally.counts[DROPPED] == 70, "nobody was ready before second 70"
    assert served.tally.counts[FINISHED] == 130
    gpu_hours, _ = served.finish(0)
    assert gpu_hours * HOUR == pytest.approx(A_THIRD * 190)


def test_one_that_starts_is_given_up_first_and_paid_for_until_then() -> None:
    served = fleet(replicas=1)
    served.scale(2, "3g.40gb")
    served.run_until(30)
    served.scale(1, "3g.40gb")
    served.run_until(100)

    assert served.counts() == (1, 0)
    gpu_hours, _ = served.finish(0)
    assert gpu_hours * HOUR == pytest.approx(A_THIRD * (100 + 30))


def test_a_drained_replica_gets_nothing_new_finishes_what_it_has_and_is_paid_for_until_then() -> None:
    served = fleet(arrivals([9.0], 1, 500), replicas=1, where=ground(curves(step=0.1)))
    served.run_until(10)
    served.scale(0, "3g.40gb")
    served.run_until(100)

    assert served.tally.counts[FINISHED] == 1
    gpu_hours, _ = served.finish(0)
    assert gpu_hours * HOUR == pytest.approx(A_THIRD * (9 + 50))


def test_another_partition_is_started_before_the_present_one_is_drained() -> None:
    served = fleet(every(1.0, 200), replicas=2)
    served.run_until(10)
    served.scale(1, "7g.80gb")
    served.run_until(65)
    assert len(served.ready) == 2
    assert served.counts() == (0, 1)
    served.run_until(200)

    assert len(served.ready) == 1
    assert served.counts() == (1, 0)
    assert served.tally.counts[DROPPED] == 0
    gpu_hours, _ = served.finish(0)
    assert gpu_hours * HOUR == pytest.approx(2 * A_THIRD * 70 + 190, abs=0.1)


def test_no_more_start_than_the_gpus_hold_and_the_rest_once_there_is_room() -> None:
    served = fleet(arrivals([0.5], 1, 500), replicas=4, where=ground(curves(step=0.1), gpus=2))
    served.run_until(1)
    served.scale(9, "3g.40gb")
    assert served.counts() == (4, 0)
    served.scale(2, "7g.80gb")
    assert served.counts() == (0, 0), "no room beside the old ones"
    served.scale(2, "3g.40gb")
    served.scale(1, "7g.80gb")

    assert served.counts() == (0, 1), "two of four have gone"


def test_slots_and_rows_grow_with_what_is_in_flight() -> None:
    crowd = arrivals(np.full(20_000, 5.0), 1, 1)
    served = fleet(crowd, replicas=200, where=ground(curves(step=0.01)))
    served.run_until(6)
    served.run_until(60)

    assert served.tally.counts[OFFERED] == served.tally.counts[FINISHED] == 20_000


def test_a_request_that_no_cache_can_hold_is_dropped() -> None:
    load = arrivals([1.0, 2.0], [50, 5000], 10)
    served = fleet(load, where=ground(curves(kv=1000)))
    served.run_until(10)

    assert (served.tally.counts[DROPPED], served.tally.counts[FINISHED]) == (1, 1)


def test_energy_is_that_of_the_work_and_of_idling() -> None:
    served = fleet(arrivals([10.0], 1, 100), where=ground(curves(step=0.1)))
    served.run_until(100)

    _, joules = served.finish(0)
    assert joules == pytest.approx(10 * 100 + 90 * 40)
