"""The days before the demo become blocks that a real Prometheus serves."""

import math
import shutil
import subprocess
from pathlib import Path

import pytest

from demo.history import PastLoad, open_metrics
from demo.prometheus import manifests

pytestmark = pytest.mark.slow


def chat(rate: float = 2.0) -> PastLoad:
    return PastLoad("shop", "chat", "llm", lambda at: math.nan if 100 <= at < 200 else rate, 2000.0, 28.0)


def test_counters_rise_by_poisson_arrivals_and_say_nothing_in_a_gap() -> None:
    text = open_metrics([chat()], 0.0, 300.0, 5.0, seed=1)
    lines = [line for line in text.splitlines() if line.startswith("cynosure:requests_total")]
    values = [float(line.split()[-2]) for line in lines]
    assert len(lines) == 40, "20 of the 60 steps are in the gap"
    assert values == sorted(values)
    assert values[-1] == pytest.approx(2.0 * 200, rel=0.15)
    assert text.endswith("# EOF\n")


def test_the_same_seed_gives_the_same_history() -> None:
    assert open_metrics([chat()], 0, 300, 5, seed=1) == open_metrics([chat()], 0, 300, 5, seed=1)
    assert open_metrics([chat()], 0, 300, 5, seed=1) != open_metrics([chat()], 0, 300, 5, seed=2)


def test_promtool_makes_blocks_of_it(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool (Debian package prometheus)")
    source = tmp_path / "history.txt"
    source.write_text(open_metrics([chat()], 1_700_000_000, 1_700_003_600, 5.0, seed=1))
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(source), str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=25)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "data").glob("*/meta.json"))


def test_five_days_of_two_services_fit_into_a_config_map() -> None:
    text = open_metrics([chat(), chat(3.0)], 0, 5 * 600, 5.0, seed=1)
    kinds = [body["kind"] for body in manifests("monitoring", "prometheus:test", "python:test", text, scrape_seconds=2)]
    assert "ConfigMap" in kinds


def test_a_history_that_is_too_large_is_refused_with_the_limit() -> None:
    text = open_metrics([chat(rate=1000.0)], 0, 100_000, 1.0, seed=1)
    with pytest.raises(ValueError, match="do not fit into a ConfigMap; use fewer days"):
        manifests("monitoring", "prometheus:test", "python:test", text, scrape_seconds=2)
