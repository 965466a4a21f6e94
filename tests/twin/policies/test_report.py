"""What the benchmark of policies says of its results."""

from typing import Any

from benchmarks.policy_report import at_least_as_good, cheapest, headline, peers, saving, table


def row(policy: str, attainment: float, gpu_hours: float, tuning: str = "published") -> dict[str, Any]:
    met = attainment >= 0.99
    figures = {"policy": policy, "attainment": attainment, "gpu_hours": gpu_hours, "tuning": tuning}
    return figures | {"objective_met": met, "scale_actions": 1}


CASE = {
    "family": "a trace",
    "scenario": "plain",
    "lead_seconds": 120.0,
    "requests": 1000,
    "rows": [
        row("cynosure", 0.995, 6.0),
        row("cynosure, one partition", 0.995, 8.0),
        row("oracle", 0.99, 5.0),
        row("static", 1.0, 20.0),
        row("hpa", 0.999, 10.0),
        row("wva", 0.80, 3.0),
        row("hpa", 0.996, 8.0, "utilisation=0.8"),
    ],
}


def test_the_cheapest_peer_is_one_that_meets_the_objective() -> None:
    best = cheapest(peers(CASE, tuned=False))
    assert best is not None
    assert best["policy"] == "hpa"


def test_the_saving_is_of_the_cheapest_peer() -> None:
    assert saving(CASE, "cynosure", tuned=False) == 0.4
    assert saving(CASE, "cynosure", tuned=True) == 0.25


def test_there_is_no_saving_where_no_peer_meets_the_objective() -> None:
    case = {**CASE, "rows": [r for r in CASE["rows"] if r["policy"] != "hpa"]}  # type: ignore[attr-defined]
    assert saving(case, "cynosure", tuned=False) is None


def test_a_peer_is_as_good_when_it_neither_misses_nor_costs_more() -> None:
    assert at_least_as_good(CASE, "cynosure") == []
    assert [r["tuning"] for r in at_least_as_good(CASE, "cynosure, one partition")] == ["utilisation=0.8"]


def test_the_headline_has_the_figures_and_the_table_every_row() -> None:
    assert "objective met in 1 of 1 cases, at a median of 1.20 x the oracle's GPU-hours; 40% fewer" in headline(
        {"cases": [CASE]}
    )
    assert table({"cases": [CASE]}).count("\n") == 10
