"""The script for k6 keeps the schedule exactly: node runs it with stand-ins for k6's modules, which record it."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from loadgen.engine import EngineOptions
from loadgen.errors import BadLoadInput, MissingProgram
from loadgen.k6 import DATA, SCRIPT, read_results, replay, write_script
from loadgen.report import report_of
from loadgen.schedule import Schedule
from loadgen.slo import Slo
from loadgen.targets import admit
from tests.loadgen.builders import evenly

STAND_INS = {
    "k6/http": "export default { post(url, body) { globalThis.posted.push([globalThis.now, url, JSON.parse(body)]);"
    " globalThis.now += 40; return { status: 200, timings: { receiving: 10 } }; } };",
    "k6/execution": "export default { get scenario() { return globalThis.scenario; } };",
    "k6": "export function sleep(seconds) { globalThis.now += seconds * 1000; }",
    "k6/data": "export class SharedArray extends Array { constructor(name, make) { super(); this.push(...make()); } }",
    "k6/metrics": "export class Trend { constructor(name) { this.name = name; }"
    " add(value, tags) { globalThis.samples.push([this.name, value, tags.request]); } }",
}
RUNNER = """
import fs from 'node:fs';
globalThis.now = 1e12; globalThis.posted = []; globalThis.samples = [];
Date.now = () => globalThis.now;
globalThis.__ENV = {};
globalThis.open = (path) => fs.readFileSync(path, 'utf8');
const script = await import('./stood_in.mjs');
const { iterations, executor, vus } = script.options.scenarios.replay;
for (let i = 0; i < iterations; i += 1) {
  globalThis.scenario = { iterationInTest: i, startTime: 1e12 };
  script.default();
}
console.log(JSON.stringify({ executor, vus, posted: globalThis.posted, samples: globalThis.samples }));
"""
URL = "http://127.0.0.1:8000"


@pytest.fixture
def node() -> str:
    program = shutil.which("node")
    if program is None:
        pytest.skip("needs node to run the generated k6 script")
    return program


def recorded(node: str, folder: Path) -> dict[str, list[list[object]]]:
    """Run the script as k6 would, one virtual user, on a clock that only sleeping and answers advance."""
    text = (folder / SCRIPT).read_text()
    for number, (module, source) in enumerate(STAND_INS.items()):
        (folder / f"stand_in_{number}.mjs").write_text(source)
        text = text.replace(f"from '{module}';", f"from './stand_in_{number}.mjs';")
    (folder / "stood_in.mjs").write_text(text)
    (folder / "runner.mjs").write_text(RUNNER)
    ran = subprocess.run([node, "runner.mjs"], cwd=folder, capture_output=True, text=True, check=True, timeout=20)
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


def spread() -> Schedule:
    random = np.random.default_rng(1)
    at, tokens = np.sort(random.uniform(0, 60, 50)), random.integers(1, 40, (2, 50))
    return Schedule.of(at, tokens[0], tokens[1], np.zeros(50, np.int64), 60.0, {"trace": "made"})


def test_the_script_is_valid(node: str, tmp_path: Path) -> None:
    write_script(evenly(3, 1.0), admit(URL), EngineOptions(), tmp_path)
    module = shutil.copy(tmp_path / SCRIPT, tmp_path / "replay.mjs")
    subprocess.run([node, "--check", module], check=True, timeout=20)


@pytest.mark.parametrize("prompt", ["ids", "text", "count"])
def test_each_request_is_sent_at_its_time_with_the_body_of_the_builtin_engine(
    node: str, tmp_path: Path, prompt: str
) -> None:
    schedule, target = spread(), admit(URL, model="chat", prompt=prompt)  # type: ignore[arg-type]
    write_script(schedule, target, EngineOptions(), tmp_path)
    posted = recorded(node, tmp_path)["posted"]
    free = 0.0
    for number, (at, url, body) in enumerate(posted):
        due = max(schedule.send_at_seconds[number] * 1000, free)  # one virtual user is busy for 40 ms
        assert at == pytest.approx(1e12 + due, abs=1)
        free = due + 40
        lengths = int(schedule.input_tokens[number]), int(schedule.output_tokens[number])
        assert body == json.loads(target.body(number, *lengths))
        assert url == target.url
    assert len(posted) == len(schedule)


def test_results_of_k6_become_a_report(node: str, tmp_path: Path) -> None:
    schedule, target = spread(), admit(URL, model="chat", prompt="count")
    write_script(schedule, target, EngineOptions(), tmp_path)
    samples = recorded(node, tmp_path)["samples"]
    rows = [(name, 1_700_000_000, value, f"request={request}") for name, value, request in samples]
    write_results(tmp_path / "results.csv", rows[:-4])  # the last request was never sent
    report = report_of(read_results(tmp_path / "results.csv", schedule, target), Slo.parse("e2e_p90_ms=200"))
    assert (report["sent"], report["succeeded"], report["unsent"]) == (49, 49, 1)
    assert report["latency_ms"]["p50"] == pytest.approx(40, abs=1)
    assert report["ttft_ms"]["p50"] == pytest.approx(30, abs=1)
    assert report["tpot_ms"]["p50"] is None
    assert report["verdict"]["met"]


def write_results(path: Path, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["metric_name", "timestamp", "metric_value", "extra_tags"])
        writer.writerows([("http_reqs", 1_700_000_000, 1, ""), *rows])


def test_results_of_another_script_are_refused(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", [("replay_status", 1, 200, "")])
    with pytest.raises(BadLoadInput, match="names no request"):
        read_results(tmp_path / "results.csv", evenly(3, 1.0), admit(URL))


def test_without_k6_the_script_is_left_and_said_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="nothing was sent"):
        replay(evenly(3, 1.0), admit(URL), EngineOptions(), tmp_path / "k6")
    assert len(json.loads((tmp_path / "k6" / DATA).read_text())["requests"]) == 3
