"""The objects that carry a replay into a cluster, as plain dicts: a ConfigMap and a Job, and background load."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadgen import burn
from loadgen.errors import BadLoadInput, ScheduleTooLarge
from loadgen.schedule import Schedule
from loadgen.targets import Prompt

Manifest = dict[str, Any]
MOST_CONFIG_MAP_BYTES = 1 << 20
_KEY = "schedule.bin"
_TTL_SECONDS = 3600
_GRACE_SECONDS = 60
_BURN = "/burn"
_PROGRAM_BYTES = 64 << 20
_LEAST_CPU_LIMIT, _LIMIT_TO_PEAK = 0.2, 3.0
_LABELS = {"app.kubernetes.io/name": "cynosure-replay", "app.kubernetes.io/part-of": "cynosure"}


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """A replay in a cluster.

    lead_seconds: how long before the start the Job may be created at most; it bounds the Job's life. Each request opens
    its own connection unless ``keep_alive``, since a Service chooses a pod for each connection. ``allowed_hosts`` may
    get load though they are not near. ttl_seconds: when the Job goes after its end; None: when its owner goes.
    """

    name: str
    namespace: str
    image: str
    targets: Sequence[str]
    start_at_unix_seconds: float
    lead_seconds: float = 180.0
    model: str | None = None
    prompt: Prompt = "ids"
    slo: str = ""
    shards: int = 1
    timeout_seconds: float = 60.0
    keep_alive: bool = False
    allowed_hosts: Sequence[str] = ()
    ttl_seconds: int | None = _TTL_SECONDS
    image_pull_policy: str = "IfNotPresent"
    labels: Mapping[str, str] = field(default_factory=dict)


def schedule_config_map(job: ReplayJob, schedule: Schedule) -> Manifest:
    """ScheduleTooLarge above 1 MiB, which is what a ConfigMap holds."""
    data = base64.b64encode(schedule.to_bytes()).decode()
    if len(data) > MOST_CONFIG_MAP_BYTES:
        raise ScheduleTooLarge(
            f"schedule: {len(schedule)} requests take {len(data)} bytes and a ConfigMap holds {MOST_CONFIG_MAP_BYTES}; "
            f"put the file on a volume (replay_job with volume=...), or shorten it to "
            f"{MOST_CONFIG_MAP_BYTES / len(data):.0%}"
        )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(job),
        "binaryData": {_KEY: data},
        "immutable": True,
    }


def replay_job(job: ReplayJob, schedule: Schedule, volume: Manifest | None = None) -> Manifest:
    """Return the Job; ``volume`` is a volume source with the file schedule.bin, by default the Job's ConfigMap."""
    deadline = job.lead_seconds + schedule.duration_seconds + job.timeout_seconds + _GRACE_SECONDS
    pod = {
        **_pod(int(job.timeout_seconds) + 5),
        "containers": [_container("replay", job.image, job.image_pull_policy, command=_command(job))],
        "volumes": [{"name": "schedule", **(volume or {"configMap": {"name": job.name}})}],
    }
    pod["containers"][0]["volumeMounts"] = [{"name": "schedule", "mountPath": "/schedule", "readOnly": True}]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(job),
        "spec": {
            "completionMode": "Indexed",
            "completions": job.shards,
            "parallelism": job.shards,
            # Nothing is sent twice, and one shard that dies does not take the outcomes of the others with it.
            "backoffLimitPerIndex": 0,
            "activeDeadlineSeconds": int(deadline),
            **({} if job.ttl_seconds is None else {"ttlSecondsAfterFinished": job.ttl_seconds}),
            "template": {"metadata": {"labels": {**_LABELS, **job.labels}}, "spec": pod},
        },
    }


def stress_pods(
    nodes: Iterable[str], namespace: str, image: str, load_percent: int, seconds: int, pull_policy: str = "IfNotPresent"
) -> list[Manifest]:
    """Return one pod for each node that keeps one core busy to ``load_percent``, and ends by itself."""
    return [_stress_pod(node, namespace, image, load_percent, seconds, pull_policy) for node in nodes]


def _stress_pod(node: str, namespace: str, image: str, load_percent: int, seconds: int, pull_policy: str) -> Manifest:
    command = ["stress-ng", "--cpu", "1", "--cpu-load", str(load_percent), "--timeout", f"{seconds}s"]
    container = _container("stress", image, pull_policy, command=[*command, "--temp-path", "/tmp"])  # noqa: S108
    container["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
    container["resources"]["limits"] = {"cpu": "1", "memory": "256Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"background-{node.replace('.', '-')}"[:63].rstrip("-"),
            "namespace": namespace,
            "labels": {**_LABELS, "app.kubernetes.io/component": "background-load"},
        },
        "spec": {
            **_pod(5),
            "nodeSelector": {"kubernetes.io/hostname": node},
            "activeDeadlineSeconds": seconds + _GRACE_SECONDS,
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}],
        },
    }


def burning_pod(
    name: str,
    namespace: str,
    image: str,
    utilisation: burn.Utilisation,
    start_at_unix_seconds: float,
    pull_policy: str = "IfNotPresent",
) -> list[Manifest]:
    """Return a ConfigMap and a pod that uses the CPU that is due in each step, and ends by itself.

    ``image`` needs python3 and stress-ng. The limit lies well above the peak, so that what was missed can be caught up.
    :raises BadLoadInput: there is no step, or one is not between 0 and 1 core, or memory is given for other steps.
    """
    _check(utilisation)
    peak, memory = max(utilisation.cores), max(utilisation.memory_bytes, default=0)
    given = {**asdict(utilisation), "start_at_unix_seconds": start_at_unix_seconds}
    script = Path(burn.__file__)
    container = _container("stress", image, pull_policy, command=["python3", f"{_BURN}/{script.name}"])
    container["command"].append(f"{_BURN}/utilisation.json")
    container["resources"] = {
        "requests": {"cpu": f"{max(peak, 0.001):.3f}", "memory": str(_PROGRAM_BYTES + memory)},
        "limits": {
            "cpu": f"{max(_LIMIT_TO_PEAK * peak, _LEAST_CPU_LIMIT):.3f}",
            "memory": str(4 * _PROGRAM_BYTES + 2 * memory),
        },
    }
    container["volumeMounts"] = [
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        {"name": "burn", "mountPath": _BURN, "readOnly": True},
    ]
    volumes = [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}, {"name": "burn", "configMap": {"name": name}}]
    labels = {**_LABELS, "app.kubernetes.io/component": "stress"}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {script.name: script.read_text(encoding="utf-8"), "utilisation.json": json.dumps(given)},
            "immutable": True,
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {**_pod(5), "containers": [container], "volumes": volumes},
        },
    ]


def _check(utilisation: burn.Utilisation) -> None:
    if not utilisation.cores or not utilisation.step_seconds > 0:
        raise BadLoadInput("utilisation: it has no time; give at least one step of more than 0 s")
    if utilisation.memory_bytes and len(utilisation.memory_bytes) != len(utilisation.cores):
        raise BadLoadInput(
            f"utilisation: memory for {len(utilisation.memory_bytes)} steps and CPU for {len(utilisation.cores)}; "
            f"give both for the same steps"
        )
    wrong = next((n for n, cores in enumerate(utilisation.cores) if not 0 <= cores <= 1), None)
    if wrong is not None:
        raise BadLoadInput(
            f"utilisation: step {wrong} wants {utilisation.cores[wrong]:g} cores and a pod burns 0 to 1; "
            f"share it among more pods, and give a missing step the load of an idle pod"
        )


def _command(job: ReplayJob) -> list[str]:
    command = ["python", "-m", "loadgen.job", "--schedule", f"/schedule/{_KEY}"]
    for target in job.targets:
        command += ["--target", target]
    command += ["--start-at", f"{job.start_at_unix_seconds:.3f}", "--timeout-seconds", f"{job.timeout_seconds:g}"]
    command += ["--prompt", job.prompt, "--shard", f"$(JOB_COMPLETION_INDEX)/{job.shards}"]
    command += ["--model", job.model] if job.model else []
    command += ["--slo", job.slo] if job.slo else []
    for host in job.allowed_hosts:
        command += ["--allow-target", host]
    return command if job.keep_alive else [*command, "--new-connections"]


def _metadata(job: ReplayJob) -> Manifest:
    return {"name": job.name, "namespace": job.namespace, "labels": {**_LABELS, **job.labels}}


def _pod(termination_seconds: int) -> Manifest:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": termination_seconds,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _container(name: str, image: str, pull_policy: str, command: list[str]) -> Manifest:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": pull_policy,
        "command": command,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
