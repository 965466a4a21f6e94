"""``python -m testbed``: the same as ``cynosure testbed``, for where the control plane's packages are not installed."""

import argparse
import sys

from cynosure.errors import CynosureError

from testbed.command import register


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m testbed")
    register(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["testbed", *sys.argv[1:]])
    try:
        return int(arguments.run(arguments))
    except CynosureError as error:
        print(f"testbed: {error}", file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, ValueError) else 1


if __name__ == "__main__":
    sys.exit(main())
