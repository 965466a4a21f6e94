"""How our objects are recognised: names, labels and annotations. ``act`` writes them, ``observe`` reads them."""

from cynosure.kube.port import Body

SERVICE = "cynosure.dev/service"
CAUSE = "cynosure.dev/cause"
"""Of a ScalingIntent that the operator has drafted: what it would mend."""
PARTITION = "cynosure.dev/partition"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "cynosure"
MANAGED_SELECTOR = f"{MANAGED_BY}={MANAGER}"
APPLIED = "cynosure.dev/applied"
"""Annotation: digest of the manifest that was applied last, so that a changed wish is seen without guessing."""
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
PLACEMENT_PREFIX = "placement.cynosure.dev/"


def partition_label(partition: str) -> str:
    """A label's value may not hold the plus of ``1g.10gb+me``."""
    return partition.replace("+", "-")


def partition_of(body: Body) -> str:
    """The partition that an object of ours is labelled with; empty when it is not ours."""
    label = labels_of(body).get(PARTITION, "")
    return label.replace("-me", "+me") if label.endswith("-me") else label


def labels_of(body: Body) -> dict[str, str]:
    labels: dict[str, str] = body["metadata"].get("labels") or {}
    return labels


def annotations_of(body: Body) -> dict[str, str]:
    annotations: dict[str, str] = body["metadata"].get("annotations") or {}
    return annotations


def is_ours(body: Body) -> bool:
    return labels_of(body).get(MANAGED_BY) == MANAGER and SERVICE in labels_of(body)
