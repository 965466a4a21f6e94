"""How close measured CPU is to the intended, and what a request costs: from counters as a kubelet serves them."""

import numpy as np
import pytest

from loadgen.closeness import closeness, overall, used_per_step
from loadgen.costs import Costs, fit_costs
from loadgen.errors import BadLoadInput

INTENDED = np.array([0.1, 0.3, 0.2, 0.1])


def test_a_counter_becomes_the_mean_of_each_step() -> None:
    at = np.arange(0.3, 21.0)
    edges = np.arange(5) * 5.0 + 0.5
    assert used_per_step(at, 0.25 * at, edges[:4]) == pytest.approx([0.25, 0.25, 0.25])


def test_what_no_sample_covers_is_missing_and_not_zero() -> None:
    at = np.arange(3.0, 12.0)
    cores = used_per_step(at, 0.1 * at, np.array([0.0, 5.0, 10.0, 15.0]))
    assert np.isnan(cores).tolist() == [True, False, True]
    assert np.isnan(used_per_step(at[:1], at[:1], np.array([0.0, 5.0]))).all()


def test_a_counter_that_was_set_back_counts_from_there() -> None:
    cores = used_per_step(np.array([0.0, 5.0, 10.0]), np.array([7.0, 8.0, 0.5]), np.array([0.0, 10.0]))
    assert cores == pytest.approx([0.15])


def test_a_wrong_scale_is_hidden_by_min_max_and_by_nothing_else() -> None:
    doubled = closeness(INTENDED, 2 * INTENDED)
    assert doubled.rmse == pytest.approx(0)
    assert (doubled.wape, doubled.peak_error) == (pytest.approx(1.0), pytest.approx(1.0))
    assert doubled.rmse_of_range > 0.9


def test_steps_that_are_missing_on_either_side_are_left_out() -> None:
    measured = np.array([0.1, np.nan, 0.2, 0.15])
    assert closeness(np.array([0.1, 0.3, 0.2, np.nan]), measured).steps == 2
    with pytest.raises(BadLoadInput, match="1 of 4 steps"):
        closeness(np.array([0.1, np.nan, np.nan, np.nan]), measured)


def test_pods_are_weighed_by_their_steps() -> None:
    close, far = closeness(INTENDED, INTENDED), closeness(INTENDED[:2], np.array([0.2, 0.1]))
    both = overall([close, far])
    assert both.steps == 6
    assert both.rmse == pytest.approx(np.sqrt(far.rmse**2 * 2 / 6))
    assert both.peak_error == far.peak_error


def test_costs_are_found_again_and_predict_other_mixes() -> None:
    chance = np.random.default_rng(1)
    rates = {"read": chance.uniform(0, 50, 40), "write": chance.uniform(0, 20, 40)}
    cores = 0.01 + 0.001 * rates["read"] + 0.004 * rates["write"] + chance.normal(0, 0.0005, 40)
    cores[3] = np.nan
    costs = fit_costs(rates, cores)
    assert costs.base_cores == pytest.approx(0.01, abs=0.001)
    assert costs.seconds == pytest.approx({"read": 0.001, "write": 0.004}, rel=0.03)
    assert costs.cores({"write": np.array([0.0, 10.0])}) == pytest.approx([0.01, 0.05], abs=0.002)


def test_functionalities_that_always_come_together_cannot_be_told_apart() -> None:
    rates = np.arange(10.0)
    with pytest.raises(BadLoadInput, match="vary their rates apart"):
        fit_costs({"read": rates, "write": 2 * rates}, rates)
    with pytest.raises(BadLoadInput, match="cost of base comes out negative"):
        fit_costs({"read": rates}, rates - 3)
    with pytest.raises(BadLoadInput, match="no cost is known of write; known are read"):
        Costs(0.1, {"read": 1.0}).cores({"write": rates})
