"""What controllers, scheduler and kubelets do with Deployments, in so far as the operator can see it."""

import re
import uuid
from collections.abc import Iterator

from cynosure.model.mig import geometry_of

from tests.fakes.objects import Body, merged
from tests.fakes.objects import update as updated
from tests.fakes.storage import Key, Kind, Storage

DEPLOYMENTS: Kind = ("apps", "v1", "deployments")
PODS: Kind = ("", "v1", "pods")
NODES: Kind = ("", "v1", "nodes")
CLAIMS: Kind = ("resource.k8s.io", "v1", "resourceclaims")
TEMPLATES: Kind = ("resource.k8s.io", "v1", "resourceclaimtemplates")
SLICES: Kind = ("resource.k8s.io", "v1", "resourceslices")

DRIVER = "gpu.cynosure.dev"
PRODUCT = "A100-80GB"
COST = "controller.kubernetes.io/pod-deletion-cost"
_KUBELET = ("kubelet", "Update", "status")
_TEST = ("test", "Update", "")


def add_node(storage: Storage, name: str, gpus: int) -> None:
    """A ready node with ``gpus`` GPUs, each of whose partitions is a device as a DRA driver publishes it."""
    ready = {"type": "Ready", "status": "True"}
    node = {"metadata": {"name": name, "labels": {}}, "spec": {}, "status": {"conditions": [ready]}}
    storage.create((NODES, "", name), node, _TEST)
    for gpu in range(gpus):
        spec = {"driver": DRIVER, "nodeName": name, "pool": {"name": name, "generation": 1}}
        devices = [_device(gpu, f"GPU-{name}-{gpu}", profile, start) for profile, start in _spots()]
        slice_ = {"metadata": {"name": f"{name}-{gpu}"}, "spec": {**spec, "devices": devices}}
        storage.create((SLICES, "", f"{name}-{gpu}"), slice_, _TEST)


def _spots() -> Iterator[tuple[str, int]]:
    for profile in geometry_of(PRODUCT).profiles:
        yield from ((profile.name, start) for start in profile.starts)


def _device(gpu: int, uuid_: str, profile: str, start: int) -> Body:
    attributes = {
        "type": {"string": "mig"},
        "profile": {"string": profile},
        "parentUUID": {"string": uuid_},
        "productName": {"string": PRODUCT},
        "start": {"int": start},
    }
    return {"name": f"{gpu}-{profile}-{start}", "attributes": attributes}


def settle(storage: Storage, *, ready: bool = True) -> None:
    """Make pods what the Deployments say, allocate their claims, and make them ready."""
    for deployment in list(storage.of(DEPLOYMENTS)):
        _scale(storage, deployment, ready)
    names = {(d["metadata"]["namespace"], d["metadata"]["name"]) for d in storage.of(DEPLOYMENTS)}
    for pod in list(storage.of(PODS)):
        if (pod["metadata"]["namespace"], pod["metadata"]["labels"]["fake/deployment"]) not in names:
            storage.delete(_key(PODS, pod))


def _scale(storage: Storage, deployment: Body, ready: bool) -> None:
    namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    pods = [p for p in storage.of(PODS, namespace) if p["metadata"]["labels"]["fake/deployment"] == name]
    pods.sort(key=lambda pod: int((pod["metadata"].get("annotations") or {}).get(COST, "0")))
    wanted = deployment["spec"]["replicas"]
    for pod in pods[: max(0, len(pods) - wanted)]:
        storage.delete(_key(PODS, pod))
    for _ in range(wanted - len(pods)):
        _create(storage, deployment)
    if ready:
        for pod in storage.of(PODS, namespace):
            _make_ready(storage, pod)


def _create(storage: Storage, deployment: Body) -> None:
    namespace, owner = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    name, template = f"{owner}-{uuid.uuid4().hex[:5]}", deployment["spec"]["template"]
    labels = {**template["metadata"]["labels"], "fake/deployment": owner}
    metadata = {"name": name, "labels": labels, "annotations": template["metadata"].get("annotations") or {}}
    pod = storage.create((PODS, namespace, name), {"metadata": metadata, "spec": template["spec"]}, _TEST)
    for claim in template["spec"].get("resourceClaims") or ():
        _claim(storage, pod, storage.objects[TEMPLATES, namespace, claim["resourceClaimTemplateName"]].body)


def _claim(storage: Storage, pod: Body, template: Body) -> None:
    """First fit, in the order of the prioritised list."""
    namespace, name, uid = (pod["metadata"][key] for key in ("namespace", "name", "uid"))
    device = next(_free(storage, template), None)
    results = [{"driver": DRIVER, "pool": device[0], "device": device[1]}] if device else []
    status = {"allocation": {"devices": {"results": results}}} if results else {}
    owner = {"kind": "Pod", "name": name, "uid": uid}
    body = {"metadata": {"name": name, "ownerReferences": [owner]}, "spec": {}, "status": status}
    storage.create((CLAIMS, namespace, name), body, _TEST)


def _free(storage: Storage, template: Body) -> Iterator[tuple[str, str]]:
    taken: dict[str, list[tuple[str, int]]] = {}
    devices = {
        (s["spec"]["pool"]["name"], device["name"]): device["attributes"]
        for s in storage.of(SLICES)
        for device in s["spec"]["devices"]
    }
    for claim in storage.of(CLAIMS):
        for result in claim["status"].get("allocation", {}).get("devices", {}).get("results", ()):
            there = devices[result["pool"], result["device"]]
            taken.setdefault(there["parentUUID"]["string"], []).append(_spot(there))
    for choice in template["spec"]["spec"]["devices"]["requests"][0]["firstAvailable"]:
        expression = choice["selectors"][0]["cel"]["expression"]
        profile = re.search(r"profile == '([^']+)'", expression)
        planned = re.search(r" in \[(.*)\]", expression)
        for key, there in devices.items():
            gpu, spot = there["parentUUID"]["string"], _spot(there)
            fits = profile and spot[0] == profile[1] and (planned is None or f"'{gpu}'" in planned[1])
            if fits and geometry_of(PRODUCT).legal([*taken.get(gpu, []), spot]):
                yield key


def _spot(attributes: Body) -> tuple[str, int]:
    return attributes["profile"]["string"], attributes["start"]["int"]


def _make_ready(storage: Storage, pod: Body) -> None:
    claims = pod["spec"].get("resourceClaims")
    claim = storage.objects.get(_key(CLAIMS, pod))
    if claims and not (claim and claim.body["status"]):
        return  # Pending: nothing to run on
    at = pod["metadata"]["creationTimestamp"]
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": at}
    status = {"status": {"phase": "Running", "conditions": [ready]}}
    storage.write(_key(PODS, pod), _KUBELET, lambda old: updated(old, _KUBELET, merged(old.body, status)))


def _key(kind: Kind, body: Body) -> Key:
    return kind, body["metadata"]["namespace"], body["metadata"]["name"]
