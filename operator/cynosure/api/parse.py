"""From an object as the API server sends it to a model, without ever raising: a bad object is a fact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cynosure.api.conditions import Reason
from cynosure.api.metadata import Resource

R = TypeVar("R", bound=Resource)

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why an object cannot be used; ``message`` names each field, and goes into a condition as it is."""

    name: str
    namespace: str
    message: str
    reason: Reason = Reason.SPEC_INVALID


def parse(kind: type[R], body: Mapping[str, Any]) -> R | Invalid:
    """Fields that this version does not know are ignored: a newer one may have written them."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        metadata = body.get("metadata") if isinstance(body, Mapping) else None
        known = metadata if isinstance(metadata, Mapping) else {}
        return Invalid(str(known.get("name", "")), str(known.get("namespace", "")), describe(error))


def describe(error: ValidationError) -> str:
    """One line: the path of each field and what is wrong with it, the first few of them."""
    found = _innermost(error.errors(include_url=False, include_context=False, include_input=False))
    lines = [f"{_path(entry['loc'])}: {entry['msg'].removeprefix('Value error, ')}" for entry in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"and {len(found) - _SHOWN} more")
    return "; ".join(lines)


def _innermost(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without what only follows: a list with a bad item is also said to lack that item."""
    places = [entry["loc"] for entry in errors]
    return [e for e in errors if not any(place[: len(e["loc"])] == e["loc"] != place for place in places)]


def _path(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".") or "object"
