"""From applying an InferenceService to its pods being requested, with 200 of them, and the memory of the operator.

A control plane of its own with 72 simulated GPUs, the operator as a process, and no Prometheus: a new service needs no
metrics. First 200 services are applied at once, then 30 more one by one. The figures come last.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cynosure.api import crds  # noqa: E402
from cynosure.kube.client import HttpKubeApi  # noqa: E402
from cynosure.kube.credentials import load_credentials  # noqa: E402
from cynosure.kube.port import DEPLOYMENTS, INFERENCE_SERVICES, MODEL_PROFILES, EventType, Resource  # noqa: E402
from cynosure.settings import KubernetesSettings  # noqa: E402

from testbed import lifecycle  # noqa: E402
from testbed.cluster import NodeSpec  # noqa: E402
from testbed.progress import timed_progress  # noqa: E402
from tests.fakes.process import running  # noqa: E402
from tests.reconcile.conftest import inference_service  # noqa: E402
from tests.reconcile.real import NAMESPACES, install, until  # noqa: E402

NODES = tuple(NodeSpec(f"bench-{n}", "A100-80GB", 8, "dra") for n in range(9))
PORT = 18099
NAMESPACE = "bench"
SERVICE_CIDRS = Resource("networking.k8s.io", "v1", "servicecidrs", namespaced=False)


class Requested:
    """When the Deployment of each service was first seen."""

    def __init__(self, api: HttpKubeApi) -> None:
        self.at: dict[str, float] = {}
        self._api = api

    async def watch(self) -> None:
        version = (await self._api.list(DEPLOYMENTS)).resource_version
        while True:
            async for event in self._api.watch(DEPLOYMENTS, version):
                version = event.body["metadata"]["resourceVersion"]
                if event.type is EventType.ADDED:
                    self.at.setdefault(event.body["metadata"]["labels"]["cynosure.dev/service"], time.monotonic())


async def create(api: HttpKubeApi, name: str) -> float:
    body = inference_service(name, scale={"min": 1, "max": 4})
    begun = time.monotonic()
    await api.create(INFERENCE_SERVICES, {**body, "metadata": {"name": name, "namespace": NAMESPACE}})
    return begun


async def prepare(api: HttpKubeApi) -> None:
    await install(api, crds.manifests())
    spec = yaml.safe_load((ROOT / "examples/profiles/opt-1.3b.yaml").read_text())
    profile = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "ModelProfile", "metadata": {"name": "opt-1.3b"}}
    await api.apply(MODEL_PROFILES, {**profile, "spec": spec.get("spec", spec)}, force=True)
    await api.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    # The testbed has 254 addresses for Services, and allocation gets slow before they are used up.
    more = {"metadata": {"name": "bench"}, "spec": {"cidrs": ["10.99.0.0/16"]}}
    await api.create(SERVICE_CIDRS, {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", **more})


async def measure(kubeconfig: Path, services: int, singles: int) -> dict[str, float]:
    os.environ["KUBECONFIG"] = str(kubeconfig)
    log = Path(tempfile.mkdtemp()) / "operator.log"
    settings = {"CYNOSURE_LEASE_NAMESPACE": "default", "CYNOSURE_RESYNC_SECONDS": "15"}
    async with HttpKubeApi(load_credentials(), KubernetesSettings(burst=1000, requests_per_second=500)) as api:
        await prepare(api)
        requested = Requested(api)
        watching = asyncio.create_task(requested.watch())
        async with running(kubeconfig, "http://127.0.0.1:9", PORT, log, settings) as process:
            await until(process.leads, "the operator leads", 60)
            begun = {name: await create(api, name) for name in (f"svc-{n}" for n in range(services))}
            await until(lambda: _all(requested, begun), "all pods requested", 180)
            burst = sorted(requested.at[name] - at for name, at in begun.items())
            await asyncio.sleep(10)
            single = sorted([await _single(api, requested, f"one-{n}") for n in range(singles)])
            rss = _rss_mib(process.child.pid)
        watching.cancel()
    return {
        "burst_p50_seconds": statistics.median(burst),
        "burst_p99_seconds": burst[int(0.99 * (len(burst) - 1))],
        "single_p50_seconds": statistics.median(single),
        "single_p99_seconds": single[int(0.99 * (len(single) - 1))],
        "operator_rss_mib": rss,
    }


async def _single(api: HttpKubeApi, requested: Requested, name: str) -> float:
    begun = await create(api, name)
    await until(lambda: _all(requested, [name]), f"the pods of {name} requested")
    await asyncio.sleep(0.5)
    return requested.at[name] - begun


async def _all(requested: Requested, names: "dict[str, float] | list[str]") -> bool:
    return all(name in requested.at for name in names)


def _rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--singles", type=int, default=30)
    args = parser.parse_args()
    name = f"bench-{os.getpid()}"
    try:
        cluster = lifecycle.up(name, timed_progress(), kubelets=False, specs=NODES, ready_delay_seconds=0.5)
        figures = asyncio.run(measure(cluster.kubeconfig("admin"), args.services, args.singles))
    finally:
        lifecycle.down(name, timed_progress())
    print(f"{args.services} InferenceServices at once, then {args.singles} one by one")
    for key, value in figures.items():
        print(f"{key}: {value:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
