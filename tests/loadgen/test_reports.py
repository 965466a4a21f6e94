"""Two reports side by side: one that was sent, and one that the twin simulated."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes, Status
from loadgen.report import Report, report_of, write_report
from loadgen.reports_command import run, side_by_side
from loadgen.slo import Slo
from tests.loadgen.builders import evenly

SLO = Slo.parse("ttft_p95_ms=400")


def told(*, ttft_seconds: float = 0.1, simulated: bool = False, broken: int = 0) -> Report:
    schedule = evenly(200, 20.0)
    every = np.ones(200)
    lag = np.full(200, np.nan) if simulated else 0.002 * every
    status = np.zeros(200, np.int64)
    status[:broken] = Status.CONNECTION
    engine = "twin" if simulated else "builtin"
    counts, due = 3 * np.ones(200, np.int64), schedule.send_at_seconds
    outcomes = Outcomes(
        due, lag, ttft_seconds * every, 0.5 * every, counts, schedule.kind, status, 20.0, engine,
        {"completion": "chat"}, {"seed": 7},
    )  # fmt: skip
    return report_of(outcomes, SLO)


def test_what_both_know_is_compared_and_what_one_cannot_know_is_absent() -> None:
    rows = {name: (a, b) for name, a, b in side_by_side(told(), told(ttft_seconds=0.12, simulated=True))}

    assert rows["ttft_ms_p95"] == (pytest.approx(100), pytest.approx(120))
    assert rows["ttft_p95_ms=400"] == (1.0, 1.0)
    assert rows["offered"] == (200, 200)
    assert rows["rate_wape"] == (pytest.approx(0), None)
    assert rows["late"] == (0, None), "nothing is known, which is not zero"


@pytest.mark.parametrize(("broken", "code"), [(0, 0), (40, 1)])
def test_the_exit_code_says_whether_the_verdicts_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: int, code: int
) -> None:
    assert run(_files(tmp_path, told(), told(simulated=True, broken=broken), as_json=False)) == code
    printed = capsys.readouterr()
    assert "builtin         twin  difference" in printed.out
    assert printed.err == ""


def test_reports_of_other_schedules_are_not_taken_for_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = {**told(), "schedule": {"seed": 8}}
    run(_files(tmp_path, told(), other, as_json=True))
    printed = capsys.readouterr()
    assert json.loads(printed.out)["same_schedule"] is False
    assert "different schedules" in printed.err


@pytest.mark.parametrize("text", ["", "[]", '{"verdict": {}}', "\xff"])
def test_what_is_no_report_is_named(tmp_path: Path, text: str) -> None:
    files = _files(tmp_path, told(), told(), as_json=False)
    files.second.write_text(text, encoding="latin-1")
    with pytest.raises(BadLoadInput, match=r"second\.json: no report of a replay"):
        run(files)


def _files(folder: Path, first: Report, second: Report, *, as_json: bool) -> argparse.Namespace:
    arguments = argparse.Namespace(first=folder / "first.json", second=folder / "second.json", json=as_json)
    write_report(first, arguments.first)
    write_report(second, arguments.second)
    return arguments
