"""Fixtures of the load tests."""

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
