"""ParvaGPU's own scenarios (Lee et al., SC'24), on their measurements: never more GPUs than they use."""

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.place.checker import check
from tests.place.conftest import Run
from tests.place.files import A100

PUBLISHED = (2, 3, 5, 7, 13, 17)
"""GPUs, when their allocator is run; their files show 16 for the last."""

PLANNED_SHARE = 0.45
"""They plan for half of the latency objective, and a tenth below that."""


def demand_of(folder: Path, scenario: int, models: list[str]) -> dict[str, Any]:
    latency, rate = (
        list(csv.reader((folder / "SLO" / name).read_text().splitlines()))[scenario]
        for name in ("SLO_latency.csv", "SLO_req_rate.csv")
    )
    services = [
        {"name": model, "rate_rps": float(rps), "latency_ms": PLANNED_SHARE * float(ms)}
        for model, ms, rps in zip(models, latency, rate, strict=True)
        if rps != "N/A"
    ]
    return {"gpu": A100, "services": services}


def points_of(folder: Path, most_processes: int) -> list[dict[str, Any]]:
    """Their throughput is that of one process, their latency in seconds."""
    with (folder / "derived_all_profiles.csv").open() as file:
        return [
            {
                "model": row["model"],
                "gpcs": int(row["mig_gpcs"]),
                "batch": int(row["batch_size"]),
                "processes": (processes := int(row["mps_processes"])),
                "throughput_rps": processes * float(row["throughput_rps"]),
                "latency_ms": 1000 * float(row["latency_s"]),
            }
            for row in csv.DictReader(file)
            if int(row["mps_processes"]) <= most_processes
        ]


@pytest.mark.parametrize(("processes", "most"), [(3, (2, 3, 5, 7, 12, 16)), (5, (2, 3, 5, 7, 12, 15))])
def test_their_scenarios_take_no_more_gpus_than_theirs(
    run: Run, shared_data: Path, processes: int, most: tuple[int, ...]
) -> None:
    folder = shared_data / "parvagpu"
    points = points_of(folder, processes)
    models = sorted({point["model"] for point in points})
    found = []
    for scenario in range(len(PUBLISHED)):
        demand = demand_of(folder, scenario, models)
        code, answer = run(demand, points=points)
        check(answer, demand, points=points)
        assert (code, answer["optimal"]) == (0, True)
        found.append(answer["gpus"])
    assert tuple(found) == most
    assert all(ours <= theirs for ours, theirs in zip(found, PUBLISHED, strict=True))
