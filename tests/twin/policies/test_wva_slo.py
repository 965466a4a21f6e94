import numpy as np
import pytest
from cynosure.model.profile import Point
from cynosure.model.service import Metric, Target
from cynosure.twin.policies.wva_slo import Queue, Service, WvaSlo, fit, replica_rate

from tests.twin.policies.builders import POINTS, seen, setting, window


def one_at_a_time(seconds: float) -> Service:
    """No batching, no prefill: one token after the first, so that a request takes ``seconds``."""
    return Service(alpha=seconds, beta=0.0, gamma=0.0, delta=0.0, largest_batch=1)


def test_a_batch_of_one_is_an_m_m_1_k_queue() -> None:
    """K = 11, rho = 0.5: P(n) ~ 0.5^n, so wait = L / throughput - 1 / mu with L and throughput of the closed form."""
    rho, mu, k = 0.5, 10.0, 11
    p = rho ** np.arange(k + 1) / np.sum(rho ** np.arange(k + 1))
    expected = p @ np.arange(k + 1) / (rho * mu * (1 - p[-1])) - 1 / mu
    ttft, itl = Queue(one_at_a_time(1 / mu), inputs=0, outputs=2).means(rho * mu)
    assert ttft == pytest.approx(expected, rel=1e-9)
    assert itl == pytest.approx(1 / mu)


def test_service_times_come_from_the_points() -> None:
    """Decoding by least squares; the prompt of 100 tokens takes 30 ms, of which 11 are the step of its iteration."""
    points = tuple(
        Point("g", "p", n, 1.0, 100, 10, ttft_seconds=0.03, tpot_seconds=0.01 + 0.001 * n) for n in (1, 8, 32)
    )
    fitted = fit(points)
    assert (fitted.alpha, fitted.beta, fitted.gamma, fitted.delta) == pytest.approx((0.01, 0.001, 0.011, 1.9e-4))
    assert fitted.largest_batch == 32


def test_a_single_point_has_no_slope() -> None:
    fitted = fit(POINTS[:1])
    assert (fitted.alpha, fitted.beta) == pytest.approx((0.010, 0.0))


def test_the_rate_meets_the_tighter_target() -> None:
    service = Service(alpha=0.01, beta=0.001, gamma=0.02, delta=1e-5, largest_batch=32)
    rates = [replica_rate(service, 100, 100, ttft, itl) for ttft, itl in ((1.0, None), (None, 0.02), (1.0, 0.02))]
    assert rates[2] == min(rate for rate in rates[:2] if rate is not None)
    assert Queue(service, 100, 100).means(rates[1] or 0)[1] == pytest.approx(0.02, rel=1e-3)


def test_replicas_are_the_rate_over_that_of_one() -> None:
    policy = WvaSlo(setting())
    rate = replica_rate(fit(POINTS), 500, 100, 1.0, 0.04)
    assert rate is not None
    assert policy.decide(seen(0, window(rps=2.5 * rate))).replicas == 3


@pytest.mark.parametrize(
    ("policy", "metrics", "expected"),
    [
        pytest.param(WvaSlo(setting()), None, 4, id="no metrics: what there is"),
        pytest.param(WvaSlo(setting()), window(0.0), 1, id="no load: one"),
        pytest.param(
            WvaSlo(setting(targets=(Target(Metric.TTFT, 95, 1),))), window(), 4, id="out of reach: what there is"
        ),
        pytest.param(WvaSlo(setting(targets=(Target(Metric.TTFT, 95, 1000),))), window(1e6), 20, id="the limit"),
    ],
)
def test_edges(policy: WvaSlo, metrics: object, expected: int) -> None:
    assert policy.decide(seen(0, metrics)).replicas == expected  # type: ignore[arg-type]
