import pytest

from serving.timing import Curve, DecoderTiming, TimingError

CURVE = Curve.through([(8, 0.040), (2, 0.010), (4, 0.020)])


@pytest.mark.parametrize(
    ("size", "seconds"),
    [
        pytest.param(1, 0.010, id="below the first point its value holds"),
        pytest.param(2, 0.010, id="first point"),
        pytest.param(3, 0.015, id="between two points"),
        pytest.param(6, 0.030, id="between two others"),
        pytest.param(8, 0.040, id="last point"),
    ],
)
def test_a_curve_is_linear_between_its_points(size: int, seconds: float) -> None:
    assert CURVE.at(size) == pytest.approx(seconds)


def test_beyond_the_last_point_nothing_is_claimed() -> None:
    with pytest.raises(TimingError, match="the largest measured point is 8"):
        CURVE.at(9)


def test_two_measurements_of_the_same_point_are_refused() -> None:
    with pytest.raises(TimingError, match="two measurements at concurrency or batch 4"):
        Curve.through([(4, 0.01), (4, 0.02)])


def test_prefill_is_proportional_to_the_prompt_and_depends_on_the_company() -> None:
    timing = DecoderTiming(Curve.through([(1, 0.001), (3, 0.003)]), CURVE, kv_cache_tokens=1)

    assert timing.prefill_seconds(200, 1) == pytest.approx(2 * timing.prefill_seconds(100, 1))
    assert timing.prefill_seconds(100, 2) == pytest.approx(0.2)
