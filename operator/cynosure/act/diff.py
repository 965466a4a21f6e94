"""Whether something must be written at all."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cynosure.kube.labels import APPLIED, annotations_of
from cynosure.kube.ownership import applied_replicas

Body = dict[str, Any]

_QUANTITY = re.compile(r"^([0-9]+(?:[.][0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")
_SCALE: dict[str, Decimal | int] = {"m": Decimal("0.001"), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SCALE |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def differs(desired: Body, observed: Body | None) -> bool:
    """A wish that changed shows in the digest; a change by somebody else in what we asked for."""
    if observed is None:
        return True
    wished = annotations_of(desired).get(APPLIED) != annotations_of(observed).get(APPLIED)
    return wished or not holds(desired, observed)


def holds(desired: Any, observed: Any) -> bool:
    """Whether all of ``desired`` is in ``observed``, which has defaults and fields of others beside it."""
    if isinstance(desired, Mapping):
        return isinstance(observed, Mapping) and all(
            _is_empty(value) if key not in observed else holds(value, observed[key]) for key, value in desired.items()
        )
    if isinstance(desired, list):
        if not isinstance(observed, list) or len(observed) < len(desired):
            return False
        if all(isinstance(item, Mapping) and "name" in item for item in (*desired, *observed)):
            named = {item["name"]: item for item in observed}
            return all(item["name"] in named and holds(item, named[item["name"]]) for item in desired)
        return all(holds(one, other) for one, other in zip(desired, observed, strict=False))
    return bool(desired == observed) or _same_quantity(desired, observed)


def _is_empty(value: Any) -> bool:
    """The server drops empty objects, lists and strings, and false."""
    return value in ({}, [], "", None, False)


def _same_quantity(one: Any, other: Any) -> bool:
    first, second = (_QUANTITY.match(str(value)) for value in (one, other))
    if first is None or second is None:
        return False
    return Decimal(first[1]) * _SCALE.get(first[2] or "", 1) == Decimal(second[1]) * _SCALE.get(second[2] or "", 1)


def with_replicas(desired: Body, observed: Body | None, wanted: int) -> Body:
    """The manifest to apply: with ``wanted`` replicas when it is new, afterwards as it stands or without.

    A sole owner that leaves the field out resets it to 1, so it repeats what is there; once /scale owns it, it
    must be left out, or the apply would conflict with ourselves.
    """
    if observed is None:
        return {**desired, "spec": {**desired["spec"], "replicas": wanted}}
    if applied_replicas(observed):
        return {**desired, "spec": {**desired["spec"], "replicas": observed["spec"].get("replicas", 1)}}
    return desired
