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
    tls: ssl.SSLContext | None
    authorization: Callable[[], str | None]


def load_credentials(context: str | None = None) -> Credentials:
    """The pod's own service account where there is one, else the kubeconfig. Raises ``BadInput``."""
    found = Configuration()
    try:
        if context is None and os.environ.get("KUBERNETES_SERVICE_HOST") and not os.environ.get("KUBECONFIG"):
            config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
        else:
            config.load_kube_config(context=context, client_configuration=found)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError) as error:
        raise BadInput(f"no access to a Kubernetes API server: {error}; set KUBECONFIG, or run in a pod") from error
    return Credentials(found.host.rstrip("/"), _tls(found), lambda: found.get_api_key_with_prefix("authorization"))


def _tls(found: Configuration) -> ssl.SSLContext | None:
    if not found.host.startswith("https:"):
        return None
    authority = found.ssl_ca_cert if found.ssl_ca_cert and Path(found.ssl_ca_cert).exists() else None
    context = ssl.create_default_context(cafile=authority)
    if not found.verify_ssl:  # the kubeconfig says insecure-skip-tls-verify
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if found.cert_file:
        context.load_cert_chain(found.cert_file, found.key_file)
    return context
