"""What the table says of each policy besides its numbers."""

import pytest
from cynosure.twin.backtest import front
from cynosure.twin.seeds import averaged, with_seeds

from tests.twin.conftest import experiment


def test_pareto_is_what_no_other_beats_in_both_and_the_oracle_beats_nobody() -> None:
    points = [("cheap", 0.9, 1.0), ("as dear, and worse", 0.95, 2.0), ("good", 0.99, 2.0), ("oracle", 0.99, 1.0)]

    assert list(front(points)) == [True, False, True, True]


def test_seeds_give_a_mean_and_how_sure_it_is() -> None:
    told = [{"policy": "hpa", "attainment": a, "objective_met": a > 0.9, "ttft_p95_ms": None} for a in (0.8, 0.9, 1.0)]

    merged = averaged(told)

    assert merged["policy"] == "hpa"
    assert merged["attainment"] == pytest.approx(0.9)
    assert merged["attainment_ci95"] == pytest.approx(4.303 * 0.1 / 3**0.5)
    assert merged["objective_met"] is False
    assert merged["ttft_p95_ms"] is None


def test_each_seed_is_another_load_for_every_policy() -> None:
    loads = [next(one.traffic.chunks()).at_seconds for one in with_seeds(experiment(seed=4), 3)]

    assert not any((loads[0][:50] == other[:50]).any() for other in loads[1:])
