"""A schedule travels to a pod and its outcomes back; the pod is a real process here, the server a real server."""

import asyncio
import base64
import json
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from loadgen.burn import Utilisation
from loadgen.errors import BadLoadInput, ScheduleTooLarge
from loadgen.job import main
from loadgen.manifests import ReplayJob, burning_pod, replay_job, schedule_config_map, stress_pods
from loadgen.outcomes import Outcomes, merge
from loadgen.report import report_of
from loadgen.slo import Slo
from loadgen.travel import from_log, to_line
from tests.loadgen.builders import evenly
from tests.loadgen.server import TinyServer, serving

JOB = ReplayJob("chat-replay", "shop", "cynosure:1", ["http://chat.shop.svc:8000"], 1_700_000_000.0, shards=2)


async def start_job(schedule: Path, *arguments: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "loadgen.job", "--schedule", str(schedule), *arguments)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)


async def in_a_pod(schedule: Path, *arguments: str) -> int:
    """Run the job's program in a thread, which starts sooner than a process."""
    return await asyncio.to_thread(main, ["--schedule", str(schedule), *arguments])


@pytest.mark.usefixtures("unsignalled")
async def test_two_shards_start_together_and_are_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_map = schedule_config_map(JOB, evenly(41, 0.3))
    file = tmp_path / "schedule.bin"
    file.write_bytes(base64.b64decode(config_map["binaryData"]["schedule.bin"]))
    async with serving(TinyServer()) as server:
        common = ("--target", server.url, "--start-at", str(time.time() + 0.2), "--prompt", "count")
        assert await asyncio.gather(*(in_a_pod(file, *common, "--shard", f"{n}/2") for n in range(2))) == [0, 0]
    logs = capsys.readouterr().out.splitlines()
    outcomes = merge([from_log(log, "pod") for log in logs])
    assert np.array_equal(outcomes.due_seconds, evenly(41, 0.3).send_at_seconds)
    assert report_of(outcomes, Slo())["succeeded"] == 41 == len(server.bodies)


async def test_a_pod_that_is_terminated_tells_what_it_has(tmp_path: Path) -> None:
    file, report = tmp_path / "schedule.bin", tmp_path / "report.json"
    file.write_bytes(evenly(1000, 60.0).to_bytes())
    async with serving(TinyServer()) as server:
        job = await start_job(file, "--target", server.url, "--report", str(report))
        for _ in range(5):
            await server.arrivals.get()
        job.send_signal(signal.SIGTERM)
        log = (await job.communicate())[0].decode()
    told = report_of(from_log(log, "pod"), Slo())
    assert job.returncode == 1
    assert 5 <= told["sent"] < 500
    assert told["unsent"] == 1000 - told["sent"]
    assert report.exists()


@pytest.mark.usefixtures("unsignalled")
async def test_a_pod_that_starts_late_leaves_the_past_unsent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "schedule.bin"
    file.write_bytes(evenly(1000, 10.0).to_bytes())
    async with serving(TinyServer()) as server:
        assert await in_a_pod(file, "--target", server.url, "--start-at", str(time.time() - 9.7)) == 1
    report = report_of(from_log(capsys.readouterr().out, "pod"), Slo())
    assert 20 <= report["succeeded"] == report["sent"] <= 140, "what was due in the last second and later"
    assert "stays unsent" in caplog.text


def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "schedule.bin"
    file.write_bytes(b"nonsense")
    assert main(["--schedule", str(file), "--target", "http://localhost"]) == 2
    assert capsys.readouterr() == ("", f"loadgen: {file}: {_NOT_OURS}\n")


_NOT_OURS = "not a file of this program (it begins with 'cynosure-columns/1')"


def finished() -> Outcomes:
    nothing = np.full(3, np.nan)
    counts = np.zeros(3, dtype=np.int64)
    return Outcomes(np.arange(3.0), nothing, nothing, nothing, counts, counts, counts + 1, 3.0, "builtin", {}, {})


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda line: "", "no outcomes in its log"),
        (lambda line: line[:-50], "is cut after"),
        (lambda line: line.replace(" end", "") + "* end", "is damaged"),
        (lambda line: line.replace("cynosure-outcomes/1 ", "cynosure-outcomes/1 0"), "checksum"),
    ],
    ids=["absent", "cut", "no base64", "changed"],
)
def test_a_log_that_cannot_be_trusted_is_refused(harm: object, says: str) -> None:
    line = to_line(finished())
    assert from_log(f"noise\n2026-01-01T00:00:00Z {line}\nnoise", "pod").duration_seconds == 3.0
    with pytest.raises(BadLoadInput, match=says):
        from_log(harm(line), "pod")  # type: ignore[operator]


def test_a_schedule_too_large_for_a_config_map_names_the_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = evenly(10, 600.0)
    assert schedule_config_map(JOB, schedule)["immutable"]
    monkeypatch.setattr("loadgen.manifests.MOST_CONFIG_MAP_BYTES", 64)
    with pytest.raises(ScheduleTooLarge, match="volume="):
        schedule_config_map(JOB, schedule)
    claim = {"persistentVolumeClaim": {"claimName": "traces"}}
    assert replay_job(JOB, schedule, claim)["spec"]["template"]["spec"]["volumes"] == [{"name": "schedule", **claim}]


def test_what_runs_in_the_cluster_is_restricted_and_ends_by_itself() -> None:
    job = replay_job(JOB, evenly(10, 600.0))
    (stress,) = stress_pods(["node-1"], "shop", "cynosure:1", 30, 600)
    _, burning = burning_pod("busy", "shop", "tools:1", Utilisation(5.0, (0.1, 0.02)), 1.8e9)
    assert job["spec"]["activeDeadlineSeconds"] == 900
    assert job["spec"]["backoffLimitPerIndex"] == 0, "a replay is not repeated"
    assert stress["spec"]["activeDeadlineSeconds"] == 660
    assert "--cpu-load 30 --timeout 600s" in " ".join(stress["spec"]["containers"][0]["command"])
    for pod in (job["spec"]["template"]["spec"], stress["spec"], burning["spec"]):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_burning_pod_brings_its_program_along_and_may_catch_up_above_its_peak() -> None:
    config, pod = burning_pod("busy", "shop", "tools:1", Utilisation(5.0, (0.1, 0.02)), 1.8e9)
    compile(config["data"]["burn.py"], "burn.py", "exec")
    assert json.loads(config["data"]["utilisation.json"])["cores"] == [0.1, 0.02]
    assert pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "0.100"
    assert pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "0.300"


@pytest.mark.parametrize(
    ("cores", "told"),
    [((), "no time"), ((0.1, 1.4), "step 1 wants 1.4 cores"), ((float("nan"),), "step 0 wants nan cores")],
)
def test_a_pod_is_not_asked_for_what_it_cannot_burn(cores: tuple[float, ...], told: str) -> None:
    with pytest.raises(BadLoadInput, match=told):
        burning_pod("busy", "shop", "tools:1", Utilisation(5.0, cores), 1.8e9)


def test_the_manifests_are_valid() -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    schedule = evenly(10, 600.0)
    objects = [schedule_config_map(JOB, schedule), replay_job(JOB, schedule)]
    burning = burning_pod("busy", "shop", "tools:1", Utilisation(5.0, (0.1, 0.02)), 1.8e9)
    for manifest in [*objects, *stress_pods(["node.1"], "shop", "cynosure:1", 30, 600), *burning]:
        validate(manifest, "1.33", strict=True)
