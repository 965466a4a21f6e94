"""How pods ask for their partition, and how the plan steers which one they get (design: placement)."""

from collections.abc import Iterable, Mapping
from typing import Any

from cynosure.act.naming import deployment_name, placement_label
from cynosure.act.work import Work
from cynosure.model.gpu import Backend, Slot
from cynosure.model.service import ServiceKey
from cynosure.settings import WorkloadSettings

Body = dict[str, Any]

_CLAIM = "partition"
_WHOLE = "gpu"
_MOST_PLANNED = 128
"""A CEL expression of a claim may have 10 KiB; a UUID takes 44 bytes."""


def request_partition(pod: Body, work: Work, partition: str) -> None:
    """Add to a pod's spec what asks for ``partition``, and its preference for the planned nodes."""
    container = pod["containers"][0]
    resources = container.setdefault("resources", {})
    if work.backend is Backend.DRA:
        name = deployment_name(work.name, partition)
        pod["resourceClaims"] = [{"name": _CLAIM, "resourceClaimTemplateName": name}]
        resources["claims"] = [{"name": _CLAIM}]
    else:
        asked = "nvidia.com/gpu" if partition == _WHOLE else f"nvidia.com/mig-{partition.replace('+', '.')}"
        resources["limits"] = {**resources.get("limits", {}), asked: 1}
    label = placement_label(ServiceKey(work.namespace, work.name), partition)
    term = {"weight": 100, "preference": {"matchExpressions": [{"key": label, "operator": "Exists"}]}}
    pod["affinity"] = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}


def claim_spec(work: Work, partition: str, product: str, settings: WorkloadSettings) -> Body:
    """A prioritised list: the planned GPUs first, then the same partition anywhere.

    With the operator away a replacement pod still finds a place; it is moved later, if that is worth it.
    """
    driver = settings.dra_driver
    whole = partition == _WHOLE
    kind = settings.gpu_device_class if whole else settings.mig_device_class
    attributes = f"device.attributes['{driver}']"
    # Drivers report NVIDIA A100-SXM4-80GB for what is called A100-80GB here.
    model = f"{attributes}.productName.matches('{_pattern(product)}')" if product else "true"
    same = model if whole else f"{attributes}.profile == '{partition}' && {model}"
    anywhere = {"name": "anywhere", "deviceClassName": kind, "selectors": _cel(same)}
    planned = sorted({slot.gpu for slot in aims(work, partition)})[:_MOST_PLANNED]
    choices = [anywhere]
    if planned:
        names = ", ".join(f"'{uuid}'" for uuid in planned)
        of = "uuid" if whole else "parentUUID"
        choices.insert(
            0, {**anywhere, "name": "planned", "selectors": _cel(f"{same} && {attributes}.{of} in [{names}]")}
        )
    if (target := work.target) is not None and target.partition == partition:
        place = f"{attributes}.parentUUID == '{target.gpu}' && {attributes}.start == {target.start}"
        choices.insert(0, {**anywhere, "name": "target", "selectors": _cel(f"{same} && {place}")})
    return {"devices": {"requests": [{"name": "part", "firstAvailable": choices}]}}


def aims(work: Work, partition: str) -> tuple[Slot, ...]:
    """Where the next pods should go: the planned places that nobody holds yet; all of them when every one is held.

    While a replica moves, only its target. A node is chosen before a device: if it attracted pods for a place that is
    taken, they would land beside it.
    """
    if work.target is not None and work.target.partition == partition:
        return (work.target,)
    planned = tuple(slot for slot in work.slots if slot.partition == partition)
    held = {(replica.slot.gpu, replica.slot.start) for replica in work.observation.replicas if replica.slot}
    return tuple(slot for slot in planned if (slot.gpu, slot.start) not in held) or planned


def _cel(expression: str) -> list[Body]:
    return [{"cel": {"expression": expression}}]


def _pattern(product: str) -> str:
    return ".*".join(part.replace(".", "[.]") for part in product.split("-"))


def node_labels(works: Iterable[Work]) -> dict[str, set[str]]:
    """For each node the placement labels that it should carry."""
    wanted: dict[str, set[str]] = {}
    for work in works:
        nodes = {gpu.uuid: gpu.node for gpu in work.gpus}
        for partition in {slot.partition for slot in work.slots}:
            label = placement_label(ServiceKey(work.namespace, work.name), partition)
            for slot in aims(work, partition):
                if node := nodes.get(slot.gpu):
                    wanted.setdefault(node, set()).add(label)
    return wanted


def label_changes(wanted: set[str], labels: Mapping[str, str], prefix: str) -> dict[str, str | None]:
    """What to merge into a node's labels; None removes one."""
    present = {label for label in labels if label.startswith(prefix)}
    return {**dict.fromkeys(wanted - present, "true"), **dict.fromkeys(present - wanted)}
