"""Bounded strings and numbers of the API. Decimals are strings there, so that no client rounds them."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from cynosure.api.part import VALIDATIONS, Rule
from cynosure.api.partitions import PARTITIONS

MAX_REPLICAS = 1000
DECIMAL_PATTERN = r"^[0-9]{1,9}([.][0-9]{1,6})?$"
_DECIMAL = re.compile(DECIMAL_PATTERN)


def plain(value: float) -> str:
    """At most six decimals, without an exponent or idle zeros: 0.1 + 0.2 becomes "0.3"."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def decimal(value: float) -> Decimal:
    """For a computed number: at most six decimals. Raises ``ValueError`` for NaN and infinity."""
    if not math.isfinite(value):
        raise ValueError(f"got {value}; limit: a finite number; leave the field out instead")
    return Decimal(plain(value))


def _decimal(value: Any) -> Decimal | None:
    """Also of numbers, since profile files may have them; None for what is no decimal of ours."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and math.isfinite(value):
        value = plain(value)
    elif isinstance(value, int | Decimal):
        value = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


@dataclass(frozen=True, slots=True)
class _Range:
    """Annotates a Decimal: a quoted decimal outside, between ``low`` and ``high``."""

    limit: str
    example: str
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(10**9)
    above_low: bool = False
    or_integer: bool = False

    def read(self, value: Any) -> Decimal:
        number = _decimal(value)
        if number is None or not self.low <= number <= self.high or (self.above_low and number == self.low):
            shown = {"value": str(value)[:40], "message": self._message()}
            raise PydanticCustomError("decimal", "got {value}; {message}", shown)
        return number

    def write(self, value: Decimal) -> str | int:
        return int(value) if self.or_integer and value == int(value) else f"{value:f}"

    def _message(self) -> str:
        return f"limit: {self.limit}; use one such as {self.example}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(self.write, when_used="json-unless-none")
        return core_schema.no_info_plain_validator_function(self.read, serialization=write)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        least = f"double(self) {'>' if self.above_low else '>='} {float(self.low)}"
        within = f"{least} && double(self) <= {float(self.high)}"
        if self.or_integer:
            cel = f"(type(self) == int || string(self).matches('{DECIMAL_PATTERN}')) && {within}"
            shape: dict[str, Any] = {
                "x-kubernetes-int-or-string": True,
                "anyOf": [{"type": "integer"}, {"type": "string"}],
            }
        else:
            cel = f"self.matches('{DECIMAL_PATTERN}') && {within}"
            shape = {"type": "string"}
        return {**shape, "maxLength": 16, VALIDATIONS: [Rule(cel, self._message()).manifest()]}


@dataclass(frozen=True, slots=True)
class Matching:
    """Annotates a string that must match ``pattern``; ``limit`` says the same in words.

    The schema checks it by a rule and not by its own ``pattern`` and ``minLength``, which would add a second error
    that shows the pattern only.
    """

    pattern: str
    max_length: int
    limit: str
    example: str

    def _message(self) -> str:
        return f"limit: {self.limit}, at most {self.max_length} characters; use one such as {self.example}"

    def read(self, value: str) -> str:
        if not 1 <= len(value) <= self.max_length or not re.search(self.pattern, value):
            shown = {"value": value[:40], "message": self._message()}
            raise PydanticCustomError("string", "got {value}; {message}", shown)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "type": "string",
            "maxLength": self.max_length,
            VALIDATIONS: [Rule(f"self.matches('{self.pattern}')", self._message()).manifest()],
        }


@dataclass(frozen=True, slots=True)
class _OneOf:
    """Annotates a string that is one of ``names``."""

    names: tuple[str, ...]

    def read(self, value: str) -> str:
        if value not in self.names:
            shown = {"value": value[:40], "names": ", ".join(self.names)}
            raise PydanticCustomError("name", "got {value}; use one of {names}", shown)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": list(self.names)}


NonNegative = Annotated[Decimal, _Range("a decimal of 0 or more, at most 6 decimals", '"12.5"')]
Positive = Annotated[Decimal, _Range("a decimal above 0, at most 6 decimals", '"12.5"', above_low=True)]
Fraction = Annotated[Decimal, _Range("a decimal from 0 to 1, at most 6 decimals", '"0.5"', high=Decimal(1))]
Percent = Annotated[Decimal, _Range("a decimal from 0 to 100, at most 6 decimals", '"0.5"', high=Decimal(100))]
Percentile = Annotated[
    Decimal,
    _Range("50 to 99.9", '95, 99 or "99.9"', low=Decimal(50), high=Decimal("99.9"), or_integer=True),
]
"""A whole number, or a quoted decimal."""

Label = Annotated[
    str,
    Matching("^[a-z]([-a-z0-9]*[a-z0-9])?$", 63, "lower-case letters, digits and '-', a letter first", "chat"),
]
"""The name of a service or a namespace."""
ObjectName = Annotated[
    str,
    Matching("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", 253, "lower-case letters, digits, '-' and '.'", "llama-3.1-8b"),
]
ModelName = Annotated[
    str,
    Matching("^[A-Za-z0-9][-A-Za-z0-9._:/@]*$", 253, "letters, digits and -._:/@", "meta-llama/Llama-3.1-8B"),
]
ModelUri = Annotated[
    str,
    Matching(
        "^(hf|s3|gs|oci|pvc|https|file)://[^ ]+$",
        1024,
        "hf://, s3://, gs://, oci://, pvc://, https:// or file:// and a path",
        "hf://meta-llama/Llama-3.1-8B",
    ),
]
HttpUrl = Annotated[
    str, Matching("^https?://[^ ]+$", 1024, "an http or https address", "http://chat.shop.svc:8000/v1/completions")
]
GpuProduct = Annotated[str, Matching("^[A-Za-z0-9][-A-Za-z0-9._]*$", 63, "letters, digits and -._", "A100-80GB")]
Zone = Annotated[str, Matching("^[A-Za-z0-9][-A-Za-z0-9._]*$", 63, "letters, digits and -._", "eu-south-2a")]


def _comes_back(cron: str) -> str:
    """See what a pattern cannot: the API server stores it, and the condition Ready says why it is not used."""
    try:
        next(CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        told = str(error) or "it never comes"
        raise ValueError(f'got "{cron}", {told}; limit: a time that comes; use "0 8 * * 1-5"') from None
    return cron


def _exists(zone: str) -> str:
    if zone not in _zones():
        near = get_close_matches(zone, _zones(), n=1, cutoff=0.5)
        raise ValueError(f"got {zone}; limit: the zones of the IANA list; use {near[0] if near else 'UTC'}")
    return zone


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


Cron = Annotated[
    str,
    Matching(
        "^[-0-9*,/A-Za-z]+( [-0-9*,/A-Za-z]+){4}$",
        64,
        "five fields: minute, hour, day of month, month, weekday",
        '"0 8 * * 1-5"',
    ),
    AfterValidator(_comes_back),
]
TimeZone = Annotated[
    str,
    Matching("^[A-Za-z][-+A-Za-z0-9_]*(/[-+A-Za-z0-9_]+)*$", 64, "a zone of the IANA list", "Europe/Madrid"),
    AfterValidator(_exists),
]
TimeOfDay = Annotated[str, Matching("^([01][0-9]|2[0-3]):[0-5][0-9]$", 5, "HH:MM from 00:00 to 23:59", '"08:30"')]
Currency = Annotated[str, Matching("^[A-Z]{3}$", 3, "an ISO 4217 code", "EUR")]
Digest = Annotated[
    str,
    Matching("^sha256:[0-9a-f]{64}$", 71, "sha256: and 64 hexadecimal digits", "status.plan.digest of the intent"),
]
UserName = Annotated[str, StringConstraints(min_length=1, max_length=253)]

Word = Annotated[str, StringConstraints(max_length=63)]
Line = Annotated[str, StringConstraints(max_length=253)]
Text = Annotated[str, StringConstraints(max_length=2048)]
Time = Annotated[AwareDatetime, WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 40})]

Partition = Annotated[str, _OneOf(PARTITIONS)]
"""A MIG profile, or ``gpu`` for a whole one."""

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
LongCount = Annotated[int, Field(ge=0, le=2**53 - 1)]
Replicas = Annotated[int, Field(ge=0, le=MAX_REPLICAS)]
Seconds = Annotated[int, Field(ge=0, le=366 * 86400)]
