"""The report says what the record holds, and nothing from the cluster can break out of it."""

import math
from typing import Any

import pytest

from demo.record import Decided, Line, Moment, Partition, Record, Sample, ServiceRecord
from demo.recorder import sample
from demo.report import html, plots


def record(**changes: object) -> Record:
    """Half a replayed day: one 3g partition for 300 s, two in the second half."""
    one, two = Partition("gpu-0", 0, "3g.40gb", "chat"), Partition("gpu-0", 4, "3g.40gb", "chat")
    line = Line([0.0, 300.0, 600.0], [1.0, 2.0, 3.0])
    chat = ServiceRecord(
        name="chat",
        slo="p95 ttft <= 400 ms",
        objective=0.95,
        attainment=0.97,
        sent=1000,
        failed=3,
        offered=line,
        served=line,
        attained=Line([0.0, 600.0], [97.0, 97.0]),
        forecast={0.1: line, 0.95: line},
        static_share=9 / 7,
    )
    facts: dict[str, object] = {
        "started_at_seconds": 0.0,
        "ended_at_seconds": 600.0,
        "compression": 144.0,
        "trace": "a made-up day",
        "services": (chat,),
        "samples": (
            Sample(0.0, (one,), {"chat": 3 / 7}, {"chat": 1}, {"chat": 1}),
            Sample(300.0, (one, two), {"chat": 6 / 7}, {"chat": 2}, {"chat": 1}),
            Sample(600.0, (one, two), {"chat": 6 / 7}, {"chat": 2}, {"chat": 2}),
        ),
        "decisions": (Decided(300.0, "chat", "ScaleUp", "ForecastDemand", "1 → 2 <script>alert(1)</script>"),),
        "moments": (Moment(270.0, "asked"),),
        "intent": {"phase": "Verified"},
        "gpus": ("gpu-0",),
    }
    return Record(**(facts | changes))  # type: ignore[arg-type]


def test_gpu_hours_are_the_slices_held_over_the_replayed_day() -> None:
    # 300 s with 3/7 and 300 s with 6/7 of a GPU, each second standing for 144 s
    assert record().gpu_hours() == pytest.approx((300 * 3 / 7 + 300 * 6 / 7) * 144 / 3600)
    assert record().static_gpu_hours() == pytest.approx(9 / 7 * 24)


def test_what_the_cluster_held_before_and_after_the_day_does_not_count() -> None:
    narrow = record(started_at_seconds=300.0)
    assert narrow.gpu_hours() == pytest.approx(300 * 6 / 7 * 144 / 3600)


def test_a_day_on_which_nothing_was_seen_did_not_cost_nothing() -> None:
    blind = record(samples=())
    assert math.isnan(blind.gpu_hours())
    assert blind.cost().startswith("nan GPU-hours")


def test_pods_hold_their_partition_from_binding_to_the_end_where_no_layout_is_told() -> None:
    pods = [
        pod("3g.40gb", node="a", phase="Running"),
        pod("1g.10gb-me", node="a", phase="Pending"),
        pod("7g.80gb", node=None, phase="Pending"),
        pod("7g.80gb", node="b", phase="Succeeded"),
    ]
    seen = sample(0.0, [{"metadata": {"name": "chat"}, "status": {"replicas": 4}}], pods)
    assert seen.partitions == ()
    assert seen.held == {"chat": pytest.approx(4 / 7)}


def test_a_cluster_that_tells_no_slices_gets_no_plot_of_them() -> None:
    assert "slices" not in plots.all_plots(record(gpus=()))


def pod(partition: str, *, node: str | None, phase: str) -> dict[str, Any]:
    labels = {"cynosure.dev/service": "chat", "cynosure.dev/partition": partition}
    return {"metadata": {"labels": labels}, "spec": {"nodeName": node} if node else {}, "status": {"phase": phase}}


@pytest.mark.slow
def test_page_holds_results_and_plots_and_escapes_what_came_from_the_cluster() -> None:
    page = html.page(record(), {name: plots.png(figure) for name, figure in plots.all_plots(record()).items()})
    assert page.count("data:image/png;base64,") == 4
    assert "97.00%" in page
    assert "<script>" not in page
    assert "12:00" in page, "the decision's time is told in hours of the replayed day"


@pytest.mark.parametrize(("profile", "slices"), [("1g.10gb", 1), ("2g.20gb", 2), ("3g.40gb", 4), ("7g.80gb", 8)])
def test_a_profile_takes_its_share_of_the_memory_slices(profile: str, slices: int) -> None:
    assert plots.memory_slices(profile) == slices
