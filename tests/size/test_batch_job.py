"""A job with a deadline: replicas that are all alike."""

import pytest
from cynosure.model.profile import Point, Profile, Task
from cynosure.size.batch_job import image_gpu, size_batch_job
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.snapshots import A100, service

JOB = service(partitions=())
LOAD_SECONDS = 5.0


def vision(slices: int, batches: tuple[int, ...] = (1, 4, 16)) -> tuple[Point, ...]:
    """Batches of 10 ms and 4 ms more for each image, on one slice."""
    name = {1: "1g.10gb", 7: "7g.80gb"}[slices]
    return tuple(Point(A100, name, b, 1.0, latency_seconds=(0.01 + 0.004 * b) / slices, watts=50) for b in batches)


RESNET = Profile("resnet", Task.IMAGE_CLASSIFICATION, LOAD_SECONDS, vision(1) + vision(7))


def test_the_measured_line_is_found_and_the_first_batch_waits_for_the_model() -> None:
    gpu = image_gpu(vision(1), LOAD_SECONDS)
    assert gpu.latency_seconds == pytest.approx((0.01, 0.004))
    assert gpu.warmup_seconds == pytest.approx((5.01, 0.004))
    assert gpu.max_minibatch == 16


def test_a_profile_of_one_point_is_not_trusted_with_faster_small_batches() -> None:
    assert image_gpu(vision(1, (16,)), 0.0).latency_seconds == (pytest.approx(0.074), 0.0)


@given(images=st.integers(1, 10**9), deadline=st.floats(5.5, 1e5))
def test_replicas_are_enough_and_one_less_is_not(images: int, deadline: float) -> None:
    for option in size_batch_job(JOB, RESNET, images, deadline, [A100]).options:
        each = option.capacity_rps * deadline / option.replicas
        assert option.replicas * each >= images * (1 - 1e-9)
        assert (option.replicas - 1) * each < images


def test_the_cheapest_comes_first() -> None:
    small, large = size_batch_job(JOB, RESNET, 50_000, 60, [A100]).options
    assert small.gpu_share <= large.gpu_share
    assert (small.batch, {small.partition, large.partition}) == (16, {"1g.10gb", "7g.80gb"})


def test_a_deadline_before_the_model_is_loaded_says_what_it_takes() -> None:
    found = size_batch_job(JOB, RESNET, 10, 3.0, [A100])
    assert found.options == ()
    assert "deadlineSeconds: got 3; loading resnet and its first image take 5.0 s on 7g.80gb" in (
        found.unreachable or ""
    )


def test_a_profile_without_a_usable_point_says_so() -> None:
    found = size_batch_job(service(partitions=("2g.20gb",)), RESNET, 10, 60, [A100])
    assert not found.is_measured
