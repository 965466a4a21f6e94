"""The children as they should be."""

import json
from typing import Any

import pytest
from cynosure.act import manifests
from cynosure.act.claims import label_changes, node_labels
from cynosure.act.naming import deployment_name, placement_label
from cynosure.errors import Refused
from cynosure.model.gpu import Backend, Slot
from cynosure.settings import WorkloadSettings

from serving.profile import read_profile
from tests.act.conftest import KEY, service, work

PARTITION, PRODUCT = "2g.20gb", "A100-80GB"


def pod(settings: WorkloadSettings, backend: Backend = Backend.DRA, **spec: Any) -> Any:
    found = manifests.deployment(work(service(**spec), backend=backend), PARTITION, PRODUCT, settings)
    return found["spec"]["template"]


def test_pods_carry_what_metrics_and_observation_know_them_by(settings: WorkloadSettings) -> None:
    template = pod(settings)
    labels, annotations = template["metadata"]["labels"], template["metadata"]["annotations"]
    assert labels["cynosure.dev/service"] == "chat"
    assert labels["cynosure.dev/partition"] == PARTITION
    assert labels["app.kubernetes.io/managed-by"] == "cynosure"
    assert (annotations["prometheus.io/scrape"], annotations["prometheus.io/port"]) == ("true", "8000")


def test_pods_keep_the_restricted_standard(settings: WorkloadSettings) -> None:
    spec = pod(settings)["spec"]
    container = spec["containers"][0]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_pods_drain_before_they_go(settings: WorkloadSettings) -> None:
    spec = pod(settings)["spec"]
    container = spec["containers"][0]
    before_stop = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert before_stop > 0
    assert spec["terminationGracePeriodSeconds"] > before_stop + settings.drain_seconds
    assert container["readinessProbe"]["httpGet"]["path"] == "/health"
    assert container["livenessProbe"]["httpGet"]["path"] == "/live"  # a draining engine is not dead


def test_the_emulated_engine_gets_a_profile_that_it_can_read(settings: WorkloadSettings, tmp_path: Any) -> None:
    found = manifests.config_map(work())
    assert found is not None
    file = tmp_path / "profile.json"
    file.write_text(found["data"]["profile.json"])
    read_profile(file)
    args = pod(settings)["spec"]["containers"][0]["args"]
    assert dict(zip(args[::2], args[1::2], strict=True)) == {
        "--profile": "/etc/cynosure/profile.json",
        "--gpu": PRODUCT,
        "--partition": PARTITION,
        "--model": "llama",
        "--port": "8000",
        "--drain-seconds": str(settings.drain_seconds),
    }


def test_vllm_gets_its_model_and_the_image_of_the_spec(settings: WorkloadSettings) -> None:
    engine = {"kind": "vllm", "image": "example.org/vllm:1", "args": ["--max-model-len", "4096"]}
    container = pod(settings, engine=engine)["spec"]["containers"][0]
    expected = ["--model", "meta/llama", "--served-model-name", "llama", "--port", "8000", "--max-model-len", "4096"]
    assert (container["image"], container["args"]) == ("example.org/vllm:1", expected)


def test_an_engine_without_a_known_image_is_refused(settings: WorkloadSettings) -> None:
    with pytest.raises(Refused, match=r"spec\.engine\.image"):
        pod(settings, engine={"kind": "triton"})


def test_a_template_lays_over_ours_and_cannot_take_our_labels(settings: WorkloadSettings) -> None:
    overlay = {
        "metadata": {"labels": {"team": "a", "cynosure.dev/service": "stolen"}},
        "spec": {
            "tolerations": [{"key": "gpu"}],
            "containers": [
                {"name": "engine", "env": [{"name": "A", "value": "1"}]},
                {"name": "sidecar", "image": "example.org/side:1"},
            ],
        },
    }
    template = pod(settings, template=overlay)
    assert template["metadata"]["labels"]["team"] == "a"
    assert template["metadata"]["labels"]["cynosure.dev/service"] == "chat"
    assert [container["name"] for container in template["spec"]["containers"]] == ["engine", "sidecar"]
    assert template["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}]
    assert template["spec"]["containers"][0]["readinessProbe"]
    assert template["spec"]["tolerations"] == [{"key": "gpu"}]


def test_a_plan_never_changes_the_pod_template(settings: WorkloadSettings) -> None:
    here, there = (Slot(gpu, 0, PARTITION, KEY) for gpu in ("GPU-1", "GPU-2"))
    one, two = (manifests.deployment(work(slots=(s,)), PARTITION, PRODUCT, settings) for s in (here, there))
    assert one == two
    claims = [manifests.claim_template(work(slots=(s,)), PARTITION, PRODUCT, settings) for s in (here, there)]
    assert claims[0]["metadata"]["name"] == claims[1]["metadata"]["name"]
    assert claims[0]["spec"] != claims[1]["spec"]


def test_a_claim_prefers_the_planned_gpus_and_takes_any_other(settings: WorkloadSettings) -> None:
    planned = (Slot("GPU-2", 2, PARTITION, KEY), Slot("GPU-1", 0, PARTITION, KEY))
    claim = manifests.claim_template(work(slots=planned), PARTITION, PRODUCT, settings)
    first, second = claim["spec"]["spec"]["devices"]["requests"][0]["firstAvailable"]
    assert (first["name"], second["name"]) == ("planned", "anywhere")
    attributes = "device.attributes['gpu.cynosure.dev']"
    same = f"{attributes}.profile == '2g.20gb' && {attributes}.productName.matches('A100.*80GB')"
    assert second["selectors"][0]["cel"]["expression"] == same
    assert first["selectors"][0]["cel"]["expression"] == f"{same} && {attributes}.parentUUID in ['GPU-1', 'GPU-2']"


def test_without_a_plan_a_claim_takes_any(settings: WorkloadSettings) -> None:
    claim = manifests.claim_template(work(), PARTITION, PRODUCT, settings)
    choices = claim["spec"]["spec"]["devices"]["requests"][0]["firstAvailable"]
    assert [choice["name"] for choice in choices] == ["anywhere"]


def test_a_device_plugin_is_asked_by_resource(settings: WorkloadSettings) -> None:
    spec = pod(settings, Backend.DEVICE_PLUGIN)["spec"]
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/mig-2g.20gb"] == 1
    assert "resourceClaims" not in spec


def test_nodes_are_labelled_where_replicas_are_planned() -> None:
    wanted = node_labels([work(slots=(Slot("GPU-2", 0, PARTITION, KEY),))])
    label = placement_label(KEY, PARTITION)
    assert wanted == {"n2": {label}}
    prefix = "placement.cynosure.dev/"
    assert label_changes({label}, {"zone": "a", f"{prefix}old": "true"}, prefix) == {
        label: "true",
        f"{prefix}old": None,
    }
    assert label_changes({label}, {label: "true"}, prefix) == {}


def test_all_children_are_owned_by_the_service(settings: WorkloadSettings) -> None:
    found = work()
    children = [
        manifests.deployment(found, PARTITION, PRODUCT, settings),
        manifests.claim_template(found, PARTITION, PRODUCT, settings),
        manifests.service(found),
        manifests.disruption_budget(found),
        manifests.config_map(found),
    ]
    owners = [child["metadata"]["ownerReferences"] for child in children if child]
    assert [(o["kind"], o["name"], o["uid"], o["controller"]) for (o,) in owners] == [
        ("InferenceService", "chat", "uid-1", True)
    ] * 5


def test_names_are_labels_of_dns() -> None:
    name = deployment_name("a" * 52, "1g.10gb+me")
    assert name == "a" * 52 + "-1g-10gb-me"
    assert len(name) <= 63


def test_the_same_work_gives_the_same_manifests(settings: WorkloadSettings) -> None:
    one, two = (manifests.deployment(work(service()), PARTITION, PRODUCT, settings) for _ in range(2))
    assert json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def test_pods_of_a_service_without_rules_are_as_they_were(settings: WorkloadSettings) -> None:
    spec = pod(settings)["spec"]
    assert "topologySpreadConstraints" not in spec
    assert "podAntiAffinity" not in spec["affinity"]


def test_the_scheduler_is_asked_to_spread_and_has_to_keep_apart(settings: WorkloadSettings) -> None:
    apart = [{"topologyKey": HOST}, {"topologyKey": ZONE, "service": "vision"}]
    spec = pod(settings, spread=[{"topologyKey": ZONE, "maxSkew": 2}], antiAffinity=apart)["spec"]
    (spread,) = spec["topologySpreadConstraints"]
    own = {"matchLabels": {"cynosure.dev/service": "chat"}}
    assert (spread["topologyKey"], spread["maxSkew"], spread["labelSelector"]) == (ZONE, 2, own)
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway", "nodes without a GPU count as the emptiest for it"
    itself, other = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert itself == {"topologyKey": HOST, "labelSelector": own, "matchLabelKeys": ["pod-template-hash"]}
    assert other == {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"cynosure.dev/service": "vision"}}}
    assert "nodeAffinity" in spec["affinity"], "the planned nodes are preferred all the same"
