"""From a demand to replicas: what each way costs, which one is chosen, and why there is none."""

from dataclasses import replace

import pytest
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.service import Metric, Service, Target
from cynosure.size.images import ImageReplica
from cynosure.size.lengths import AZURE_CODE_2023
from cynosure.size.options import Needs, Sizing, option_for, price, size_service
from cynosure.size.replica import Replica, capacity_rps
from cynosure.size.text import TextReplica
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.snapshots import A100, TPOT, TTFT, profile, service

WIDE = service(partitions=())
E2E = Target(Metric.E2E, 95, 100)


def sized(rps: float, *, of: Service = WIDE, targets: tuple[Target, ...] = (TTFT, TPOT)) -> Sizing:
    return size_service(of, profile(), Needs(rps, 2048, 28), targets, [A100])


def text(partition: str = "3g.40gb") -> Replica:
    return TextReplica(profile().on(A100, partition), 2048, 28, AZURE_CODE_2023)


def images() -> Replica:
    return ImageReplica([Point(A100, "1g.10gb", b, b / (0.01 + 0.002 * b), latency_seconds=0.01 + 0.002 * b)
                         for b in (1, 4, 16)])  # fmt: skip


def test_the_cheapest_option_comes_first_and_all_carry_the_rate() -> None:
    options = sized(18).options
    prices = [price(WIDE, option) for option in options]
    assert prices == sorted(prices)
    assert {option.partition for option in options} == {"2g.20gb", "3g.40gb", "7g.80gb"}
    assert all(option.capacity_rps >= 18 for option in options)


def test_energy_can_outweigh_gpus() -> None:
    hungry = profile()
    points = tuple(replace(p, watts=900.0 if p.partition == "7g.80gb" else 30.0) for p in hungry.points)
    by_energy = replace(WIDE, cost_weight=0.0, energy_weight=1.0)
    options = size_service(by_energy, replace(hungry, points=points), Needs(18, 2048, 28), (TTFT,), [A100]).options
    assert options[-1].partition == "7g.80gb"


def test_only_allowed_partitions_are_options() -> None:
    assert [o.partition for o in sized(3, of=service(partitions=("2g.20gb",))).options] == ["2g.20gb"]


def test_a_profile_without_a_usable_point_says_what_it_has() -> None:
    found = sized(3, of=service(partitions=("1g.10gb",)))
    assert not found.is_measured
    assert "has no point for 1g.10gb on A100-80GB; measured: 2g.20gb on A100-80GB" in (found.unreachable or "")


def test_an_slo_out_of_reach_names_the_nearest_that_works() -> None:
    found = sized(3, targets=(Target(Metric.TTFT, 95, 20),))
    assert found.options == ()
    assert "no number of replicas meets p95 ttft <= 20 ms: even without load 7g.80gb" in (found.unreachable or "")


def test_replicas_that_share_requests_at_random_serve_as_much_each_as_one_alone() -> None:
    one = capacity_rps(text(), (TTFT, TPOT))
    several = next(o for o in sized(4.9 * one).options if o.partition == "3g.40gb")
    assert several.replicas == 5
    assert several.capacity_rps / several.replicas == pytest.approx(one, rel=0.01)


def test_an_option_scales_with_its_replicas() -> None:
    option = sized(18).options[0]
    twice = option_for(option, 2 * option.replicas)
    assert (twice.capacity_rps, twice.gpu_share) == (2 * option.capacity_rps, 2 * option.gpu_share)


@pytest.mark.parametrize(("replica", "targets"), [(text(), (TTFT, TPOT)), (images(), (E2E,))], ids=["text", "images"])
def test_capacity_is_the_last_rate_that_meets_every_target(replica: Replica, targets: tuple[Target, ...]) -> None:
    capacity = capacity_rps(replica, targets)
    assert 0 < capacity < replica.measured_rps
    assert all(replica.attainment(t, capacity) >= t.objective for t in targets)
    assert any(replica.attainment(t, 1.02 * capacity) < t.objective for t in targets)


@pytest.mark.parametrize("replica", [text(), images()], ids=["text", "images"])
def test_more_than_was_measured_is_never_promised(replica: Replica) -> None:
    patient = Target(Metric.E2E, 50, 1e9)
    assert capacity_rps(replica, (patient,)) <= replica.measured_rps
    assert replica.attainment(patient, 1.01 * replica.measured_rps) == 0


def test_longer_prompts_fit_less() -> None:
    points = profile().on(A100, "3g.40gb")
    short, long = (TextReplica(points, n, 28, AZURE_CODE_2023) for n in (512, 4096))
    assert capacity_rps(short, (TPOT,)) > capacity_rps(long, (TPOT,))


def test_the_kv_cache_limits_how_many_run_together() -> None:
    tight = tuple(replace(p, kv_cache_tokens=5000) for p in profile().on(A100, "3g.40gb"))
    assert TextReplica(tight, 2048, 28, AZURE_CODE_2023).largest_batch == 2


def test_a_classifier_meets_no_target_on_tokens() -> None:
    assert images().attainment(TTFT, 1.0) == 0


def test_a_profile_of_images_is_sized_by_its_batches() -> None:
    points = tuple(Point(A100, "1g.10gb", b, b / (0.01 + 0.002 * b), latency_seconds=0.01 + 0.002 * b) for b in (1, 8))
    found = size_service(WIDE, Profile("vision", Task.IMAGE_CLASSIFICATION, 5, points), Needs(300), (E2E,), [A100])
    assert [o.partition for o in found.options] == ["1g.10gb"]
    assert found.options[0].capacity_rps >= 300


@settings(max_examples=40, deadline=None)
@given(
    rates=st.tuples(st.floats(0.1, 40), st.floats(0.1, 40)),
    limits=st.tuples(st.floats(150, 2000), st.floats(150, 2000)),
)
def test_less_load_and_more_patience_never_need_more(rates: tuple[float, float], limits: tuple[float, float]) -> None:
    calm = sized(min(rates), targets=(Target(Metric.TTFT, 95, max(limits)),))
    busy = sized(max(rates), targets=(Target(Metric.TTFT, 95, min(limits)),))
    needed = {option.partition: option.replicas for option in calm.options}
    assert all(needed[option.partition] <= option.replicas for option in busy.options)
