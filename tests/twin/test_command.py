"""The commands as scripts use them."""

import asyncio
import csv
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cynosure.cli import main

from tests.fakes.prometheus import FakePrometheus

SLO = "ttft_p95_ms=400,tpot_p95_ms=100"
WHOLE = ("--partition", "7g.80gb")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def called(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture
def rates(tmp_path: Path) -> str:
    """An hour that doubles its load."""
    file = tmp_path / "rates.csv"
    rows = [f"{60 * n},{4 + n / 15:.3f}" for n in range(61)]
    file.write_text("timestamp,value\n" + "\n".join(rows) + "\n")
    return str(file)


@pytest.fixture
def requests(tmp_path: Path) -> str:
    file = tmp_path / "requests.csv"
    at = np.cumsum(np.random.default_rng(0).exponential(0.2, 3000))
    rows = [f"{t:.3f},{500 + n % 700},{5 + n % 30}" for n, t in enumerate(at)]
    file.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + "\n".join(rows) + "\n")
    return str(file)


def test_a_backtest_answers_in_the_agreed_form(run: Run, rates: str) -> None:
    code, out, _ = run(
        "backtest", "--trace", rates, "--slo", SLO, "--policy", "cynosure,static,hpa,oracle", "--seed", "3",
        "--start-fraction", "0.5", "--lead-seconds", "30", *WHOLE, "--json",
    )  # fmt: skip

    answer = json.loads(out)
    assert code == 0
    assert answer["seed"] == 3
    assert answer["seconds_simulated"] == pytest.approx(1830)
    assert answer["profile"] == "opt-1.3b"
    assert [p["policy"] for p in answer["policies"]] == ["cynosure", "static", "hpa", "oracle"]
    for told in answer["policies"]:
        assert 0.95 <= told["attainment"] <= 1
        assert told["goodput_rps"] == pytest.approx(answer["requests"] * told["attainment"] / 1830)
        assert told["cost"] == told["gpu_hours"] > 0
        assert told["energy_kwh"] > 0
        assert 0 < told["ttft_p95_ms"] <= 400
        assert {"tpot_p95_ms", "e2e_p95_ms", "scale_actions", "dropped", "pareto"} <= set(told)
    oracle = answer["oracle"]
    assert oracle["gpu_hours"] <= min(told["gpu_hours"] for told in answer["policies"])
    assert any(told["pareto"] for told in answer["policies"])


def test_the_same_command_gives_the_same_answer(run: Run, requests: str) -> None:
    def answer() -> dict[str, Any]:
        _, out, _ = run("backtest", "--trace", requests, "--slo", SLO, "--policy", "hpa", "--json", *WHOLE)
        return {key: value for key, value in json.loads(out).items() if key != "wall_seconds"}

    assert answer() == answer()


def test_a_policy_that_cannot_keep_up_costs_the_exit_code_only_if_it_is_ours(run: Run, requests: str) -> None:
    tight = ("--trace", requests, "--slo", "ttft_p95_ms=80", "--gpus", "1", "--peak-rps", "30", "--json", *WHOLE)

    code, out, _ = run("backtest", *tight, "--policy", "hpa,cynosure")
    without, _, _ = run("backtest", *tight, "--policy", "hpa")

    assert [told["objective_met"] for told in json.loads(out)["policies"]] == [False, False]
    assert (code, without) == (1, 0)


def test_one_partition_is_used_where_only_one_is_allowed(run: Run, rates: str) -> None:
    _, out, _ = run("backtest", "--trace", rates, "--slo", SLO, "--partition", "3g.40gb", "--policy", "hpa", "--json")

    assert json.loads(out)["partition"] == "3g.40gb"


def test_images_are_served_too(run: Run, rates: str) -> None:
    code, out, _ = run(
        "backtest", "--trace", rates, "--slo", "e2e_p95_ms=100", "--profile", "resnet-152", "--peak-rps", "200",
        "--policy", "hpa", "--duration-seconds", "300", "--json", *WHOLE,
    )  # fmt: skip

    told = json.loads(out)["policies"][0]
    assert code == 0
    assert told["e2e_p95_ms"] <= 100
    assert told["tpot_p95_ms"] is None


def test_a_table_is_for_people(run: Run, rates: str) -> None:
    code, out, _ = run("backtest", "--trace", rates, "--slo", SLO, "--policy", "static,hpa", *WHOLE)

    assert code == 0
    assert "static" in out
    assert "x oracle" in out


def test_simulate_writes_what_happened_when(run: Run, rates: str, tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.csv"
    code, out, _ = run(
        "simulate", "--trace", rates, "--slo", SLO, "--policy", "hpa", "--timeline", str(timeline), "--json", *WHOLE
    )

    with timeline.open() as file:
        rows = list(csv.DictReader(file))
    answer = json.loads(out)
    assert code == 0
    assert len(answer["timeline"]) == len(rows) == 244
    assert float(rows[-1]["arrival_rps"]) > float(rows[4]["arrival_rps"])
    assert {row["partition"] for row in rows} == {"7g.80gb"}


@pytest.mark.parametrize("scenario", ["metrics-vanish", "traffic-stops", "step-x5"])
def test_a_scenario_is_part_of_the_load(run: Run, rates: str, scenario: str) -> None:
    base = ("simulate", "--trace", rates, "--slo", SLO, "--policy", "static", "--json", *WHOLE)
    plain, changed = (json.loads(run(*base, "--scenario", name)[1]) for name in ("plain", scenario))

    ratio = changed["goodput_rps"] / plain["goodput_rps"]
    assert {"metrics-vanish": ratio == 1, "traffic-stops": ratio < 0.6, "step-x5": ratio > 1.5}[scenario]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--trace", "nowhere.csv"), "nowhere.csv is no file"),
        ((), "--trace: no load given"),
        (("--policy", "hpa,magic"), "'magic' is none; there are cynosure"),
        (("--policy", ","), "nothing to compare"),
        (("--profile", "gpt-9"), "no built-in; there are opt-1.3b, resnet-152"),
        (("--gpu", "TPU"), "it has A100-80GB"),
        (("--gpus", "0"), "--gpus: got 0"),
        (("--partition", "5g.50gb"), "no point for 5g.50gb on A100-80GB"),
        (("--slo", "ttft_p95_ms=1"), "no number of replicas meets"),
        (("--slo", "fast"), "fast"),
        (("--start-fraction", "1"), "--start-fraction: got 1"),
        (("--lead-seconds", "-3"), "--lead-seconds: got -3"),
        (("--profile", "resnet-152"), "which have no tokens"),
        (("--prometheus", "http://127.0.0.1:1"), "needs --service"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(run: Run, rates: str, options: tuple[str, ...], told: str) -> None:
    trace = () if {"--trace", "--prometheus"} & set(options) or not options else ("--trace", rates)
    slo = () if "--slo" in options else ("--slo", SLO)

    code, out, err = run("backtest", *trace, *slo, *options, "--json")

    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "empty"),
        ("timestamp,value\n", "rows"),
        ("timestamp,value\n0,1\n", "2"),
        ("timestamp,value\n0,1\n60,-3\n", "-3"),
        ("timestamp,value\n60,1\n60,1\n", "line 3"),
        ("a,b\n1,2\n", "timestamp"),
        ("timestamp,value\n0,0\n60,0\n", "not one request"),
    ],
    ids=["empty", "header only", "one point", "negative", "twice the same time", "wrong columns", "no request"],
)
def test_a_bad_trace_is_one_line_and_exit_code_2(run: Run, tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content)

    code, _, err = run("backtest", "--trace", str(file), "--slo", SLO)

    assert code == 2
    assert told in err
    assert err.count("\n") == 1


@pytest.fixture
def prometheus() -> Iterator[FakePrometheus]:
    """In a thread of its own: the command has its own event loop."""
    server, loop = FakePrometheus(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(5)
    yield server
    asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_the_history_can_come_from_prometheus(
    run: Run, prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_700_000_040.0
    monkeypatch.setattr("cynosure.twin.history.system_clock", lambda: now)
    monkeypatch.setenv("CYNOSURE_PROMETHEUS_HEADERS", '{"Authorization": "Bearer s3cret"}')
    prometheus.history = [(now - 60 * n, 5.0) for n in range(120, -1, -1)]

    code, out, _ = run(
        "backtest", "--prometheus", prometheus.url, "--service", "shop/chat", "--days", "0.0833", "--slo", SLO,
        "--policy", "hpa", "--start-fraction", "0.5", *WHOLE, "--json",
    )  # fmt: skip

    answer = json.loads(out)
    assert code == 0
    assert 'namespace="shop", service="chat"' in prometheus.queries[-1]
    assert prometheus.authorization == "Bearer s3cret"
    assert answer["requests"] == pytest.approx(3600 * 5, rel=0.1)


def test_a_series_that_is_not_there_is_bad_input(run: Run, prometheus: FakePrometheus) -> None:
    code, _, err = run("backtest", "--prometheus", prometheus.url, "--service", "chat", "--slo", SLO)

    assert code == 2
    assert "no series" in err
