"""The queueing model against the emulated engine's own scheduler, in compressed time."""

from pathlib import Path

import numpy as np
import pytest
from cynosure.model.profile import Profile
from cynosure.model.service import Metric, Target
from cynosure.size.lengths import AZURE_CODE_2023
from cynosure.size.measured import read_profile
from cynosure.size.text import TextReplica

from tests.builders.engine import CHAT, CODE, REQUESTS, poisson, serve, stable_rps

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def profile(repository: Path) -> Profile:
    return read_profile(repository / "examples/profiles/opt-1.3b.yaml")


MOST_ABOVE = {Metric.TTFT: 0.04, Metric.TPOT: 0.07, Metric.E2E: 0.03}
"""A share that is predicted too high breaks a promise; one too low costs a little."""
MOST_BELOW = 0.1


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("tokens", [CODE, CHAT], ids=["prefill binds", "decode binds"])
@pytest.mark.parametrize("partition", ["1g.10gb", "3g.40gb", "7g.80gb"])
def test_the_model_predicts_the_share_within_each_target(
    profile: Profile, partition: str, tokens: tuple[int, int], load: float
) -> None:
    points = profile.on("A100-80GB", partition)
    replica = TextReplica(points, *tokens, AZURE_CODE_2023)
    rps = load * stable_rps(replica)
    served = serve(points, poisson(rps), tokens)
    for metric, most_above in MOST_ABOVE.items():
        errors = []
        for percentile in (90, 95, 99):
            limit = 1.05 * float(np.percentile(served.of(metric), percentile))
            measured = float(np.mean(served.of(metric) <= limit))
            errors.append(replica.attainment(Target(metric, percentile, 1000 * limit), rps) - measured)
        assert max(errors) < most_above, metric
        assert min(errors) > -MOST_BELOW, metric
        assert abs(np.mean(errors)) < 0.06, metric


@pytest.mark.parametrize("tokens", [CODE, CHAT], ids=["prefill binds", "decode binds"])
@pytest.mark.parametrize("partition", ["3g.40gb", "7g.80gb"])
def test_where_the_model_sees_the_queue_grow_it_grows(
    profile: Profile, partition: str, tokens: tuple[int, int]
) -> None:
    points = profile.on("A100-80GB", partition)
    edge = stable_rps(TextReplica(points, *tokens, AZURE_CODE_2023))
    below, above = (serve(points, poisson(share * edge), tokens).ttft for share in (0.85, 1.3))
    assert above[-300:].mean() > 5 * above[:300].mean()
    assert below[-300:].mean() < 0.2 * above[-300:].mean()


def test_random_routing_over_replicas_is_as_good_as_each_of_them(profile: Profile) -> None:
    points, random = profile.on("A100-80GB", "3g.40gb"), np.random.default_rng(5)
    replica = TextReplica(points, *CODE, AZURE_CODE_2023)
    each = 0.6 * stable_rps(replica)
    arrivals = poisson(3 * each, 3 * REQUESTS)
    routed = random.integers(0, 3, len(arrivals))
    ttft = np.concatenate([serve(points, arrivals[routed == n], seed=n).ttft for n in range(3)])
    limit = float(np.percentile(ttft, 95))
    assert replica.attainment(Target(Metric.TTFT, 95, 1000 * limit), each) == pytest.approx(0.95, abs=0.03)


def test_a_rate_that_the_engine_cannot_keep_up_with_has_no_attainment(profile: Profile) -> None:
    replica = TextReplica(profile.on("A100-80GB", "1g.10gb"), 2048, 28, AZURE_CODE_2023)
    assert replica.attainment(Target(Metric.TTFT, 95, 1e6), 8.0) == 0.0
