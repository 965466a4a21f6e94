"""Tells Prometheus which pods to scrape, by a file: Debian builds Prometheus without its Kubernetes discovery.

Runs as a script in a container beside Prometheus, from a ConfigMap, so it needs nothing but the standard library.
"""

import json
import os
import ssl
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LABELS = {"cynosure.dev/service": "service", "cynosure.dev/partition": "partition"}


def targets(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the pods that ask to be scraped, run and have an address, with the labels that their series get."""
    return [_target(pod) for pod in pods if _is_wanted(pod)]


def _is_wanted(pod: dict[str, Any]) -> bool:
    annotations = pod["metadata"].get("annotations") or {}
    status = pod.get("status") or {}
    running = status.get("phase") == "Running" and bool(status.get("podIP"))
    return annotations.get("prometheus.io/scrape") == "true" and "prometheus.io/port" in annotations and running


def _target(pod: dict[str, Any]) -> dict[str, Any]:
    metadata = pod["metadata"]
    own = metadata.get("labels") or {}
    labels = {name: own[label] for label, name in _LABELS.items() if label in own}
    port = metadata["annotations"]["prometheus.io/port"]
    return {
        "targets": [f"{pod['status']['podIP']}:{port}"],
        "labels": {"namespace": metadata["namespace"], "pod": metadata["name"], **labels},
    }


def main() -> None:
    output, interval_seconds = Path(sys.argv[1]), float(sys.argv[2])
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    trust = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
    while True:
        token = (_ACCOUNT / "token").read_text()
        request = urllib.request.Request(
            f"https://{host}:{port}/api/v1/pods", headers={"Authorization": f"Bearer {token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5, context=trust) as response:  # noqa: S310  (always https)
                found = targets(json.load(response)["items"])
        except (OSError, ValueError) as error:
            print(f"pods could not be listed: {error}", file=sys.stderr, flush=True)  # noqa: T201
        else:
            draft = output.with_suffix(".new")
            draft.write_text(json.dumps(found))
            draft.replace(output)
        time.sleep(interval_seconds)


if __name__ == "__main__":
    main()
