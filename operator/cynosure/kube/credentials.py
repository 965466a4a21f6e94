"""Where the API server is and how to prove who we are: in a pod, or through a kubeconfig."""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubernetes import config
from kubernetes.client import Configuration

from cynosure.errors import BadInput


@dataclass(frozen=True, slots=True)
class Credentials:
    """``authorization`` is asked for each request, since a pod's token is replaced every hour."""

    server: str
    authorization: Callable[[], str | None] = lambda: None
    authority: str | None = None
    """File with the certificates of the authorities that are trusted; None: those of the system."""
    client_certificate: tuple[str, str] | None = None
    """Files of certificate and key."""
    verify: bool = True

    def tls(self) -> ssl.SSLContext | None:
        """None for plain HTTP."""
        if not self.server.startswith("https:"):
            return None
        context = ssl.create_default_context(cafile=self.authority)
        if not self.verify:  # the kubeconfig says insecure-skip-tls-verify
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_certificate:
            context.load_cert_chain(*self.client_certificate)
        return context


def load_credentials(context: str | None = None) -> Credentials:
    """The pod's own service account where there is one, else the kubeconfig. Raises ``BadInput``."""
    found = Configuration()
    file = os.environ.get("KUBECONFIG")  # the client read it when it was imported, which may be long ago
    try:
        if context is None and os.environ.get("KUBERNETES_SERVICE_HOST") and not file:
            config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
        else:
            config.load_kube_config(file, context, found)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError) as error:
        raise BadInput(f"no access to a Kubernetes API server: {error}; set KUBECONFIG, or run in a pod") from error
    authority = found.ssl_ca_cert if found.ssl_ca_cert and Path(found.ssl_ca_cert).exists() else None
    return Credentials(
        server=found.host.rstrip("/"),
        authorization=lambda: found.get_api_key_with_prefix("BearerToken", "authorization"),
        authority=authority,
        client_certificate=(found.cert_file, found.key_file) if found.cert_file and found.key_file else None,
        verify=bool(found.verify_ssl),
    )
