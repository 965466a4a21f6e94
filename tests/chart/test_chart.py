"""The chart is valid, refuses what it does not know, and its operator runs with the least that it needs."""

import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.telemetry import Telemetry
from prometheus_client import Metric

from testbed.packages import helm_path
from testbed.progress import timed_progress

Body = dict[str, Any]


@pytest.fixture(scope="session")
def helm() -> Path:
    return helm_path(timed_progress())


@pytest.fixture(scope="session")
def chart(repository: Path) -> Path:
    return repository / "charts" / "cynosure"


def run(helm: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(helm), *map(str, arguments)], capture_output=True, text=True, timeout=25)


def template(helm: Path, chart: Path, *settings: str) -> list[Body]:
    flags = [part for setting in settings for part in ("--set", setting)]
    done = run(helm, "template", "test", chart, "--namespace", "cynosure-system", "--kube-version", "1.36.0", *flags)
    assert done.returncode == 0, done.stderr
    return [body for body in yaml.safe_load_all(done.stdout) if body]


def of_kind(bodies: Iterable[Body], kind: str) -> list[Body]:
    return [body for body in bodies if body["kind"] == kind]


def test_lint_is_strict_and_clean(helm: Path, chart: Path) -> None:
    done = run(helm, "lint", "--strict", chart)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("replicas=0", "replicas"),
        ("unknown=1", "unknown"),
        ("prometheus.url=ftp://x", "prometheus"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("settings.lower=1", "lower"),
    ],
    ids=lambda value: str(value).split("=", maxsplit=1)[0],
)
def test_a_wrong_value_is_refused_by_name(helm: Path, chart: Path, setting: str, message: str) -> None:
    done = run(helm, "template", "test", chart, "--set", setting)
    assert done.returncode != 0
    assert message in done.stderr


def test_the_operator_runs_with_the_least_that_it_needs(helm: Path, chart: Path) -> None:
    (deployment,) = of_kind(template(helm, chart), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"livenessProbe", "readinessProbe"} <= container.keys()


def test_no_role_of_the_operator_has_a_wildcard_or_reads_secrets(helm: Path, chart: Path) -> None:
    roles = of_kind(template(helm, chart), "ClusterRole")
    (operator,) = [role for role in roles if role["metadata"]["name"] == "cynosure-operator"]
    for rule in operator["rules"]:
        assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
        assert "secrets" not in rule["resources"]


def test_who_asks_and_who_approves_can_be_different_people(helm: Path, chart: Path) -> None:
    roles = {role["metadata"]["name"]: role["rules"] for role in of_kind(template(helm, chart), "ClusterRole")}
    can_create = {
        name: {resource for rule in rules if "create" in rule["verbs"] for resource in rule["resources"]}
        for name, rules in roles.items()
    }
    assert "scalingintents" in can_create["cynosure-asker"]
    assert "intentapprovals" not in can_create["cynosure-asker"]
    assert "intentapprovals" in can_create["cynosure-approver"]
    assert "scalingintents" not in can_create["cynosure-approver"]


def test_what_is_optional_is_off_until_it_is_asked_for(helm: Path, chart: Path) -> None:
    kinds = {body["kind"] for body in template(helm, chart)}
    assert not kinds & {"NetworkPolicy", "ServiceMonitor", "ConfigMap"}
    asked = template(helm, chart, "networkPolicy.enabled=true", "serviceMonitor.enabled=true")
    assert {"NetworkPolicy", "ServiceMonitor"} <= {body["kind"] for body in asked}


def test_dashboards_ask_for_metrics_that_there_are(helm: Path, chart: Path) -> None:
    bodies = template(helm, chart, "dashboards.enabled=true")
    found = [json.loads(text) for m in of_kind(bodies, "ConfigMap") for text in m["data"].values()]
    assert {dashboard["uid"] for dashboard in found} == {"cynosure-services", "cynosure-operator"}
    asked = {
        name
        for dashboard in found
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"(?:cynosure_|vllm:)[a-z_]+", target["expr"])
    }
    ours = {sample for metric in Telemetry().registry.collect() for sample in _sample_names(metric)}
    assert asked - ours == {"vllm:time_to_first_token_seconds_bucket", "vllm:inter_token_latency_seconds_bucket"}


def _sample_names(metric: Metric) -> set[str]:
    suffix = {"counter": "_total", "histogram": "_bucket"}.get(metric.type, "")
    return {metric.name + suffix}


def test_settings_and_the_language_model_reach_the_operator(helm: Path, chart: Path) -> None:
    url = "http://model.local:8080/v1"
    bodies = template(helm, chart, f"languageModel.url={url}", "settings.SEASON_SECONDS=600")
    (deployment,) = of_kind(bodies, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert environment["CYNOSURE_LANGUAGE_MODEL_URL"] == url
    assert environment["CYNOSURE_SEASON_SECONDS"] == "600"


def test_a_token_comes_from_a_secret_and_a_private_authority_from_a_file(helm: Path, chart: Path) -> None:
    bodies = template(helm, chart, "prometheus.existingSecret=querier", "prometheus.caConfigMap=authority")
    (deployment,) = of_kind(bodies, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {variable["name"]: variable for variable in container["env"]}
    reference = environment["CYNOSURE_PROMETHEUS_HEADERS"]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": "querier", "key": "headers"}
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "prometheus-ca"]
    assert environment["CYNOSURE_PROMETHEUS_CA_FILE"]["value"] == f"{mount['mountPath']}/ca.crt"
    assert {"name": "prometheus-ca", "configMap": {"name": "authority"}} in pod["volumes"]


def test_replays_run_in_the_operators_own_image_and_go_where_the_values_say(helm: Path, chart: Path) -> None:
    bodies = template(helm, chart, "image.tag=next", "settings.REPLAY_HOSTS=llm.example")
    (deployment,) = of_kind(bodies, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert environment["CYNOSURE_IMAGE"] == container["image"]
    assert environment["CYNOSURE_REPLAY_HOSTS"] == "llm.example"


def test_the_schema_of_the_values_covers_every_value(chart: Path) -> None:
    values = yaml.safe_load((chart / "values.yaml").read_text())
    schema = json.loads((chart / "values.schema.json").read_text())
    assert values.keys() == schema["properties"].keys() - {"global"}
