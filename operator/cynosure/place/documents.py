"""The files of ``cynosure place``: demand, inventory and current placement, as JSON, and what is wrong with them."""

import json
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cynosure.api.parse import describe
from cynosure.errors import BadInput
from cynosure.model.mig import GEOMETRIES, WHOLE_GPU, Geometry, geometry_of, product_of
from cynosure.model.service import Topology
from cynosure.place.need import Holding

_Name = Annotated[str, Field(min_length=1, max_length=253)]
_Count = Annotated[int, Field(ge=1, le=1_000_000)]
_Positive = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
_Power = Annotated[float, Field(ge=0, le=1e5, allow_inf_nan=False)]
_Number = Annotated[int, Field(ge=0, le=10_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Wish(_Part):
    profile: _Name
    count: _Count


class EvenSpread(_Part):
    """Over nodes or zones, with at most ``max_skew`` partitions more in one than in another."""

    topology: Topology
    max_skew: Annotated[int, Field(ge=1, le=1000)] = 1


class Separation(_Part):
    """No node, or no zone, with partitions of this service and of ``service``; of itself where that is not said."""

    topology: Topology
    service: _Name | None = None


class ServiceDemand(_Part):
    """Either ``partitions``, or ``rate_rps`` at ``latency_ms``. ``gpu`` where it differs from the file's."""

    name: _Name
    gpu: _Name | None = None
    partitions: tuple[Wish, ...] | None = None
    rate_rps: _Positive | None = None
    latency_ms: _Positive | None = None
    spread: tuple[EvenSpread, ...] = ()
    apart_from: tuple[Separation, ...] = ()


class DemandFile(_Part):
    gpu: _Name
    services: tuple[ServiceDemand, ...]

    def product_for(self, service: ServiceDemand) -> str:
        return product_of(service.gpu or self.gpu)


class InventoryGpu(_Part):
    """A GPU; price and power are the same for all of a product, and need to stand once.

    ``fixed``: it may not be touched. What stands on it stays, and nothing is added.
    """

    gpu: _Number
    product: _Name
    node: str = ""
    zone: str = ""
    usable: bool = True
    fixed: bool = False
    cost_per_hour: _Positive | None = None
    idle_watts: _Power | None = None
    peak_watts: _Power | None = None


class InventoryFile(_Part):
    gpus: tuple[InventoryGpu, ...]


class PlacedSlice(_Part):
    profile: _Name
    start: _Number
    service: _Name


class PlacedGpu(_Part):
    gpu: _Number
    slices: tuple[PlacedSlice, ...]


class PlacementFile(_Part):
    """What ``cynosure place --json`` prints; all but the placement is ignored."""

    placement: tuple[PlacedGpu, ...]


File = TypeVar("File", bound=BaseModel)


def read_demand(path: Path) -> DemandFile:
    """:raises BadInput: naming file and field, as all functions here."""
    demand = _read(path, DemandFile)
    names = [service.name for service in demand.services]
    _once(path, "services", "name", names)
    for number, service in enumerate(demand.services):
        where = f"{path}: services[{number}]"
        _one_kind(where, service)
        for place, rule in enumerate(service.apart_from):
            if rule.service is not None and rule.service not in names:
                near = nearest(rule.service, names)
                raise BadInput(f"{where}.apart_from[{place}].service: no service {rule.service!r} is in demand; {near}")
        geometry = geometry_of(demand.product_for(service))
        for place, wish in enumerate(service.partitions or ()):
            _known(f"{where}.partitions[{place}].profile", geometry, wish.profile)
    return demand


def read_inventory(path: Path) -> InventoryFile:
    inventory = _read(path, InventoryFile)
    _once(path, "gpus", "gpu", [gpu.gpu for gpu in inventory.gpus])
    return inventory


def read_current(path: Path, products: dict[int, str] | str) -> dict[int, tuple[Holding, ...]]:
    """Return the partitions by GPU. ``products`` of the inventory, or of all GPUs where there is none."""
    placement = _read(path, PlacementFile, wrap="placement").placement
    _once(path, "placement", "gpu", [gpu.gpu for gpu in placement])
    found = {}
    for number, gpu in enumerate(placement):
        product = products if isinstance(products, str) else products.get(gpu.gpu)
        if product is None:
            raise BadInput(f"{path}: placement[{number}].gpu: {gpu.gpu} is not in the inventory; {_numbers(products)}")
        _check_layout(f"{path}: placement[{number}]", geometry_of(product), gpu.slices)
        found[gpu.gpu] = tuple(Holding(each.start, each.profile, each.service) for each in gpu.slices)
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """Say what exists instead: the names most like it first."""
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names[:12]) or 'none'}"


def _read(path: Path, kind: type[File], *, wrap: str | None = None) -> File:
    try:
        body: Any = json.loads(path.read_text(encoding="utf-8-sig"))
        return kind.model_validate({wrap: body} if wrap and isinstance(body, list) else body)
    except ValidationError as error:
        raise BadInput(f"{path}: {describe(error)}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{path}: not JSON ({error})") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error


def _once(path: Path, field: str, key: str, values: Sequence[object]) -> None:
    seen: dict[object, int] = {}
    for number, value in enumerate(values):
        if value in seen:
            raise BadInput(f"{path}: {field}[{number}].{key}: {value!r} stands in {field}[{seen[value]}] already")
        seen[value] = number


def _one_kind(where: str, service: ServiceDemand) -> None:
    rated = service.rate_rps is not None or service.latency_ms is not None
    if rated and service.partitions:
        raise BadInput(
            f"{where}: {service.name!r} has partitions and a rate; give partitions, or rate_rps and latency_ms"
        )
    if not rated and service.partitions is None:
        raise BadInput(f"{where}: {service.name!r} asks for nothing; give partitions, or rate_rps and latency_ms")
    for field in ("rate_rps", "latency_ms"):
        if rated and getattr(service, field) is None:
            raise BadInput(f"{where}.{field}: missing; a rate needs rate_rps and latency_ms")


def _known(where: str, geometry: Geometry, profile: str) -> None:
    names = [each.name for each in geometry.profiles]
    if profile in names:
        return
    if names == [WHOLE_GPU]:
        close = get_close_matches(geometry.product, GEOMETRIES, n=1)
        hint = f"; did you mean gpu {close[0]}?" if close else ""
        raise BadInput(
            f"{where}: {profile!r}: no MIG profiles of {geometry.product} are known, only a whole {WHOLE_GPU!r}{hint}"
        )
    raise BadInput(f"{where}: {geometry.product} has no {profile!r}; {nearest(profile, names)}")


def _check_layout(where: str, geometry: Geometry, slices: Sequence[PlacedSlice]) -> None:
    for number, each in enumerate(slices):
        field = f"{where}.slices[{number}]"
        _known(f"{field}.profile", geometry, each.profile)
        profile = geometry.profile(each.profile)
        if profile is not None and each.start not in profile.starts:
            close = min(profile.starts, key=lambda start: abs(start - each.start))
            raise BadInput(f"{field}.start: {each.profile} cannot start at {each.start}; the nearest start is {close}")
        before = [(other.profile, other.start) for other in slices[:number]]
        if not geometry.legal([*before, (each.profile, each.start)]):
            free = geometry.free_starts(before, each.profile)
            instead = f"it could start at {', '.join(map(str, free))}" if free else "there is no room for it"
            raise BadInput(f"{field}: {each.profile} at {each.start} does not fit beside those before it; {instead}")


def _numbers(products: dict[int, str] | str) -> str:
    known = sorted(products) if isinstance(products, dict) else []
    return f"it has {known[0]} to {known[-1]}" if known else "it has none"
