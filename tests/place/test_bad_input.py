"""What cannot be used is said in one line: file, field, and the nearest thing that works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cynosure.errors import BadInput

from tests.place.conftest import Run, parse
from tests.place.files import A100, demand, gpus, points, rated, slices

WISH = demand(a={"3g.40gb": 1})
(SERVICE,) = WISH["services"]


def asks(*services: dict[str, Any]) -> dict[str, Any]:
    return {"gpu": A100, "services": list(services)}


BAD_DEMANDS = {
    "not JSON": ("{", r"demand\.json: not JSON"),
    "a list": ("[]", r"demand\.json: object: "),
    "no gpu": ({"services": []}, "gpu: Field required"),
    "no services": ({"gpu": A100}, "services: Field required"),
    "unknown profile": (demand(a={"3g.20gb": 1}), "profile: A100-80GB has no '3g.20gb'; did you mean 3g.40gb?"),
    "misspelt product": (demand("A100-80G", a={"3g.40gb": 1}), "did you mean gpu A100-80GB?"),
    "no partition": (demand(a={"3g.40gb": 0}), "count: Input should be greater than or equal to 1"),
    "half a partition": (demand(a={"3g.40gb": 1.5}), "count: Input should be a valid integer"),  # type: ignore[dict-item]
    "twice": (asks(SERVICE, SERVICE), "services[1].name: 'a' stands in services[0] already"),
    "nothing": (asks({"name": "a"}), "services[0]: 'a' asks for nothing"),
    "both": (asks({**SERVICE, "rate_rps": 1, "latency_ms": 1}), "partitions and a rate"),
    "no latency": (asks({"name": "a", "rate_rps": 1}), "services[0].latency_ms: missing"),
    "negative rate": (rated(a=(-1.0, 5.0)), "rate_rps: Input should be greater than 0"),
    "rate without points": (rated(a=(1.0, 5.0)), "'a' has a rate; add --profiles FILE"),
    "other product": (asks({**SERVICE, "gpu": "H100-80GB"}), "services[0].gpu: 'H100-80GB': without --inventory"),
}


@pytest.mark.parametrize(("body", "message"), BAD_DEMANDS.values(), ids=BAD_DEMANDS)
def test_a_bad_demand_names_the_field(run: Run, body: object, message: str) -> None:
    one_line(run, message, body)


def gpu(number: int, *of: tuple[str, int, str]) -> dict[str, Any]:
    return {"gpu": number, "slices": slices(list(of))}


THREE, TWO = ("3g.40gb", 0, "a"), ("2g.20gb", 2, "b")
BAD_CURRENT = {
    "unknown profile": ([gpu(0, ("5g.50gb", 0, "a"))], "slices[0].profile: A100-80GB has no '5g.50gb'"),
    "start": ([gpu(0, ("3g.40gb", 3, "a"))], "slices[0].start: 3g.40gb cannot start at 3; the nearest start is 4"),
    "overlap": (
        [gpu(0, THREE, TWO)],
        "slices[1]: 2g.20gb at 2 does not fit beside those before it; it could start at 4",
    ),
    "same GPU twice": ([gpu(0, THREE), gpu(0, THREE)], "placement[1].gpu: 0 stands in placement[0] already"),
    "no service": ([{"gpu": 0, "slices": [{"profile": "3g.40gb", "start": 0}]}], "slices[0].service: Field required"),
    "not in the inventory": ([gpu(7, THREE)], "placement[0].gpu: 7 is not in the inventory; it has 0 to 1"),
}


@pytest.mark.parametrize(("current", "message"), BAD_CURRENT.values(), ids=BAD_CURRENT)
def test_an_inconsistent_current_placement_names_the_slice(run: Run, current: object, message: str) -> None:
    one_line(run, message, WISH, current=current, inventory={"gpus": gpus(2)})


def test_a_gpu_stands_once_in_the_inventory(run: Run) -> None:
    message = "gpus[1].gpu: 0 stands in gpus[0] already"
    one_line(run, message, WISH, inventory={"gpus": gpus(1) * 2})


def test_a_product_has_one_price(run: Run) -> None:
    stock = {"gpus": gpus(1, cost_per_hour=2) + gpus(1, first=1, cost_per_hour=3)}
    message = "gpus[1].cost_per_hour: 3, but 2 for another A100-80GB"
    one_line(run, message, WISH, "--objective", "cost", inventory=stock)


BAD_POINTS = {
    "unknown model": (points("resnet50", {1: 1.0}), "points.csv has no model 'resnet5'; did you mean resnet50?"),
    "gpcs": (points("resnet5", {5: 1.0}), "line 2: gpcs is 5; MIG has 1, 2, 3, 4, 7"),
    "negative": (points("resnet5", {1: -1.0}), "line 2: throughput_rps is -1.0; write a finite number from 0"),
    "text": (points("resnet5", {1: "fast"}), "line 2: throughput_rps is 'fast'; write a number"),  # type: ignore[dict-item]
    "NaN": (points("resnet5", {1: float("nan")}), "line 2: throughput_rps is nan"),
}


@pytest.mark.parametrize(("measured", "message"), BAD_POINTS.values(), ids=BAD_POINTS)
def test_a_bad_point_names_line_and_column(run: Run, measured: list[dict[str, Any]], message: str) -> None:
    one_line(run, message, rated(resnet5=(10.0, 20.0)), points=measured)


def test_per_process_columns_are_not_taken_for_those_of_a_partition(tmp_path: Path) -> None:
    """ParvaGPU's own files give the throughput of one process."""
    (tmp_path / "points.csv").write_text("model,mig_gpcs,batch_size,mps_processes,throughput_rps,latency_s\n")
    (tmp_path / "demand.json").write_text(json.dumps(demand()))
    with pytest.raises(BadInput, match=r"no column 'gpcs'; the header must have model,gpcs,batch,processes"):
        parse(["place", "--demand", str(tmp_path / "demand.json"), "--profiles", str(tmp_path / "points.csv")])


@pytest.mark.parametrize("file", ["--demand", "--inventory", "--current", "--profiles"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, file: str) -> None:
    (tmp_path / "demand.json").write_text(json.dumps(demand()))
    options = {"--demand": str(tmp_path / "demand.json"), file: str(tmp_path / "nothing")}
    with pytest.raises(BadInput, match=r"nothing: cannot be read \(No such file or directory\)"):
        parse(["place", *(word for option in options.items() for word in option)])


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_limit_is_above_zero(seconds: str) -> None:
    with pytest.raises(SystemExit) as stop:
        parse(["place", "--demand", "x", "--time-limit-seconds", seconds])
    assert stop.value.code == 2


def one_line(run: Run, message: str, body: object, *options: str, **files: Any) -> None:
    with pytest.raises(BadInput) as error:
        run(body, *options, **files)
    assert re.search(message if "\\" in message else re.escape(message), str(error.value)), str(error.value)
    assert "\n" not in str(error.value)
