"""The names and limits that a text is read against. They are data: nothing in them is an instruction."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from llm_engine.retrieval import NameIndex

Name = Annotated[str, Field(min_length=1, max_length=253)]


def _name_of(entry: object) -> object:
    """Catalogs list a model, GPU or node by its name, or as an object that has one."""
    return entry["name"] if isinstance(entry, dict) and "name" in entry else entry


_FEW = 32
Names = tuple[Annotated[Name, BeforeValidator(_name_of)], ...]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Service(_Part):
    name: Name
    namespace: Name = "default"
    model: str | None = None
    replicas: Annotated[int, Field(ge=0)] | None = None
    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None
    partition: str | None = None


class Limits(_Part):
    max_replicas: Annotated[int, Field(ge=0)] | None = None
    max_cost_per_hour: Annotated[float, Field(ge=0)] | None = None
    protected_namespaces: Names = ()


class Catalog(_Part):
    """The ``--catalog`` file of ``cynosure ask``. A list that is absent is not known, so it refuses nothing."""

    services: tuple[Service, ...] = ()
    models: Names | None = None
    partitions: Names | None = None
    gpus: Names | None = None
    nodes: Names | None = None
    zones: Names | None = None
    has_confidential: bool | None = None
    """Whether any GPU can run confidential work; None where the catalog does not tell."""
    limits: Limits = Limits()

    @model_validator(mode="before")
    @classmethod
    def _with_confidential(cls, given: object) -> object:
        gpus = given.get("gpus") if isinstance(given, dict) else None
        told = [gpu["confidential"] for gpu in gpus or () if isinstance(gpu, dict) and "confidential" in gpu]
        if not isinstance(given, dict) or not isinstance(gpus, list) or len(told) < len(gpus) or not told:
            return given
        return {"has_confidential": any(told)} | given

    @cached_property
    def service_names(self) -> Mapping[str, Sequence[Service]]:
        """By lower-case name."""
        found: dict[str, list[Service]] = {}
        for service in self.services:
            found.setdefault(service.name.lower(), []).append(service)
        return found

    @cached_property
    def names(self) -> Mapping[str, Mapping[str, str]]:
        """By kind, in the order in which a word is looked up, then by lower-case name."""
        models = (*(self.models or ()), *(service.model for service in self.services if service.model))
        return {
            "service": {lower: found[0].name for lower, found in self.service_names.items()},
            "model": by_lower(models),
            "partition": by_lower(self.partitions),
            "gpu": by_lower(self.gpus),
            "node": by_lower(self.nodes),
            "zone": by_lower(self.zones),
            "namespace": self.namespaces,
        }

    @cached_property
    def all_names(self) -> frozenset[str]:
        """In lower case."""
        return frozenset(name for names in self.names.values() for name in names)

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(service.name for service in self.services)

    def services_like(self, text: str, count: int = _FEW) -> list[str]:
        """At most ``count`` names of services, those that the text may mean first."""
        names = self.names["service"].values()
        if len(names) <= count:
            return list(names)
        return self._index.best(text, count)

    @cached_property
    def namespaces(self) -> dict[str, str]:
        """By lower-case name, the protected ones too."""
        names = (*(service.namespace for service in self.services), *self.limits.protected_namespaces)
        return {name.lower(): name for name in names}


def by_lower(names: Iterable[str] | None) -> dict[str, str]:
    return {name.lower(): name for name in names or ()}


def nearest_partition(name: str, known: Iterable[str]) -> str | None:
    """The partition with as much compute, or nearly, and as much memory."""
    wanted = _sizes(name)
    sized = [(abs(c - wanted[0]), abs(m - wanted[1]), other) for other in known for c, m in [_sizes(other)]]
    return min(sized)[2] if sized else None


def _sizes(partition: str) -> tuple[int, int]:
    found = re.match(r"(\d+)g\.(\d+)gb", partition.lower())
    return (int(found[1]), int(found[2])) if found else (0, 0)


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that ``name`` was probably meant to be."""
    names = by_lower(known)
    found = get_close_matches(name.lower(), sorted(names), n=1, cutoff=cutoff)
    return names[found[0]] if found else None
