"""How the commands of this room answer: lines for people, or one JSON document."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any


def write_answer(answer: Mapping[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    sys.stdout.write(json.dumps(answer, allow_nan=False) + "\n" if as_json else "\n".join(lines) + "\n")
