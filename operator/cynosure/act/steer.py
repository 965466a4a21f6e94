"""Node labels that pull new pods to the planned nodes. Labels of services that are gone are taken off again."""

from collections.abc import Iterable

from cynosure.act.claims import label_changes, node_labels
from cynosure.act.work import Work
from cynosure.errors import CynosureError, Fatal
from cynosure.kube.caches import Caches
from cynosure.kube.labels import PLACEMENT_PREFIX, labels_of
from cynosure.kube.port import NODES, KubeApi


async def steer(api: KubeApi, caches: Caches, works: Iterable[Work]) -> tuple[CynosureError, ...]:
    """Before the pods are made, since a node is scored before a device is chosen. Raises only ``Fatal``."""
    wanted = node_labels(works)
    failures: list[CynosureError] = []
    for node in list(caches.store(NODES).items()):
        name = node["metadata"]["name"]
        changes = label_changes(wanted.get(name, set()), labels_of(node), PLACEMENT_PREFIX)
        if not changes:
            continue
        try:
            caches.store(NODES).wrote(await api.patch(NODES, name, {"metadata": {"labels": changes}}))
        except Fatal:
            raise
        except CynosureError as error:
            failures.append(error)
    return tuple(failures)
