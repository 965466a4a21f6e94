"""What one value may be: the common form of an OpenAPI schema and of an Ansible argument spec."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Type = Literal["string", "integer", "number", "boolean", "list", "object", "free"]

_OF_ANSIBLE: Mapping[str, Type] = {
    "str": "string", "path": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "list",
    "dict": "object", "raw": "free", "jsonarg": "free", "json": "free", "bytes": "string", "bits": "string",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """One value: its type, and its limits.

    ``least`` and ``most`` bound a number, the characters of a string, or the length of a list; ``decimal`` bounds the
    number that a string holds. ``choices`` are all values that there are. ``fields`` of an object without any are free.
    Of the names in one of ``together`` all or none are given, of those in one of ``exclusive`` at most one, of those in
    one of ``needed`` one or more; where a field has the value that ``implied`` says, those named behind it are given. A
    list with ``keys`` takes every item once, told apart by these fields or as a whole.
    """

    name: str
    type: Type
    choices: tuple[Any, ...] = ()
    least: float | None = None
    most: float | None = None
    pattern: str | None = None
    decimal: tuple[float, float] | None = None
    item: "Option | None" = None
    fields: tuple["Option", ...] = ()
    is_required: bool = False
    default: Any = None
    keys: tuple[str, ...] | None = None
    together: tuple[tuple[str, ...], ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()
    needed: tuple[tuple[str, ...], ...] = ()
    implied: tuple[tuple[str, Any, tuple[str, ...]], ...] = ()


def of_schema(name: str, schema: Mapping[str, Any], *, is_required: bool = False) -> Option:
    """From an OpenAPI schema as a CustomResourceDefinition has it.

    Of its rules in CEL those are read that are about one string, or that want one of some fields; the others are for a
    judge to condition on.
    """
    each = [str(rule.get("rule", "")) for rule in schema.get("x-kubernetes-validations", ())]
    rules, alone = " && ".join(each), tuple(names for rule in each if (names := _one_of(rule)))
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    bounded = _BOUNDED[_type(schema)]
    return Option(
        name=name,
        type=_type(schema),
        choices=tuple(schema.get("enum", ())),
        least=schema.get(f"min{bounded}"),
        most=schema.get(f"max{bounded}"),
        pattern=schema.get("pattern") or _found(_MATCHES, rules) or _FORMATS.get(schema.get("format", "")),
        decimal=_decimal(rules),
        item=of_schema(name, schema["items"]) if "items" in schema else None,
        fields=tuple(of_schema(key, value, is_required=key in required) for key, value in properties.items()),
        is_required=is_required,
        default=schema.get("default"),
        keys=_KEYED.get(schema.get("x-kubernetes-list-type", ""), tuple(schema.get("x-kubernetes-list-map-keys", ()))),
        exclusive=alone,
        needed=alone,
    )


_KEYED: Mapping[str, tuple[str, ...] | None] = {"": None, "atomic": None, "set": ()}
_FORMATS = {"date-time": r"^\d{4}-\d{2}-\d{2}T"}
_MATCHES = re.compile(r"self\)?\.matches\('(.+?)'\)")
_LEAST = re.compile(r"double\(self\) >=? (-?[\d.]+)")
_MOST = re.compile(r"double\(self\) <=? (-?[\d.]+)")


_HAS = r"(?:has\(self\.\w+\)|\(size\(self\.\w+\) > 0\))"
_ONE_OF = re.compile(rf"{_HAS} != {_HAS}|\[{_HAS}(?:, {_HAS})*\]\.filter\(x, x\)\.size\(\) == 1")


def _one_of(rule: str) -> tuple[str, ...]:
    """The fields of which a rule wants exactly one; none if that is not what it says."""
    return tuple(re.findall(r"self\.(\w+)", rule)) if _ONE_OF.fullmatch(rule) else ()


def _found(pattern: re.Pattern[str], rules: str) -> str | None:
    match = pattern.search(rules)
    return match[1] if match else None


def _decimal(rules: str) -> tuple[float, float] | None:
    low, high = _found(_LEAST, rules), _found(_MOST, rules)
    return (float(low), float(high)) if low is not None and high is not None else None


_BOUNDED: Mapping[Type, str] = {
    "string": "Length", "integer": "imum", "number": "imum", "list": "Items", "object": "Properties",
    "boolean": "", "free": "",
}  # fmt: skip


def _type(schema: Mapping[str, Any]) -> Type:
    if schema.get("x-kubernetes-int-or-string"):
        return "integer"
    types: Mapping[str, Type] = {"array": "list"}
    said = schema.get("type", "free")
    return types.get(said, said)


def of_argument_spec(name: str, spec: Mapping[str, Any], **rules: Any) -> Option:
    """From the argument spec of an Ansible module; ``rules`` are mutually_exclusive, required_together and so on."""
    return _of_argument(name, {"type": "dict", "options": spec, **rules})


def _of_argument(name: str, spec: Mapping[str, Any]) -> Option:
    kind = _OF_ANSIBLE.get(spec.get("type", "str"), "free")  # a type may also be a function of the module
    inner, choices = spec.get("options") or {}, spec.get("choices") or ()
    element = {"type": spec.get("elements", "str"), "options": inner, "choices": choices}
    return Option(
        name=name,
        type=kind,
        choices=tuple(choices) if kind != "list" else (),
        item=_of_argument(name, element) if kind == "list" else None,
        fields=tuple(_of_argument(key, one) for key, one in inner.items()) if kind == "object" else (),
        is_required=bool(spec.get("required")),
        default=spec.get("default"),
        together=_groups(spec.get("required_together")),
        exclusive=_groups(spec.get("mutually_exclusive")),
        needed=_groups(spec.get("required_one_of")),
        implied=tuple((key, value, tuple(names)) for key, value, names, *_ in spec.get("required_if") or ()),
    )


def _groups(rules: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group) for group in rules or ())
