"""Work on one service, with what a test does not say filled in."""

from dataclasses import replace
from typing import Any

import pytest
from cynosure.act.work import Work
from cynosure.api import InferenceService, ModelProfile
from cynosure.model.gpu import Backend, Gpu, Slot
from cynosure.model.plan import Action, Decision, Option
from cynosure.model.service import ServiceKey
from cynosure.model.signals import AbsenceReason, Absent, Load
from cynosure.model.snapshot import Observation, Replica, ReplicaPhase
from cynosure.observe.services import service_of
from cynosure.settings import WorkloadSettings

KEY = ServiceKey("shop", "chat")
SETTINGS = WorkloadSettings(image="localhost/cynosure:1")
_NOTHING = Absent(AbsenceReason.MISSING, "a test")
_LOAD = Load(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING)


def service(**spec: Any) -> InferenceService:
    whole = {
        "model": {"name": "llama", "uri": "hf://meta/llama", "profile": "p"},
        "engine": {"kind": "emulated"},
        "slo": {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 400}]},
        **spec,
    }
    metadata = {"name": "chat", "namespace": "shop", "uid": "uid-1", "generation": 3, "resourceVersion": "7"}
    return InferenceService.model_validate({"metadata": metadata, "spec": whole})


def profile() -> ModelProfile:
    point = {
        "gpu": "A100-80GB",
        "partition": "2g.20gb",
        "concurrency": 4,
        "inputTokens": 512,
        "outputTokens": 128,
        "ttftMilliseconds": "40",
        "tpotMilliseconds": "10",
        "throughputRps": "3",
        "memoryGiB": "9.5",
    }
    spec = {"model": "meta/llama", "loadSeconds": 8, "points": [point]}
    return ModelProfile.model_validate({"metadata": {"name": "p"}, "spec": spec})


def decision(replicas: int = 2, partition: str = "2g.20gb", **changes: Any) -> Decision:
    option = Option(partition, "A100-80GB", replicas, 4, 6.0, 0.57)
    return replace(Decision(KEY, Action.UP, option, "ForecastDemand", "because", 100.0), **changes)


def replica(pod: str, phase: str = "Ready", created: float = 0.0, gpu: str = "", start: int = 0) -> Replica:
    slot = Slot(gpu, start, "2g.20gb", KEY) if gpu else None
    return Replica(pod, "2g.20gb", ReplicaPhase(phase), created, slot)


def work(resource: InferenceService | None = None, **changes: Any) -> Work:
    found = resource or service()
    base = Work(
        service=found,
        body={},
        observation=Observation(service_of(found), _LOAD),
        decision=decision(),
        profile=profile(),
        gpus=(Gpu("GPU-1", "n1", 0, "A100-80GB"), Gpu("GPU-2", "n2", 0, "A100-80GB")),
        backend=Backend.DRA,
    )
    return replace(base, **changes)


@pytest.fixture
def settings() -> WorkloadSettings:
    return SETTINGS
