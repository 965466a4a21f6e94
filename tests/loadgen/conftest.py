"""Fixtures of the load tests."""

import asyncio
from pathlib import Path

import pytest

from tests.loadgen.builders import Write


@pytest.fixture
def write_trace(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "trace.csv"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def unsignalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an engine run in a thread: signals reach only the main one, which the test's server has."""
    monkeypatch.setattr(asyncio.BaseEventLoop, "add_signal_handler", lambda *_: None, raising=False)
    monkeypatch.setattr("uvloop.Loop.add_signal_handler", lambda *_: None, raising=False)
