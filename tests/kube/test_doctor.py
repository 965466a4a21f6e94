"""``cynosure doctor`` on a real API server: what is there, what is not, and that each finding stands alone."""

import json
from pathlib import Path

import pytest
from cynosure.api import crds
from cynosure.cli import main
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials

from testbed.cluster import Cluster
from tests.fakes.credentials import QUICK
from tests.reconcile.real import install

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(120)]

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
async def installed(api_server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(Path(api_server.kubeconfig("admin"))))
    async with HttpKubeApi(load_credentials(), QUICK) as api:
        await install(api, crds.manifests())


def test_what_is_missing_is_said_with_what_mends_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--prometheus", NOBODY, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    found = {finding["check"]: finding for finding in said["findings"]}
    assert said["ok"] is False
    assert found["custom resources"]["ok"]
    assert found["access"]["ok"]
    assert "A100-80GB, by DRA (gpu.cynosure.dev)" in found["GPUs"]["message"]
    assert not found["metrics"]["ok"]
    assert NOBODY in found["metrics"]["message"]
    assert all(finding["mend"] for finding in said["findings"] if not finding["ok"])


def test_people_read_lines(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--prometheus", NOBODY])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok     custom resources") for line in lines)
    assert any(line.startswith("WRONG  metrics") for line in lines)
