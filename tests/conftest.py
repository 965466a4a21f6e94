"""Fixtures of all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, so that a red one is about what changed; --hypothesis-profile default draws new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

pytest_plugins = ["tests.plugins.testbed_fixtures"]

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public traces and measurements, which a checkout of the project alone does not have."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the public traces in ../shared/data (see docs/replay.md for where they come from)")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded, such as the lengths of functions."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
