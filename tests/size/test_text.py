"""A text generator under load, whatever its profile."""

import numpy as np
import pytest
from cynosure.model.profile import Point
from cynosure.model.service import Metric, Target
from cynosure.size.lengths import ALL_ALIKE, AZURE_CODE_2023, Lengths
from cynosure.size.text import TextReplica
from hypothesis import assume, given, settings
from hypothesis import strategies as st


def points(step: float, growth: float, prefill: float, most: int, kv_cache_tokens: int = 0) -> tuple[Point, ...]:
    """Decode steps of ``step`` seconds, ``growth`` more for each doubling of the batch; prefills of 1,000 tokens."""
    sizes = sorted({1, 2, 4, most})
    return tuple(
        Point("A100-80GB", "3g.40gb", b, 1.0, 1000, 100, prefill, step * (1 + growth * np.log2(b)),
              kv_cache_tokens=kv_cache_tokens)
        for b in sizes
    )  # fmt: skip


replicas = st.builds(
    TextReplica,
    st.builds(points, st.floats(0.002, 0.1), st.floats(0, 0.6), st.floats(0.01, 0.5), st.integers(5, 256)),
    st.floats(10, 8000),
    st.floats(1, 1000),
    st.sampled_from([ALL_ALIKE, AZURE_CODE_2023, Lengths((0.5, 1.5), (0.1, 1.9))]),
)
metrics = st.sampled_from(list(Metric))
limits = st.floats(1, 100_000)


@settings(max_examples=150, deadline=None)
@given(replica=replicas, metric=metrics, limit=limits, shares=st.tuples(st.floats(0, 1.2), st.floats(0, 1.2)))
def test_more_load_never_helps(replica: TextReplica, metric: Metric, limit: float, shares: tuple[float, float]) -> None:
    target = Target(metric, 95, limit)
    calm, busy = (replica.attainment(target, share * replica.measured_rps) for share in sorted(shares))
    assert 0 <= busy <= 1
    assert busy <= calm + 0.01


@settings(max_examples=150, deadline=None)
@given(replica=replicas, metric=metrics, times=st.tuples(limits, limits), share=st.floats(0, 1))
def test_more_patience_never_hurts(
    replica: TextReplica, metric: Metric, times: tuple[float, float], share: float
) -> None:
    hasty, patient = (
        replica.attainment(Target(metric, 95, limit), share * replica.measured_rps) for limit in sorted(times)
    )
    assert hasty <= patient + 1e-6


@settings(max_examples=60, deadline=None)
@given(replica=replicas, metric=metrics)
def test_without_load_the_floor_is_met_and_nothing_below_it(replica: TextReplica, metric: Metric) -> None:
    floor = replica.floor_milliseconds(Target(metric, 95, 1))
    assert replica.attainment(Target(metric, 95, 1.001 * floor), 1e-9) >= 0.95 - 1e-6
    assert replica.attainment(Target(metric, 95, 0.999 * floor), 1e-9) < 0.95


@settings(max_examples=60, deadline=None)
@given(replica=replicas, share=st.floats(0.01, 1))
def test_a_replica_in_equilibrium_holds_what_littles_law_says(replica: TextReplica, share: float) -> None:
    rps = share * replica.measured_rps
    state = replica.state(rps)
    assume(state is not None)
    assert state is not None
    assert 0 <= state.batch <= replica.largest_batch
    assert state.utilisation < 1
    least = rps * replica.floor_milliseconds(Target(Metric.TPOT, 95, 1)) / 1000 * max(replica.output_tokens - 1, 0)
    assert state.batch >= min(0.99 * least, replica.largest_batch)


@pytest.mark.parametrize(("tokens", "most"), [(2_000, 1), (10_000, 9), (10**6, 16)])
def test_the_kv_cache_limits_what_runs_together(tokens: int, most: int) -> None:
    replica = TextReplica(points(0.01, 0.1, 0.05, 16, kv_cache_tokens=tokens), 1000, 100, ALL_ALIKE)
    assert replica.largest_batch == most
    rate = 0.99 * replica.measured_rps
    tight = replica.attainment(Target(Metric.E2E, 95, 3000), 0.5 * rate)
    wide = TextReplica(points(0.01, 0.1, 0.05, 16), 1000, 100, ALL_ALIKE)
    assert tight <= wide.attainment(Target(Metric.E2E, 95, 3000), 0.5 * rate) + 1e-9
