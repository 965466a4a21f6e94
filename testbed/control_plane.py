"""etcd, the API server, the controller manager and the scheduler."""

from testbed.api import answers
from testbed.certificates import SERVICE_SUBNET, write_certificates
from testbed.cluster import Cluster
from testbed.network import inside
from testbed.processes import kill, start, stop, wait_until
from testbed.programs import program
from testbed.users import token_file, write_credentials

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_READY_SECONDS = 120.0  # a loaded machine takes ten times as long as an idle one


def start_control_plane(cluster: Cluster) -> None:
    """Start what does not run yet; returns when the API server is ready and namespaces get service accounts."""
    write_certificates(cluster)
    write_credentials(cluster)
    for name in PROGRAMS:
        _start(cluster, name)
        if name == "kube-apiserver":
            await_api_server(cluster)
    wait_until(
        lambda: answers(cluster, "/api/v1/namespaces/default/serviceaccounts/default"),
        "the default service account", _READY_SECONDS, needs=(cluster, PROGRAMS),
    )  # fmt: skip


def await_api_server(cluster: Cluster) -> None:
    needs = (cluster, ("etcd", "kube-apiserver"))
    wait_until(lambda: answers(cluster), "the API server to be ready", _READY_SECONDS, needs=needs)


def restart_api_server(cluster: Cluster, *, crash: bool = True) -> None:
    """End the API server, by SIGKILL or in order, and start it again; returns when it is ready."""
    stop_api_server(cluster, crash=crash)
    start_api_server(cluster)


def stop_api_server(cluster: Cluster, *, crash: bool = True) -> None:
    (kill if crash else stop)(cluster, "kube-apiserver")


def start_api_server(cluster: Cluster) -> None:
    _start(cluster, "kube-apiserver")
    await_api_server(cluster)


def _start(cluster: Cluster, name: str) -> None:
    start(cluster, name, [program(name), *_ARGUMENTS[name](cluster)], within=inside(cluster))


def _etcd(cluster: Cluster) -> list[str]:
    clients = f"http://127.0.0.1:{cluster.ports['etcd']}"
    peers = f"http://127.0.0.1:{cluster.ports['etcd-peer']}"
    return [
        f"--name={cluster.name}",
        f"--data-dir={cluster.root / 'etcd'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster={cluster.name}={peers}",
        "--unsafe-no-fsync=true",  # a lost write costs a testbed nothing, a slow disk costs every test
        "--log-level=warn",
    ]


def _api_server(cluster: Cluster) -> list[str]:
    pki = cluster.root / "pki"
    return [
        f"--etcd-servers=http://127.0.0.1:{cluster.ports['etcd']}",
        f"--bind-address={'0.0.0.0' if cluster.kubelets else '127.0.0.1'}",  # noqa: S104  (of a private namespace)
        f"--secure-port={cluster.ports['kube-apiserver']}",
        f"--advertise-address={cluster.address}",
        # The lease makes the endpoint of the service `kubernetes`; a loopback address may not be one.
        f"--endpoint-reconciler-type={'lease' if cluster.kubelets else 'none'}",
        f"--cert-dir={pki}",
        f"--tls-cert-file={pki / 'server.crt'}",
        f"--tls-private-key-file={pki / 'server.key'}",
        f"--token-auth-file={token_file(cluster)}",
        f"--service-cluster-ip-range={SERVICE_SUBNET}.0/16",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'service-accounts.key'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
    ]


def _controller_manager(cluster: Cluster) -> list[str]:
    # Nothing renews the leases of hollow nodes; without patience they would all turn NotReady.
    patience = [] if cluster.kubelets else ["--node-monitor-grace-period=24h"]
    return [
        *_client(cluster, "kube-controller-manager"),
        f"--root-ca-file={cluster.certificate_authority}",
        f"--service-account-private-key-file={cluster.root / 'pki' / 'service-accounts.key'}",
        "--use-service-account-credentials=true",
        *patience,
    ]


def _scheduler(cluster: Cluster) -> list[str]:
    return _client(cluster, "kube-scheduler")


def _client(cluster: Cluster, name: str) -> list[str]:
    return [
        f"--kubeconfig={cluster.internal_kubeconfig(f'system:{name}')}",
        "--bind-address=127.0.0.1",
        f"--secure-port={cluster.ports[name]}",
        f"--cert-dir={cluster.root / 'pki' / name}",
        "--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics",
        "--leader-elect=false",
    ]


_ARGUMENTS = {
    "etcd": _etcd,
    "kube-apiserver": _api_server,
    "kube-controller-manager": _controller_manager,
    "kube-scheduler": _scheduler,
}
