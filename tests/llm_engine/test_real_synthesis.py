"""A real API server and real Ansible modules judge what the probabilistic program makes."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cynosure.api.crds import KINDS

from llm_engine.synthesis import drawn, of_argument_spec
from testbed.paths import cache_directory
from tests.api.conftest import admin, people  # noqa: F401
from tests.api.server import Server
from tests.llm_engine.test_synthesis import objects

A_KIND = 60
A_MODULE = 40
ANSIBLE = ("ansible==12.3.0", "ansible-core==2.19.14")
"""The first is read for its collection kubernetes.core only; the second checks arguments as a playbook run does."""
JUDGE = """
import importlib, json, sys
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
RULES = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
calls = {}
def capture(self, argument_spec, **rest):
    calls.update(spec=argument_spec, rules={rule: rest.get(rule) for rule in RULES})
    raise SystemExit
import ansible.module_utils.basic as basic
basic.AnsibleModule.__init__ = capture
def spec_of(name):
    calls.clear()
    module = importlib.import_module("ansible_collections.kubernetes.core.plugins.modules." + name)
    try:
        module.main()
    except SystemExit:
        pass
    return dict(calls)
asked = json.load(sys.stdin)
found = {}
for name, values in asked.items():
    known = spec_of(name)
    if values is None:
        found[name] = known
    else:
        judge = ArgumentSpecValidator(known["spec"], **known["rules"])
        found[name] = [judge.validate(value).error_messages for value in values]
json.dump(found, sys.stdout, default=lambda value: None)
"""


@pytest.mark.api_server
def test_the_api_server_takes_99_of_100_objects(
    admin: Server,  # noqa: F811
    record_property: Callable[[str, object], None],
) -> None:
    bodies = [body for kind in KINDS for body in objects(kind, A_KIND, seed=11)]
    answers = [admin.create(body, dry_run=True) for body in bodies]
    refused = [answer.message for answer in answers if answer.status != 201]
    record_property("objects taken by the API server", f"{len(bodies) - len(refused)} of {len(bodies)}")
    assert len(refused) <= 0.01 * len(bodies), "\n".join(refused[:5])


@pytest.fixture(scope="module")
def collection() -> Path:
    """A folder with the collection and ansible-core, fetched once."""
    folder = cache_directory() / "-".join(ANSIBLE).replace("==", "-")
    if not (folder / "ansible").is_dir():
        wheels = folder / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels), *ANSIBLE]
        subprocess.run(command, check=True, timeout=300)
        for wheel in sorted(wheels.glob("*.whl"), reverse=True):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder, [name for name in archive.namelist() if _is_needed(name)])
            wheel.unlink()
    return folder


def _is_needed(name: str) -> bool:
    return name.startswith(("ansible/", "ansible_collections/kubernetes/core/plugins/"))


def judged(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    run = [sys.executable, "-c", JUDGE]
    done = subprocess.run(run, input=json.dumps(asked), capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


@pytest.mark.slow
def test_ansible_takes_99_of_100_tasks(collection: Path, record_property: Callable[[str, object], None]) -> None:
    names = ["k8s", "k8s_scale", "k8s_info", "k8s_drain", "k8s_service", "k8s_taint", "k8s_rollback", "helm_repository"]
    specs = judged(collection, dict.fromkeys(names))
    random = Random(5)
    made = {}
    for name in names:
        option = of_argument_spec(name, specs[name]["spec"], **specs[name]["rules"])
        made[name] = [drawn(option, random) for _ in range(A_MODULE)]
    errors = [error for answers in judged(collection, made).values() for error in answers]
    refused = [error for error in errors if error]
    record_property("Ansible tasks taken", f"{len(errors) - len(refused)} of {len(errors)}")
    assert len(errors) == A_MODULE * len(names)
    assert len(refused) <= 0.01 * len(errors), refused[:5]
