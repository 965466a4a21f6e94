"""What a cluster with kubelets needs besides: kube-proxy for its Services, and DNS.

All nodes share one network namespace, so one of each serves them all.
"""

import json
import subprocess

from testbed.api import Api
from testbed.cluster import Cluster
from testbed.network import inside, node_address
from testbed.processes import start
from testbed.programs import program

POD_NETWORK = "10.244.0.0/16"
DNS_ADDRESS = node_address(1)
_DNS_PORT = 53


def start_services(cluster: Cluster) -> None:
    folder = cluster.root / "services"
    folder.mkdir(parents=True, exist_ok=True)
    with Api(cluster) as api:
        _let_dns_read(api)
    proxy, corefile = folder / "kube-proxy.json", folder / "Corefile"
    proxy.write_text(json.dumps(_proxy_configuration(cluster)))
    corefile.write_text(_corefile(cluster))
    _let_pods_reach_themselves(cluster)
    start(cluster, "kube-proxy", [program("kube-proxy"), f"--config={proxy}"], within=inside(cluster))
    start(cluster, "coredns", [program("coredns"), "-conf", str(corefile)], within=inside(cluster))


def _let_pods_reach_themselves(cluster: Cluster) -> None:
    """A pod that is sent to itself by its own Service must not see its own address as the client's.

    kube-proxy does this for the pods of its node alone, and here there is one kube-proxy for all nodes.
    """
    pods = [f"10.244.{node}.{pod}" for node in range(1, len(cluster.nodes) + 1) for pod in range(2, 255)]
    rules = f"""
        table ip hairpin
        delete table ip hairpin
        table ip hairpin {{
            set pods {{
                type ipv4_addr . ipv4_addr
                elements = {{ {", ".join(f"{pod} . {pod}" for pod in pods)} }}
            }}
            chain postrouting {{
                type nat hook postrouting priority 90
                ct status dnat ip saddr . ip daddr @pods masquerade
            }}
        }}
    """
    subprocess.run([*inside(cluster), "nft", "--file", "-"], input=rules, text=True, check=True, capture_output=True)


def _proxy_configuration(cluster: Cluster) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(cluster.internal_kubeconfig("system:kube-proxy"))},
        "clusterCIDR": POD_NETWORK,
        "hostnameOverride": cluster.nodes[0].name,
        "mode": "nftables",
        # Without the right to change them, the kernel's limits stay as they are.
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _corefile(cluster: Cluster) -> str:
    kubeconfig = cluster.internal_kubeconfig("system:coredns")
    return f""".:{_DNS_PORT} {{
    errors
    ready :8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 5
    }}
    cache 5
}}
"""


def _let_dns_read(api: Api) -> None:
    group, name = "rbac.authorization.k8s.io", "testbed-coredns"
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "system:coredns"}],
    }
    api.apply(f"/apis/{group}/v1/clusterroles/{name}", role)
    api.apply(f"/apis/{group}/v1/clusterrolebindings/{name}", binding)
