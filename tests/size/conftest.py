"""``cynosure size`` as a shell would run it."""

import argparse
from collections.abc import Callable

import pytest
from cynosure.size.command import register


@pytest.fixture
def size() -> Callable[..., int]:
    def run(*options: str) -> int:
        parser = argparse.ArgumentParser()
        register(parser.add_subparsers())
        arguments = parser.parse_args(["size", *options])
        return int(arguments.run(arguments))

    return run
