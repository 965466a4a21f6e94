"""The cheapest GPUs for requests of several sizes: Mélange's example, and brute force."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from cynosure.errors import BadInput
from cynosure.size.measured import read_profile
from cynosure.size.mixture import cheapest_mixture
from cynosure.size.size_classes import SizeClass, cheapest_shared, sized_alone, throughput_rps
from cynosure.size.targets import read_targets
from hypothesis import given, settings
from hypothesis import strategies as st

MELANGE_RATES = (6.0, 3.0, 15.0, 6.0)
MELANGE_THROUGHPUT = np.array([[2, 20], [1, 20], [5, 40], [2, 20]], dtype=float)
MELANGE_COSTS = (1.01, 3.67)
"""A10G and A100-80GB: melange/config/example.json of tyler-griggs/melange-release (ebba701), 30 requests/s."""


def test_the_published_example_costs_less_than_three_a10g_and_an_a100() -> None:
    """Whole buckets cost 6.70 there. Splitting one fills the A100 and leaves what a single A10G can do."""
    found = cheapest_mixture(MELANGE_RATES, MELANGE_THROUGHPUT, MELANGE_COSTS)
    assert found is not None
    assert (found.counts, found.optimal) == ((1, 1), True)
    assert found.cost == pytest.approx(4.68)


def test_a_bucket_that_fits_nowhere_has_no_answer_unless_nobody_asks() -> None:
    able = np.array([[0.0, 0.0], [1.0, 2.0]])
    assert cheapest_mixture((1.0, 1.0), able, (1, 1)) is None
    assert cheapest_mixture((0.0, 1.0), able, (1, 1)) is not None


def test_no_load_needs_nothing() -> None:
    found = cheapest_mixture((0.0,), np.array([[1.0]]), (1,))
    assert found is not None
    assert (found.counts, found.cost) == ((0,), 0)


def test_the_load_is_spread_over_what_is_paid_for() -> None:
    """Two GPUs are needed for 11 requests/s at 10 each, one of each kind: neither is left idle beside a full one."""
    found = cheapest_mixture((11.0,), np.array([[10.0, 10.0]]), (1.0, 1.0))
    assert found is not None
    assert max(found.loads) == pytest.approx(0.55)


MOST = 4
"""Of each kind in the brute force."""


def fits(rates: list[float], able: np.ndarray, counts: tuple[int, ...]) -> bool:
    """Two kinds: the first takes first what it is best at compared with the second (a fractional knapsack)."""
    room = float(counts[0])
    left = 0.0
    order = sorted(range(len(rates)), key=lambda b: able[b, 1] / able[b, 0] if able[b, 0] else np.inf)
    for bucket in order:
        rate = rates[bucket]
        if able[bucket, 0]:
            taken = min(rate, room * able[bucket, 0])
            rate -= taken
            room -= taken / able[bucket, 0]
        if rate > 1e-9 and not able[bucket, 1]:
            return False
        left += rate / able[bucket, 1] if able[bucket, 1] else 0.0
    return left <= counts[1] + 1e-9


rates_of_buckets = st.lists(st.integers(0, 8).map(float), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    rates=rates_of_buckets,
    seed=st.integers(0, 1000),
    costs=st.tuples(st.integers(1, 9).map(float), st.integers(1, 9).map(float)),
)
def test_no_other_counts_are_cheaper(rates: list[float], seed: int, costs: tuple[float, float]) -> None:
    able = np.random.default_rng(seed).choice([0.0, 5.0, 8.0, 20.0], (len(rates), 2))
    able[:, 0] = np.where(able.any(axis=1), able[:, 0], 10.0)
    found = cheapest_mixture(rates, able, costs)
    assert found is not None
    assert found.rates.sum(axis=1) == pytest.approx(rates, abs=1e-6)
    assert all(load <= 1 + 1e-6 for load in found.loads)
    assert not found.rates[able == 0].any()
    if max(found.counts) > MOST:
        return
    enough = [counts for counts in product(range(MOST + 1), repeat=2) if fits(rates, able, counts)]
    assert found.cost == pytest.approx(min(float(np.dot(counts, costs)) for counts in enough))


Size = Callable[..., int]
SHORT = {"input_tokens": 200, "output_tokens": 50, "rate_rps": 40}
LONG = {"input_tokens": 4000, "output_tokens": 200, "rate_rps": 3}
SLO = ("--slo", "ttft_p95_ms=600,tpot_p95_ms=60")


@pytest.fixture
def opt(repository: Path) -> tuple[str, str]:
    return "--profile", str(repository / "examples/profiles/opt-1.3b.yaml")


def buckets(tmp_path: Path, *found: dict[str, float]) -> tuple[str, str]:
    path = tmp_path / "buckets.json"
    path.write_text(json.dumps(found))
    return "--buckets", str(path)


def test_short_and_long_requests_share_what_is_cheapest_together(
    size: Size, opt: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert size("mix", *opt, *buckets(tmp_path, SHORT, LONG), *SLO, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["optimal"]
    assert answer["cost_per_hour"] == pytest.approx(sum(kind["cost_per_hour"] for kind in answer["kinds"]))
    assert answer["cost_per_hour"] <= answer["single"]["cost_per_hour"]
    assert all(kind["attainment"] >= 0.95 - 1e-6 for kind in answer["kinds"])
    for bucket, wanted in enumerate((SHORT, LONG)):
        routed = sum(route["rate_rps"] for route in answer["routes"] if route["bucket"] == bucket)
        assert routed == pytest.approx(wanted["rate_rps"])


def test_sizes_that_slow_each_other_down_get_more_room_than_their_loads_add_up_to(opt: tuple[str, str]) -> None:
    """Alone, each size fills a GPU within its SLO; together, short requests wait behind the prefills of long ones."""
    profile = read_profile(Path(opt[1]))
    targets, kind = read_targets("ttft_p95_ms=600,tpot_p95_ms=60"), ("A100-80GB", "7g.80gb")
    classes = [SizeClass(200, 50, 30), SizeClass(4000, 200, 4)]
    able = throughput_rps(classes, profile, targets, [kind])
    shared = cheapest_shared(classes, profile, targets, (kind,), [1.0])
    assert shared is not None
    assert shared.attainment[0] >= 0.95 - 1e-6
    adds_up = cheapest_mixture([c.rps for c in classes], able, [1.0])
    assert adds_up is not None
    assert shared.mixture.counts >= adds_up.counts


def test_one_size_alone_is_sized_as_by_itself(opt: tuple[str, str]) -> None:
    profile, targets, kind = read_profile(Path(opt[1])), read_targets("ttft_p95_ms=600"), ("A100-80GB", "7g.80gb")
    shared = cheapest_shared([SizeClass(1000, 50, 100)], profile, targets, (kind,), [1.0])
    alone = next(o for o in sized_alone(SizeClass(1000, 50, 100), profile, targets).options if o.partition == kind[1])
    assert shared is not None
    assert shared.mixture.counts == (alone.replicas,)


def test_a_size_that_no_partition_serves_in_time_is_named(
    size: Size, opt: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert size("mix", *opt, *buckets(tmp_path, SHORT, LONG), "--slo", "ttft_p95_ms=60") == 1
    assert "4000 input and 200 output tokens: no number of replicas meets p95 ttft" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("bucket", "options", "told"),
    [
        (SHORT | {"rate_rps": -1}, (), "rate_rps"),
        (SHORT | {"input_tokens": 0}, (), "input_tokens"),
        (SHORT | {"rate_rps": 0}, (), "no bucket has a rate_rps above 0"),
        (SHORT, ("--gpu-cost-per-hour", "A10G=1"), "A100-80GB needs a price"),
        (SHORT, ("--gpu-cost-per-hour", "dear"), "write a number"),
    ],
    ids=["negative rate", "no prompt", "no load", "no price", "price is no number"],
)
def test_what_cannot_be_read_is_one_clear_line(
    size: Size, opt: tuple[str, str], tmp_path: Path, bucket: dict[str, float], options: tuple[str, ...], told: str
) -> None:
    with pytest.raises(BadInput, match=r"^[^\n]+$") as refused:
        size("mix", *opt, *buckets(tmp_path, bucket), *SLO, *options)
    assert told in str(refused.value)
