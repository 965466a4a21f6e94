"""``cynosure doctor``: what the operator needs of a cluster and of its metrics, whether it is there, and what to do."""

import argparse
import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cynosure.api import crds
from cynosure.errors import CynosureError, NotFound
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials
from cynosure.kube.port import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    LEASES,
    NODES,
    RESOURCE_SLICES,
    KubeApi,
    Resource,
)
from cynosure.observe import promql
from cynosure.observe.gpus import Devices, plugin_gpus
from cynosure.observe.prometheus import Prometheus
from cynosure.settings import Settings, read_settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_STAMPS = Resource("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", namespaced=False)
_REVIEWS = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", namespaced=False)
_MAY = (
    ("list", "cynosure.dev", "inferenceservices", ""),
    ("patch", "cynosure.dev", "inferenceservices", "status"),
    ("create", "cynosure.dev", "inferenceservices", ""),
    ("delete", "cynosure.dev", "inferenceservices", ""),
    ("create", "apps", "deployments", ""),
    ("patch", "", "nodes", ""),
    ("list", "resource.k8s.io", "resourceslices", ""),
    ("create", "batch", "jobs", ""),
    ("get", "", "pods", "log"),
    ("create", "coordination.k8s.io", "leases", ""),
)
"""One of each kind of thing that the operator does; the chart's ClusterRole has the whole list."""
_DIALECTS = {
    "vLLM": "vllm:",
    "Triton": "nv_inference_",
    "llama.cpp": "llamacpp:",
    "Cynosure's emulated engine": "cynosure:requests_total",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``mend`` says what to do when it is not ``ok``."""

    check: str
    ok: bool
    message: str
    mend: str = ""


def register(commands: "Commands") -> None:
    parser = commands.add_parser(
        "doctor",
        help="check what the operator needs, and say how to mend it",
        description="Check CRDs, access, GPUs and metrics with your own credentials. Nothing is changed.",
    )
    parser.add_argument("--context", metavar="NAME", help="of the kubeconfig (default: the current one)")
    parser.add_argument("--prometheus", metavar="URL", help="default: CYNOSURE_PROMETHEUS_URL")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    named = {"CYNOSURE_PROMETHEUS_URL": arguments.prometheus} if arguments.prometheus else {}
    found = asyncio.run(examine(read_settings({**os.environ, **named}), arguments.context))
    ok = all(finding.ok for finding in found)
    if arguments.json:
        print(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in found]}))  # noqa: T201
    else:
        print("\n".join(_line(finding) for finding in found))  # noqa: T201
    return 0 if ok else 1


def _line(finding: Finding) -> str:
    mend = f"\n       {finding.mend}" if finding.mend and not finding.ok else ""
    return f"{'ok    ' if finding.ok else 'WRONG '} {finding.check}: {finding.message}{mend}"


async def examine(settings: Settings, context: str | None) -> list[Finding]:
    """All findings; one that cannot be made says why, and the others are made."""
    async with HttpKubeApi(load_credentials(context), settings.kubernetes) as api:
        checks: tuple[tuple[str, Callable[[], Awaitable[Finding]]], ...] = (
            ("custom resources", lambda: _definitions(api)),
            ("access", lambda: _access(api)),
            ("names of people", lambda: _stamps(api)),
            ("GPUs", lambda: _gpus(api)),
            ("operator", lambda: _operator(api, settings)),
            ("metrics", lambda: _metrics(settings)),
        )
        return [await _tried(name, check) for name, check in checks]


async def _tried(name: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await check()
    except CynosureError as error:
        return Finding(name, False, f"cannot be told: {error}", "look at the address, the credentials and the network")


async def _definitions(api: KubeApi) -> Finding:
    standing = {body["metadata"]["name"] for body in (await api.list(CUSTOM_RESOURCE_DEFINITIONS)).items}
    wanted = [body["metadata"]["name"] for body in crds.manifests()]
    missing = [name for name in wanted if name not in standing]
    message = f"missing: {', '.join(missing)}" if missing else f"all {len(wanted)} are served"
    return Finding("custom resources", not missing, message, "run `cynosure crds apply`")


async def _access(api: KubeApi) -> Finding:
    refused = [f"{verb} {'/'.join(filter(None, (plural, sub)))}" for verb, group, plural, sub in _MAY
               if not await _may(api, verb, group, plural, sub)]  # fmt: skip
    message = f"you may not {', '.join(refused)}" if refused else "you may do what the operator does"
    return Finding("access", not refused, message, "bind the ClusterRole cynosure-operator of the chart")


async def _may(api: KubeApi, verb: str, group: str, plural: str, subresource: str) -> bool:
    asked = {"verb": verb, "group": group, "resource": plural, "subresource": subresource}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": asked},
    }
    return bool((await api.create(_REVIEWS, body))["status"].get("allowed"))


async def _stamps(api: KubeApi) -> Finding:
    name = "names of people"
    mend = "install the chart with admissionPolicies=true on Kubernetes 1.36 or newer; until then approvals are refused"
    try:
        found = [body["metadata"]["name"] for body in (await api.list(_STAMPS)).items]
    except NotFound:
        return Finding(name, False, "this server has no MutatingAdmissionPolicy of version v1", mend)
    ours = [policy for policy in found if policy.startswith("cynosure")]
    message = f"stamped by {', '.join(ours)}" if ours else "no policy stamps who asks and who approves"
    return Finding(name, bool(ours), message, mend)


async def _gpus(api: KubeApi) -> Finding:
    try:
        slices = (await api.list(RESOURCE_SLICES)).items
    except NotFound:
        slices = []
    devices = Devices().of(slices)
    if devices:
        drivers = sorted({driver for driver, _, _ in devices})
        gpus = {device.gpu: device.product for device in devices.values()}
        return Finding("GPUs", True, f"{_counted(gpus.values())}, by DRA ({', '.join(drivers)})")
    plugin = plugin_gpus((await api.list(NODES)).items)
    message = f"{_counted(gpu.product for gpu in plugin)}, by a device plugin" if plugin else "none is published"
    mend = "install NVIDIA's DRA driver or device plugin with MIG, or try `cynosure testbed up` for simulated ones"
    return Finding("GPUs", bool(plugin), message, mend)


def _counted(products: Iterable[str]) -> str:
    found = list(products)
    return ", ".join(f"{found.count(product)} x {product or 'unknown'}" for product in sorted(set(found)))


async def _operator(api: KubeApi, settings: Settings) -> Finding:
    lease, mend = settings.lease, "install it: docs/install.md"
    try:
        holder = (await api.get(LEASES, lease.lease_name, lease.lease_namespace))["spec"].get("holderIdentity")
    except NotFound:
        found = (await api.list(DEPLOYMENTS, label_selector="app.kubernetes.io/name=cynosure")).items
        where = f"a Deployment is in {found[0]['metadata']['namespace']}, which has no lease" if found else "none"
        return Finding("operator", False, where, mend)
    return Finding("operator", bool(holder), f"{holder or 'nobody'} holds the lease", mend)


async def _metrics(settings: Settings) -> Finding:
    prefixes = "|".join(re.escape(prefix).replace("\\", "\\\\") for prefix in _DIALECTS.values())
    prometheus = Prometheus(settings.prometheus)
    found = await prometheus.instant(f'count by (__name__) ({{__name__=~"({prefixes}).*"}})')
    names = {sample.labels.get("__name__", "") for sample in found}
    spoken = [engine for engine, prefix in _DIALECTS.items() if any(name.startswith(prefix) for name in names)]
    url = settings.prometheus.prometheus_url
    if not spoken:
        return Finding(
            "metrics", False, f"{url} answers and has no metric of an engine", "let it scrape the engines' pods"
        )
    labelled = await prometheus.instant(promql.REPORTING)
    pods = sum(int(sample.value) for sample in labelled if {"namespace", "service"} <= sample.labels.keys())
    message = f"{', '.join(spoken)} at {url}, {pods} pods with the labels namespace and service"
    return Finding("metrics", pods > 0, message, "relabel pods with `namespace` and `service`: docs/install.md")
