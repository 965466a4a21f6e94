"""The container of each kind of engine: its image, arguments, probes and files."""

from collections.abc import Callable, Mapping
from typing import Any

from cynosure.act.naming import profile_name
from cynosure.act.work import Work
from cynosure.api.inference_service import Engine, EngineKind
from cynosure.errors import Refused
from cynosure.settings import WorkloadSettings

CONTAINER = "engine"
"""The name by which ``spec.template`` reaches it."""
_PROFILE_FOLDER = "/etc/cynosure"
_NOBODY = 65532

Body = dict[str, Any]


def container(work: Work, engine: Engine, partition: str, product: str, settings: WorkloadSettings) -> Body:
    """Raises ``Refused`` where no image is known."""
    path = "/live" if engine.kind is EngineKind.EMULATED else "/health"
    probe = {"path": "/health", "port": "http"}
    return {
        "name": CONTAINER,
        "image": _image(engine, settings),
        "args": [*_ARGUMENTS[engine.kind](work, engine, partition, product, settings), *engine.args],
        "ports": [{"name": "http", "containerPort": engine.port, "protocol": "TCP"}],
        # Loading a model takes minutes, and a probe that gives up then would never let it finish.
        "startupProbe": {"httpGet": probe, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 3600},
        "readinessProbe": {"httpGet": probe, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 2},
        "livenessProbe": {
            "httpGet": {"path": path, "port": "http"},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        # Endpoints forget the pod before it stops to answer; SIGTERM then drains what is in flight.
        "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **(_emulated_extras(settings) if engine.kind is EngineKind.EMULATED else {}),
    }


def pod_extras(work: Work, engine: Engine) -> Body:
    """What the pod needs beside the container."""
    if engine.kind is not EngineKind.EMULATED:
        return {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": "profile", "configMap": {"name": profile_name(work.name)}}],
    }


def _image(engine: Engine, settings: WorkloadSettings) -> str:
    if engine.image:
        return engine.image
    if engine.kind is EngineKind.EMULATED:
        return settings.image
    if image := settings.engine_images.get(engine.kind):
        return image
    raise Refused(f"spec.engine.image: got none, and the operator knows none for kind {engine.kind}; set it")


def _emulated_extras(settings: WorkloadSettings) -> Body:
    return {
        "command": ["python", "-m", "serving.emulated"],
        "imagePullPolicy": settings.image_pull_policy,
        "volumeMounts": [{"name": "profile", "mountPath": _PROFILE_FOLDER, "readOnly": True}],
        "resources": {"requests": {"cpu": "20m", "memory": "80Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }


def _emulated(work: Work, engine: Engine, partition: str, product: str, settings: WorkloadSettings) -> list[str]:
    given = {
        "--profile": f"{_PROFILE_FOLDER}/profile.json",
        "--gpu": product,
        "--partition": partition,
        "--model": work.service.spec.model.name,
        "--port": str(engine.port),
        "--drain-seconds": str(settings.drain_seconds),
    }
    faults = ["--allow-faults"] if settings.emulated_faults else []
    return [part for pair in given.items() for part in pair] + faults


def _vllm(work: Work, engine: Engine, _partition: str, _product: str, _settings: WorkloadSettings) -> list[str]:
    model = work.service.spec.model
    source = (model.uri or model.name).removeprefix("hf://").removeprefix("file://")
    return ["--model", source, "--served-model-name", model.name, "--port", str(engine.port)]


def _none(*_: object) -> list[str]:
    return []


_ARGUMENTS: Mapping[EngineKind, Callable[[Work, Engine, str, str, WorkloadSettings], list[str]]] = {
    EngineKind.EMULATED: _emulated,
    EngineKind.VLLM: _vllm,
    EngineKind.LLAMA_CPP: _none,
    EngineKind.TRITON: _none,
    EngineKind.CUSTOM: _none,
}
