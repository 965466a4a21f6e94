"""The base of every model here, and validation rules that are stated once for Python and for the API server."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
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
    value, in Python by ``str.format`` and on the server by CEL's ``format`` (``self.minReplicas``).
    ``field`` is the camelCase path below the model that the error points at.
    """

    cel: str
    message: str
    field: str = ""
    forbidden: bool = False

    def manifest(self) -> dict[str, Any]:
        """The entry of ``x-kubernetes-validations``."""
        text, values = _cel_format(self.message)
        entry: dict[str, Any] = {"rule": self.cel}
        if values:
            # Concatenation of string(...) has no cost bound that the server would accept; format() has.
            entry["messageExpression"] = f"{json.dumps(text)}.format([{', '.join(values)}])"
        else:
            entry["message"] = self.message.format()
        if self.field:
            entry["fieldPath"] = f".{self.field}"
        if self.forbidden:
            entry["reason"] = "FieldValueForbidden"
        return entry

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema[VALIDATIONS] = [*schema.get(VALIDATIONS, []), self.manifest()]
        return schema


def _cel_format(template: str) -> tuple[str, list[str]]:
    """A Python template as the text and the arguments of CEL's ``format``."""
    text, values = "", []
    for literal, field, _, _ in Formatter().parse(template):
        text += literal.replace("%", "%%")
        if field is not None:
            text += "%s"
            values.append(".".join(to_camel(name.removesuffix("_")) for name in field.split(".")))
    return text, values


def rule(cel: str, message: str, *, field: str = "") -> Callable[[_Check], _Check]:
    """Mark a method as the Python twin of ``cel``: it is true exactly when the expression is."""

    def mark(check: _Check) -> _Check:
        check.__rule__ = Rule(cel, message, field)  # type: ignore[attr-defined]
        return check

    return mark


def unchanged(path: str) -> str:
    """CEL: an optional field is as it was; comparing ``self.?path`` has no cost bound that the server accepts."""
    new, old = f"self.{path}", f"oldSelf.{path}"
    return f"(has({new}) == has({old}) && (!has({new}) || {new} == {old}))"


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
    @cache
    def checks(cls) -> dict[str, Rule]:
        """The rules of this model by the name of the method that checks them in Python.

        Looked for once a class: a pass over hundreds of services spent half its time in ``dir``.
        """
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
