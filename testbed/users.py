"""Who may talk to the API server: bearer tokens, and a kubeconfig for each user."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from testbed.cluster import Cluster

PEOPLE: Mapping[str, tuple[str, ...]] = {
    "admin": ("system:masters",),
    # These two have no rights until a role is bound to them or to their group: one asks, the other approves.
    "alice": ("cynosure-users",),
    "bob": ("cynosure-users",),
}
_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "system:kube-controller-manager": (),
    "system:kube-scheduler": (),
    "system:kube-proxy": (),
    "system:coredns": (),
    "system:hollow-kubelet": ("system:masters",),
}


def users(cluster: Cluster) -> dict[str, tuple[str, ...]]:
    """Every user and the groups it is in."""
    nodes = {f"system:node:{node.name}": ("system:nodes",) for node in cluster.nodes if cluster.kubelets}
    return {**PEOPLE, **_PROGRAMS, **nodes}


def write_credentials(cluster: Cluster) -> None:
    """Make the tokens once, and write a kubeconfig for each user (people's for the host, programs' for inside)."""
    known = _tokens(cluster)
    tokens = {user: known.get(user) or secrets.token_hex(16) for user in users(cluster)}
    rows = [f'{tokens[user]},{user},{user},"{",".join(groups)}"' for user, groups in users(cluster).items()]
    _write_private(token_file(cluster), "\n".join(rows) + "\n")
    for user, token in tokens.items():
        if user in PEOPLE:
            _write_private(cluster.kubeconfig(user), _kubeconfig(cluster, cluster.server, user, token))
        else:
            inside = _kubeconfig(cluster, cluster.internal_server, user, token)
            _write_private(cluster.internal_kubeconfig(user), inside)


def token_file(cluster: Cluster) -> Path:
    return cluster.root / "pki" / "tokens.csv"


def read_token(cluster: Cluster, user: str) -> str:
    """The bearer token of one of PEOPLE or of the cluster's programs."""
    return _tokens(cluster)[user]


def _tokens(cluster: Cluster) -> dict[str, str]:
    if not token_file(cluster).exists():
        return {}
    rows = (line.split(",", 2) for line in token_file(cluster).read_text().splitlines())
    return {user: token for token, user, _ in rows}


def _kubeconfig(cluster: Cluster, server: str, user: str, token: str) -> str:
    """JSON, which every reader of kubeconfigs takes, since YAML contains it."""
    name = f"cynosure-{cluster.name}"
    authority = {"server": server, "certificate-authority": str(cluster.certificate_authority)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": authority}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2)


def _write_private(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(content)
    draft.replace(path)
