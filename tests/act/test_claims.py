"""New pods are drawn to the planned places that nobody holds yet."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.act.claims import aims, claim_spec, label_changes, node_labels
from cynosure.act.work import Work
from cynosure.api import InferenceService, parse
from cynosure.model.gpu import Slot
from cynosure.settings import WorkloadSettings

from tests.builders.snapshots import CHAT, gpus, observation

PARTITION = "3g.40gb"


@pytest.fixture
def service(repository: Path) -> InferenceService:
    found = parse(InferenceService, yaml.safe_load((repository / "examples/chat.yaml").read_text()))
    assert isinstance(found, InferenceService)
    return found


def work(service: InferenceService, standing: int, *planned: tuple[str, int]) -> Work:
    slots = tuple(Slot(gpu, start, PARTITION, CHAT) for gpu, start in planned)
    return Work(service, {}, observation(standing), slots=slots, gpus=gpus())


def selectors(spec: dict[str, Any]) -> dict[str, str]:
    choices = spec["devices"]["requests"][0]["firstAvailable"]
    return {choice["name"]: choice["selectors"][0]["cel"]["expression"] for choice in choices}


def test_pods_aim_at_the_free_places_of_the_plan(service: InferenceService) -> None:
    half_full = work(service, 1, ("gpu-0", 0), ("gpu-0", 4), ("gpu-5", 0))
    assert [(slot.gpu, slot.start) for slot in aims(half_full, PARTITION)] == [("gpu-0", 4), ("gpu-5", 0)]


def test_when_every_place_is_held_a_successor_aims_at_all_of_them(service: InferenceService) -> None:
    full = work(service, 2, ("gpu-0", 0), ("gpu-0", 4))
    assert len(aims(full, PARTITION)) == 2


def test_a_claim_asks_for_the_planned_gpus_first_and_then_anywhere(service: InferenceService) -> None:
    spec = claim_spec(work(service, 1, ("gpu-0", 0), ("gpu-5", 0)), PARTITION, "A100-80GB", WorkloadSettings())
    found = selectors(spec)
    assert list(found) == ["planned", "anywhere"]
    assert "'gpu-5'" in found["planned"]
    assert "'gpu-0'" not in found["planned"], "that place is taken"
    assert "parentUUID" not in found["anywhere"]


def test_a_replica_that_moves_asks_for_its_place_to_the_slice(service: InferenceService) -> None:
    planned = work(service, 1, ("gpu-0", 0), ("gpu-5", 4))
    moving = replace(planned, target=Slot("gpu-5", 4, PARTITION, CHAT))
    found = selectors(claim_spec(moving, PARTITION, "A100-80GB", WorkloadSettings()))
    assert list(found) == ["target", "planned", "anywhere"]
    assert "parentUUID == 'gpu-5'" in found["target"]
    assert "start == 4" in found["target"]
    assert "start" not in found["planned"], "where it is taken, the same GPU will do"


def test_without_a_plan_any_place_will_do(service: InferenceService) -> None:
    assert list(selectors(claim_spec(work(service, 1), PARTITION, "A100-80GB", WorkloadSettings()))) == ["anywhere"]


def test_only_nodes_with_a_free_planned_place_attract_pods(service: InferenceService) -> None:
    wanted = node_labels([work(service, 1, ("gpu-0", 0), ("gpu-5", 0))])
    assert list(wanted) == ["node-1"], "gpu-5 is on the second node, and the place on the first is taken"


def test_labels_of_an_old_plan_are_taken_off_and_others_left_alone() -> None:
    changes = label_changes({"p/new"}, {"p/old": "true", "p/new": "true", "zone": "a"}, "p/")
    assert changes == {"p/old": None}
