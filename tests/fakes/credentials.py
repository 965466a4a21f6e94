"""Ways to the fake and to a real API server."""

from dataclasses import replace

from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import Credentials
from cynosure.settings import KubernetesSettings

QUICK = KubernetesSettings(request_seconds=5.0, connect_seconds=1.0, stall_seconds=1.0, list_chunk=3)


def client(url: str, *, stall_seconds: float = 1.0) -> HttpKubeApi:
    return HttpKubeApi(Credentials(url), replace(QUICK, stall_seconds=stall_seconds))
