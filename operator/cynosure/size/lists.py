"""JSON files that hold a list with one object for each GPU, or for each size of request."""

import json
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from cynosure.api.parse import describe
from cynosure.errors import BadInput

_List = TypeVar("_List")


def read_list(path: Path, kind: TypeAdapter[_List], what: str) -> _List:
    """:raises BadInput: naming the file and the field, and ``what`` each object stands for."""
    try:
        return kind.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise BadInput(f"{path}: {describe(error)}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not JSON ({error}); write a list with one object for each {what}") from error
