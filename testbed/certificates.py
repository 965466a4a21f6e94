"""The API server's certificate and the key that signs service account tokens, by openssl."""

import subprocess
from pathlib import Path

from testbed.cluster import NODE_SUBNET, Cluster

SERVICE_SUBNET = "10.96.0"
_DAYS = "3650"
_NAMES = (
    "DNS:localhost",
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    "DNS:kubernetes.default.svc.cluster.local",
    "IP:127.0.0.1",
    f"IP:{SERVICE_SUBNET}.1",
    f"IP:{NODE_SUBNET}.1",
)


def write_certificates(cluster: Cluster) -> None:
    """A certificate authority, one server certificate and one signing key; kept when they are there."""
    folder = cluster.root / "pki"
    if (folder / "complete").exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("ca", "server", "service-accounts"):
        _openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    _openssl(
        folder,
        "req",
        "-x509",
        "-new",
        "-key",
        "ca.key",
        "-subj",
        "/CN=cynosure-testbed",
        "-days",
        _DAYS,
        "-out",
        "ca.crt",
    )
    _sign_server_certificate(folder)
    (folder / "complete").touch()


def _sign_server_certificate(folder: Path) -> None:
    _openssl(folder, "req", "-new", "-key", "server.key", "-subj", "/CN=kube-apiserver", "-out", "server.csr")
    (folder / "server.ext").write_text(f"subjectAltName={','.join(_NAMES)}\nextendedKeyUsage=serverAuth\n")
    _openssl(
        folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", _DAYS, "-extfile", "server.ext", "-out", "server.crt",
    )  # fmt: skip


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
