"""GPUs, from what DRA drivers publish and, where none does, from what device plugins count."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cynosure.kube.labels import labels_of
from cynosure.kube.port import Body
from cynosure.model.gpu import Gpu
from cynosure.model.mig import product_of


@dataclass(frozen=True, slots=True)
class Device:
    """A partition, or a whole GPU, that a driver offers. ``gpu`` is the UUID of the GPU it is of."""

    gpu: str
    node: str
    product: str
    partition: str
    start: int


DeviceKey = tuple[str, str, str]
"""Driver, pool and device, as a claim's allocation names them."""

_ZONE = "topology.kubernetes.io/zone"
_WHOLE = "gpu"
_PLUGIN_MIG = re.compile(r"^nvidia\.com/mig-(.+)$")


class Devices:
    """All devices by key; slices that did not change are not read again."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], dict[DeviceKey, Device]] = {}

    def of(self, slices: Iterable[Body]) -> dict[DeviceKey, Device]:
        fresh: dict[tuple[str, str], dict[DeviceKey, Device]] = {}
        for body in slices:
            version = (body["metadata"]["name"], body["metadata"].get("resourceVersion", ""))
            fresh[version] = self._read[version] if version in self._read else dict(_devices(body))
        self._read = fresh
        return {key: device for part in fresh.values() for key, device in part.items()}


def _devices(slice_: Body) -> Iterator[tuple[DeviceKey, Device]]:
    spec = slice_["spec"]
    node = spec.get("nodeName", "")
    for device in spec.get("devices") or ():
        attributes = {name: _plain(value) for name, value in (device.get("attributes") or {}).items()}
        uuid = attributes.get("parentUUID") or attributes.get("uuid")
        if not isinstance(uuid, str) or not node:
            continue
        partition = str(attributes.get("profile") or _WHOLE) if attributes.get("type") == "mig" else _WHOLE
        product = product_of(str(attributes.get("productName", "")))
        start = attributes.get("start", 0)
        key = (spec["driver"], spec["pool"]["name"], device["name"])
        yield key, Device(uuid, node, product, partition, start if isinstance(start, int) else 0)


def _plain(value: Mapping[str, object]) -> object:
    """The one value of a typed DRA attribute."""
    return next(iter(value.values()), None)


def gpus_of(devices: Iterable[Device], nodes: Mapping[str, Body]) -> tuple[Gpu, ...]:
    """Each GPU once, numbered on its node by UUID; a node that is not known is not usable."""
    products = {(device.node, device.gpu): device.product for device in devices}
    numbered: dict[str, int] = {}
    found = []
    for (node, uuid), product in sorted(products.items()):
        index = numbered[node] = numbered.get(node, -1) + 1
        body = nodes.get(node)
        zone = labels_of(body).get(_ZONE, "") if body else ""
        found.append(Gpu(uuid, node, index, product, body is not None and usable(body), zone))
    return tuple(found)


def usable(node: Body) -> bool:
    """Whether new pods may go there."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
    return ready and not (node.get("spec") or {}).get("unschedulable", False)


def plugin_gpus(nodes: Iterable[Body]) -> tuple[Gpu, ...]:
    """GPUs of nodes with a device plugin, which tells their product and count by labels and no UUIDs."""
    return tuple(gpu for node in nodes for gpu in _plugin_gpus(node))


def _plugin_gpus(node: Body) -> Iterator[Gpu]:
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    if not any(_PLUGIN_MIG.match(name) or name == "nvidia.com/gpu" for name in allocatable):
        return
    name, labels = node["metadata"]["name"], labels_of(node)
    product = product_of(labels.get("nvidia.com/gpu.product", "").partition("-MIG-")[0])
    count = labels.get("nvidia.com/gpu.count", "0")
    for index in range(int(count) if count.isdigit() else 0):
        yield Gpu(f"{name}/{index}", name, index, product, usable(node), labels.get(_ZONE, ""))
