"""Pydantic models to structural OpenAPI v3 schemas, as a CustomResourceDefinition wants them.

Differences that are mended here: no ``$ref``, no ``null`` (absent is absent), no titles, and integers have a format.
"""

from collections.abc import Mapping
from typing import Any

from cynosure.api.metadata import Resource

Schema = dict[str, Any]

_KEPT = (
    "description", "type", "format", "x-kubernetes-int-or-string", "anyOf", "default", "enum", "pattern",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields",
    "required", "properties", "items", "x-kubernetes-validations",
)  # fmt: skip
_DROPPED = frozenset({"title", "$defs"})
_ANYTHING = ("additionalProperties", True)
_INT32 = 2**31 - 1


def structural(resource: type[Resource]) -> Schema:
    """The schema of one kind, root included. Raises ``ValueError`` for what no structural schema can say."""
    raw = resource.model_json_schema(by_alias=True, mode="validation")
    properties = raw["properties"]
    spec = _convert(properties["spec"], raw["$defs"])
    status = _convert(properties["status"], raw["$defs"])
    status.pop("default", None)
    root: Schema = {
        "description": " ".join(raw["description"].split()).replace("``", "`"),
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string", "maxLength": 63},
            "kind": {"type": "string", "maxLength": 63},
            "metadata": _metadata(resource),
            "spec": spec,
            "status": status,
        },
    }
    if "default" not in spec:
        root["required"] = ["spec"]
    if "x-kubernetes-validations" in raw:
        root["x-kubernetes-validations"] = raw["x-kubernetes-validations"]
    return root


def _metadata(resource: type[Resource]) -> Schema:
    """The one thing that a CRD may say about metadata is what the name looks like."""
    return {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": resource.naming.max_name_length}},
    }


def _convert(raw: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    node = _without_null(_resolved(raw, definitions), definitions)
    schema: Schema = {}
    for key, value in node.items():
        if key in _DROPPED or (key == "default" and value is None) or (key, value) == _ANYTHING:
            continue
        if key == "properties":
            schema[key] = {name: _convert(child, definitions) for name, child in value.items()}
        elif key == "items":
            schema[key] = _convert(value, definitions)
        elif key == "const":
            schema["enum"] = [value]
        elif key in _KEPT:
            schema[key] = value
        else:
            raise ValueError(f"{key}: no structural schema has it; in {node}")
    return _finished(schema)


def _resolved(raw: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """Follow a ``$ref``; what stands beside it (description, default) wins over what it points at."""
    node = dict(raw)
    while "$ref" in node:
        target = definitions[node.pop("$ref").removeprefix("#/$defs/")]
        node = {**target, **node}
    return node


def _without_null(node: Schema, definitions: Mapping[str, Any]) -> Schema:
    """``X | None`` is X that may be absent."""
    choices = node.get("anyOf")
    if choices is None or "x-kubernetes-int-or-string" in node:
        return node
    some = [choice for choice in choices if choice != {"type": "null"}]
    if len(some) != 1:
        raise ValueError(f"anyOf: a structural schema has no unions; in {node}")
    outer = {key: value for key, value in node.items() if key != "anyOf"}
    return {**_resolved(some[0], definitions), **outer}


def _defaults(schema: Schema) -> Schema:
    """Spelt out, since the server tries the rules of an object on its default before it fills in those inside."""
    return {name: child["default"] for name, child in schema["properties"].items() if "default" in child}


def _finished(schema: Schema) -> Schema:
    if schema.get("type") == "integer":
        schema["format"] = "int32" if schema.get("maximum", _INT32 + 1) <= _INT32 else "int64"
    if "default" in schema and schema.get("type") == "object":
        schema["default"] = _defaults(schema)
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].split()).replace("``", "`")
    return {key: schema[key] for key in _KEPT if key in schema}
