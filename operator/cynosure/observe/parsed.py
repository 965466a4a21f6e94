"""Custom resources, read once for each version of an object."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from cynosure.api import Invalid, parse
from cynosure.api.metadata import Resource
from cynosure.kube.informer import ObjectKey
from cynosure.kube.port import Body

R = TypeVar("R", bound=Resource)
_Version = tuple[str, str]


class Parsed(Generic[R]):
    """Validation is the dear part of a pass over hundreds of objects that did not change."""

    def __init__(self, kind: type[R]) -> None:
        self._kind = kind
        self._read: dict[_Version, R | Invalid] = {}

    def of(self, bodies: Iterable[Body]) -> dict[ObjectKey, R | Invalid]:
        fresh: dict[_Version, R | Invalid] = {}
        found: dict[ObjectKey, R | Invalid] = {}
        for body in bodies:
            version = (body["metadata"]["uid"], body["metadata"].get("resourceVersion", ""))
            one = self._read.get(version) or parse(self._kind, body)
            fresh[version] = found[ObjectKey.of(body)] = one
        self._read = fresh
        return found
