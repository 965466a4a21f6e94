"""Looks at the cluster every few seconds while the day is replayed, and keeps what it saw."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cynosure.kube.labels import PARTITION, SERVICE

from demo.kubectl import Body, Kubectl, StepFailed
from demo.record import Decided, Partition, Sample, gpu_share

SERVICES = "inferenceservices.cynosure.dev"


@dataclass
class Recorder:
    """Use as a context manager. A look that fails is counted and leaves a gap, which the report then has too."""

    kubectl: Kubectl
    namespace: str
    clock: Callable[[], float]
    every_seconds: float = 3.0
    samples: list[Sample] = field(default_factory=list)
    decisions: set[Decided] = field(default_factory=set)
    failures: int = 0

    def __post_init__(self) -> None:
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="recorder", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self._thread.join(timeout=60)

    def look(self) -> None:
        services = self.kubectl.get(SERVICES, namespace=self.namespace)["items"]
        pods = self.kubectl.get("pods", namespace=self.namespace, selector=PARTITION)["items"]
        self.samples.append(sample(self.clock(), services, pods))
        for service in services:
            self.decisions.update(decisions_of(service))

    def _watch(self) -> None:
        while not self._halt.wait(self.every_seconds):
            try:
                self.look()
            except StepFailed:
                self.failures += 1


def sample(at_seconds: float, services: list[Body], pods: list[Body]) -> Sample:
    """Return what ``services`` say of themselves, and what their ``pods`` hold."""
    status = {service["metadata"]["name"]: service.get("status", {}) for service in services}
    partitions = [
        Partition(slot["gpu"], slot["start"], slot["partition"], name)
        for name, state in status.items()
        for slot in state.get("layout", ())
    ]
    wanted = {
        name: state["decision"]["option"]["replicas"] if "decision" in state else state.get("replicas", 0)
        for name, state in status.items()
    }
    ready = {name: state.get("readyReplicas", 0) for name, state in status.items()}
    return Sample(at_seconds, tuple(sorted(partitions)), held_by(pods), wanted, ready)


def held_by(pods: list[Body]) -> dict[str, float]:
    """Return the GPUs that the pods of each service hold: from the node they were bound to until they have ended."""
    held: defaultdict[str, float] = defaultdict(float)
    for pod in pods:
        labels = pod["metadata"]["labels"]
        if pod["spec"].get("nodeName") and pod["status"].get("phase") not in ("Succeeded", "Failed"):
            held[labels[SERVICE]] += gpu_share(labels[PARTITION])
    return dict(held)


def decisions_of(service: Body) -> set[Decided]:
    return {
        Decided(
            datetime.fromisoformat(entry["madeAt"]).timestamp(),
            service["metadata"]["name"],
            entry["action"],
            entry["reason"],
            entry.get("message", ""),
        )
        for entry in service.get("status", {}).get("history", ())
    }
