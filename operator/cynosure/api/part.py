"""The base of every model here, and validation rules that are stated once for Python and for the API server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

VALIDATIONS = "x-kubernetes-validations"

_Check = TypeVar("_Check", bound=Callable[[Any], bool])


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL expression of which the API server demands the truth.

    ``message`` says what was got, what the limit is, and what would work. Its ``{self.min_replicas}`` becomes the
    value, in Python by ``str.format`` and on the server by a message expression (``self.minReplicas``).
    ``field`` is the camelCase path below the model that the error points at.
    """

    cel: str
    message: str
    field: str = ""
    forbidden: bool = False

    def manifest(self) -> dict[str, Any]:
        parts = list(_message_parts(self.message))
        entry: dict[str, Any] = {"rule": self.cel}
        if all(part.startswith('"') for part in parts):
            entry["message"] = self.message
        else:
            entry["messageExpression"] = " + ".join(parts)
        if self.field:
            entry["fieldPath"] = f".{self.field}"
        if self.forbidden:
            entry["reason"] = "FieldValueForbidden"
        return entry

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema[VALIDATIONS] = [*schema.get(VALIDATIONS, []), self.manifest()]
        return schema


def _message_parts(template: str) -> Iterator[str]:
    for literal, field, _, _ in Formatter().parse(template):
        if literal:
            yield json.dumps(literal)
        if field is not None:
            yield f"string({'.'.join(map(_camel, field.split('.')))})"


def rule(cel: str, message: str, *, field: str = "") -> Callable[[_Check], _Check]:
    """Mark a method as the Python twin of ``cel``: it is true exactly when the expression is."""

    def mark(check: _Check) -> _Check:
        check.__rule__ = Rule(cel, message, field)  # type: ignore[attr-defined]
        return check

    return mark


class Part(BaseModel):
    """A piece of a resource: camelCase outside, frozen, and patient with fields that a newer version knows."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    transitions: ClassVar[tuple[Rule, ...]] = ()
    """What an update may not do; only the API server, which knows the old object, can tell."""

    @classmethod
    def checks(cls) -> dict[str, Rule]:
        """The rules of this model by the name of the method that checks them in Python."""
        found = {name: getattr(getattr(cls, name), "__rule__", None) for name in dir(cls) if not name.startswith("_")}
        return {name: marked for name, marked in found.items() if marked is not None}

    @model_validator(mode="after")
    def _holds(self) -> Self:
        for name, marked in type(self).checks().items():
            if not getattr(self, name)():
                raise ValueError(marked.message.format(self=self))
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        reference = handler(core)
        rules = [*cls.checks().values(), *cls.transitions]
        if rules:
            handler.resolve_ref_schema(reference)[VALIDATIONS] = [entry.manifest() for entry in rules]
        return reference

    def body(self) -> dict[str, Any]:
        """JSON-ready, camelCase, without what is absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _camel(name: str) -> str:
    return to_camel(name.removesuffix("_"))
