"""``cynosure place`` keeps its contract, and says in one line what it cannot use."""

import gzip
import json
from pathlib import Path

import pytest

from tests.place.checker import check, partitions
from tests.place.conftest import Run, parse, write_points
from tests.place.files import demand, gpus, placement, points, rated

KEYS = {
    "feasible", "optimal", "gap", "gpus", "lower_bound", "solver", "solve_seconds", "placement", "moves", "unplaced"
}  # fmt: skip


def test_all_listed_partitions_stand_on_the_fewest_gpus(run: Run) -> None:
    wanted = demand(chat={"3g.40gb": 2}, vision={"2g.20gb": 3, "1g.10gb": 1})
    code, answer = run(wanted)
    check(answer, wanted)
    assert set(answer) >= KEYS
    assert (code, answer["gpus"], answer["lower_bound"], answer["optimal"]) == (0, 2, 2, True)


def test_three_profiles_that_fit_one_gpu_land_on_one(run: Run) -> None:
    """Users of NVIDIA's DRA driver saw them on three (dra-driver-nvidia-gpu, issue 897)."""
    wanted = demand(a={"3g.40gb": 1}, b={"2g.20gb": 1}, c={"1g.10gb": 1})
    assert run(wanted)[1]["gpus"] == 1


def test_no_service_is_done_at_once(run: Run) -> None:
    code, answer = run(demand())
    assert (code, answer["gpus"], answer["gap"], answer["feasible"], answer["optimal"]) == (0, 0, 0.0, True, True)


def test_scattered_partitions_are_moved_only_when_that_saves_a_gpu(run: Run) -> None:
    """1g.10gb at 0, 1 and 5 block a 3g.40gb (dra-driver-nvidia-gpu, issue 933): one of them has to move."""
    before = placement(gpu0=[("1g.10gb", 0, "a"), ("1g.10gb", 1, "a"), ("1g.10gb", 5, "a")])
    wanted = demand(a={"1g.10gb": 3}, big={"3g.40gb": 1})
    _, answer = run(wanted, current=before)
    check(answer, wanted, current=before)
    assert (answer["gpus"], answer["moves"], answer["optimal"]) == (1, 1, True)
    _, unchanged = run(demand(a={"1g.10gb": 3}), current=before)
    assert unchanged["moves"] == 0


def test_a_printed_answer_is_a_current_placement(run: Run) -> None:
    wanted = demand(a={"1g.10gb": 9}, b={"3g.40gb": 3}, c={"2g.20gb": 2})
    _, first = run(wanted)
    for current in (first, first["placement"]):
        _, second = run(wanted, current=current)
        assert (second["moves"], partitions(second)) == (0, partitions(first))


def test_services_that_are_gone_are_counted_as_moves(run: Run) -> None:
    before = placement(gpu3=[("3g.40gb", 0, "gone"), ("3g.40gb", 4, "stays")])
    wanted = demand(stays={"3g.40gb": 1})
    _, answer = run(wanted, current=before)
    check(answer, wanted, current=before)
    assert (answer["moves"], answer["optimal"]) == (1, True)
    assert partitions(answer) == {(3, 4, "3g.40gb", "stays")}


def test_what_finds_no_place_is_named_with_what_would_fit(run: Run) -> None:
    wanted, stock = demand(a={"4g.40gb": 3}), {"gpus": gpus(2)}
    code, answer = run(wanted, inventory=stock)
    check(answer, wanted, inventory=stock)
    assert (code, answer["feasible"], answer["optimal"], answer["gpus"]) == (1, False, True, 2)
    (lacking,) = answer["unplaced"]
    assert (lacking["service"], lacking["profile"], lacking["count"]) == ("a", "4g.40gb", 1)
    assert "3g.40gb would still fit on 2 GPUs" in lacking["reason"]


def test_gpus_that_are_not_usable_or_not_of_the_product_are_left_alone(run: Run) -> None:
    stock = {"gpus": gpus(1, usable=False) + gpus(2, "H100-80GB", first=1) + gpus(1, "NVIDIA A100-SXM4-80GB", first=3)}
    before = placement(gpu0=[("3g.40gb", 0, "a")])
    code, answer = run(demand(a={"3g.40gb": 2}), inventory=stock, current=before)
    assert (code, [gpu["gpu"] for gpu in answer["placement"]], answer["moves"]) == (0, [3], 1)


def test_services_may_ask_for_different_products(run: Run) -> None:
    stock = {"gpus": gpus(1) + gpus(1, "A30-24GB", first=1)}
    wanted = demand(a={"3g.40gb": 2})
    wanted["services"].append({"name": "b", "gpu": "A30-24GB", "partitions": [{"profile": "2g.12gb", "count": 2}]})
    code, answer = run(wanted, inventory=stock)
    assert (code, answer["gpus"]) == (0, 2)


def test_an_inventory_without_the_product_says_so(run: Run) -> None:
    code, answer = run(demand(a={"3g.40gb": 1}), inventory={"gpus": gpus(1, "H100-80GB")})
    assert (code, answer["gpus"]) == (1, 0)
    assert "no usable A100-80GB (usable: H100-80GB)" in answer["unplaced"][0]["reason"]


def test_a_product_without_mig_is_used_whole(run: Run) -> None:
    assert run(demand("NVIDIA L4", a={"gpu": 3}))[1]["gpus"] == 3


def test_partitions_are_chosen_for_a_rate(run: Run) -> None:
    wanted, measured = rated(a=(100.0, 20.0)), points("a", {1: 10.0, 2: 30.0, 3: 50.0, 7: 90.0})
    code, answer = run(wanted, points=measured)
    check(answer, wanted, points=measured)
    assert (code, answer["gpus"], answer["partitions"]) == (0, 1, [{"service": "a", "profile": "3g.40gb", "count": 2}])


def test_choosing_and_packing_are_decided_together(run: Run) -> None:
    """Alone, each would take what is cheapest by slices, and these would not fit on one GPU."""
    measured = points("a", {3: 30.0, 4: 30.0}) + points("b", {2: 10.0, 3: 10.0}) + points("c", {1: 5.0, 4: 20.0})
    wanted = rated(a=(30.0, 20.0), b=(10.0, 20.0), c=(5.0, 20.0))
    _, answer = run(wanted, points=measured)
    check(answer, wanted, points=measured)
    assert (answer["gpus"], answer["optimal"]) == (1, True)


def test_only_points_below_the_latency_and_above_zero_count(run: Run) -> None:
    measured = points("a", {1: 100.0}, latency_ms=20.0) + points("a", {2: 0.0}) + points("a", {3: 10.0})
    _, answer = run(rated(a=(20.0, 20.0)), points=measured)
    assert answer["partitions"] == [{"service": "a", "profile": "3g.40gb", "count": 2}]


def test_a_latency_that_nothing_reaches_names_the_quickest(run: Run) -> None:
    wanted = rated(a=(20.0, 5.0), b=(10.0, 50.0))
    measured = points("a", {1: 4.0}, 30.0) + points("a", {7: 8.0}, 9.5) + points("b", {1: 10.0})
    code, answer = run(wanted, points=measured)
    assert (code, answer["gpus"]) == (1, 1)
    (lacking,) = answer["unplaced"]
    assert (lacking["profile"], lacking["count"]) == ("7g.80gb", 3)
    assert lacking["reason"] == "no measured point of a is below 5 ms; the quickest is 7g.80gb with 9.5 ms"


def test_a_rate_that_the_inventory_cannot_serve_says_what_is_lacking(run: Run) -> None:
    wanted, measured, stock = rated(a=(300.0, 20.0)), points("a", {7: 90.0}), {"gpus": gpus(2)}
    code, answer = run(wanted, points=measured, inventory=stock)
    check(answer, wanted, points=measured, inventory=stock)
    assert (code, answer["unplaced"][0]["count"], answer["optimal"]) == (1, 2, True)


def test_measured_points_may_be_compressed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = write_points(tmp_path / "points.csv", points("a", {1: 10.0}))
    (tmp_path / "points.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (tmp_path / "demand.json").write_text(json.dumps(rated(a=(5.0, 20.0))))
    files = ["--demand", str(tmp_path / "demand.json"), "--profiles", str(tmp_path / "points.csv.gz")]
    assert parse(["place", *files]) == 0
    assert "1 GPUs (proven optimal), 0 moves" in capsys.readouterr().out


def test_money_prefers_the_cheaper_gpus_and_says_what_it_costs(run: Run) -> None:
    stock = {"gpus": gpus(3, cost_per_hour=2.21)}
    _, answer = run(demand(a={"4g.40gb": 2}), "--objective", "cost", inventory=stock)
    assert (answer["gpus"], answer["lower_bound"], answer["optimal"]) == (2, 2, True)
    assert answer["objective"] == {"name": "cost", "value": 4.42, "lower_bound": 4.42}


def test_energy_prefers_the_partitions_that_take_fewer_slices(run: Run) -> None:
    wanted, measured = rated(a=(40.0, 20.0)), points("a", {1: 20.0, 7: 40.0})
    _, answer = run(wanted, "--objective", "energy", points=measured)
    check(answer, wanted, points=measured)
    assert answer["partitions"] == [{"service": "a", "profile": "1g.10gb", "count": 2}]
    assert answer["objective"]["value"] == pytest.approx(50 + 350 * 2 / 7)
    assert answer["optimal"]


def test_the_same_input_gives_the_same_answer(run: Run) -> None:
    wanted = rated(**{f"s{n}": (37.0 + 11 * n, 20.0) for n in range(8)})
    measured = [p for n in range(8) for p in points(f"s{n}", {1: 9.0 + n, 2: 20.0, 3: 31.0 + n, 4: 40.0, 7: 70.0})]
    first, second = (run(wanted, points=measured)[1] for _ in range(2))
    assert {**first, "solve_seconds": 0} == {**second, "solve_seconds": 0}


def test_the_way_from_the_current_placement_is_told_step_by_step(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = placement(gpu0=[("1g.10gb", 0, "a"), ("1g.10gb", 1, "a"), ("1g.10gb", 5, "a")])
    wanted = demand(a={"1g.10gb": 3}, big={"3g.40gb": 1})
    _, answer = run(wanted, current=before, inventory={"gpus": gpus(1)})
    assert [(s["wave"], s["action"], s["profile"], s["slices_below_floor"]) for s in answer["steps"]] == [
        (1, "create", "1g.10gb", 0),
        (2, "remove", "1g.10gb", 0),
        (3, "create", "3g.40gb", 0),
    ]
    assert "steps" not in run(wanted)[1]


def test_a_gpu_that_may_no_longer_be_used_is_emptied_in_steps(run: Run) -> None:
    stock = {"gpus": gpus(1, usable=False) + gpus(1, first=1)}
    _, answer = run(demand(a={"3g.40gb": 1}), current=placement(gpu0=[("3g.40gb", 0, "a")]), inventory=stock)
    assert [(step["action"], step["gpu"]) for step in answer["steps"]] == [("create", 1), ("remove", 0)]
