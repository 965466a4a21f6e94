"""How pods ask the scheduler to be spread, and to be kept apart from others."""

from typing import Any

from cynosure.act.work import Work
from cynosure.kube.labels import SERVICE

Body = dict[str, Any]


def spread_pods(pod: Body, work: Work) -> None:
    """Add to a pod's spec what the service says of it; nothing where it says nothing, so that no pod is replaced.

    The plan spreads exactly, over the nodes that have GPUs. The scheduler would count every node of the cluster, one
    without a GPU as the emptiest, so it is only asked to try. Apart it keeps by itself, also with the operator away.
    """
    spec = work.service.spec
    if spec.spread:
        pod["topologySpreadConstraints"] = [
            {
                "topologyKey": each.topology_key.value,
                "maxSkew": each.max_skew,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": _selector(work.name),
            }
            for each in spec.spread
        ]
    if spec.anti_affinity:
        terms = [_term(each.topology_key.value, each.service or work.name, work) for each in spec.anti_affinity]
        pod["affinity"]["podAntiAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": terms}


def _term(topology_key: str, service: str, work: Work) -> Body:
    term: Body = {"topologyKey": topology_key, "labelSelector": _selector(service)}
    if service == work.name:
        # Of the same version only: else a rollout would wait for a node more than there are replicas.
        term["matchLabelKeys"] = ["pod-template-hash"]
    return term


def _selector(service: str) -> Body:
    return {"matchLabels": {SERVICE: service}}
