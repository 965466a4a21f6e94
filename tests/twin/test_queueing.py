"""The engine against closed forms, which arise when an engine works on a fixed number at a time in equal steps."""

from math import factorial

import numpy as np
import pytest
from cynosure.model.service import Metric
from cynosure.twin.tally import METRICS, Tally, quantile_milliseconds

from tests.twin.conftest import arrivals, curves, served

REQUESTS = 400_000
TOKEN = 0.001
MEAN_TOKENS = 1000


def poisson(rate: float, seed: int = 1) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, REQUESTS))


def exponential_tokens(seed: int = 2) -> np.ndarray:
    """Service times in steps so fine that they are exponential."""
    return np.maximum(np.rint(np.random.default_rng(seed).exponential(MEAN_TOKENS, REQUESTS)), 1).astype(np.int64)


def mean_seconds(tally: Tally, metric: Metric) -> float:
    """From the buckets, each taken at its middle."""
    buckets = tally.buckets[METRICS.index(metric)]
    middles = np.append(0.0, 1e-4 * 1.02 ** (np.arange(1, len(buckets)) - 0.5))
    return float(buckets @ middles / buckets.sum())


def erlang_c(servers: int, load: float) -> float:
    """Probability of a wait in M/M/c (Erlang, 1917)."""
    full = load**servers / factorial(servers) / (1 - load / servers)
    return full / (sum(load**n / factorial(n) for n in range(servers)) + full)


@pytest.mark.parametrize("utilisation", [0.3, 0.6, 0.8])
def test_one_at_a_time_with_equal_work_waits_as_in_m_d_1(utilisation: float) -> None:
    tally = served(arrivals(poisson(utilisation), 1, MEAN_TOKENS), curves(step=TOKEN))

    wait = mean_seconds(tally, Metric.TTFT) - TOKEN
    assert wait == pytest.approx(utilisation / (2 * (1 - utilisation)), rel=0.03), "Pollaczek and Khinchine"


@pytest.mark.parametrize("utilisation", [0.3, 0.6, 0.8])
def test_one_at_a_time_with_exponential_work_stays_as_in_m_m_1(utilisation: float) -> None:
    tally = served(arrivals(poisson(utilisation), 1, exponential_tokens()), curves(step=TOKEN))

    stay = 1 / (1 - utilisation)
    assert mean_seconds(tally, Metric.E2E) == pytest.approx(stay, rel=0.04)
    assert quantile_milliseconds(tally, Metric.E2E, 95) == pytest.approx(1000 * stay * np.log(20), rel=0.05)


@pytest.mark.parametrize(("servers", "utilisation"), [(2, 0.7), (8, 0.8), (16, 0.7)])
def test_many_at_a_time_that_do_not_slow_each_other_wait_as_in_m_m_c(servers: int, utilisation: float) -> None:
    tally = served(arrivals(poisson(servers * utilisation), 1, exponential_tokens()), curves(step=TOKEN, batch=servers))

    wait = erlang_c(servers, servers * utilisation) / (servers * (1 - utilisation))
    admission = 1.5 * TOKEN  # joins the iteration in flight at once, or the next one
    assert mean_seconds(tally, Metric.TTFT) - admission == pytest.approx(wait, rel=0.08, abs=TOKEN)


def test_several_replicas_share_the_load_at_random_and_queue_each_alone() -> None:
    tally = served(arrivals(poisson(4 * 0.6), 1, exponential_tokens()), curves(step=TOKEN), replicas=4)

    assert mean_seconds(tally, Metric.E2E) == pytest.approx(1 / (1 - 0.6), rel=0.04), "M/M/1, four times"
