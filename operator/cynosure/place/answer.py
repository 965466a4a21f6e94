"""The document that ``cynosure place`` prints, and the same in a few lines for people."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cynosure.place.choices import Label
from cynosure.place.need import Holding, Need, Stock
from cynosure.place.patterns import room
from cynosure.place.prices import Prices
from cynosure.place.steps import Step
from cynosure.place.task import Fleet

Document = dict[str, Any]


def answer_of(
    fleet: Fleet,
    needs: list[Need],
    stock: Stock,
    prices: Prices,
    impossible: Sequence[Document] = (),
    reasons: Mapping[Label, str] = MappingProxyType({}),
) -> Document:
    """Return the document that is printed, as far as it does not depend on the clock.

    ``impossible`` was not even tried; ``reasons`` for what is unplaced, where they are known.
    """
    gpus, bound = len(fleet.placed), fleet.fewest_gpus(prices)
    unplaced = [*impossible, *_unplaced(fleet, needs, stock, reasons)]
    return {
        "feasible": not unplaced,
        "optimal": fleet.is_optimal(prices),
        "gap": (gpus - bound) / bound if bound else 0.0,
        "gpus": gpus,
        "lower_bound": bound,
        "solver": fleet.solver,
        "placement": [{"gpu": gpu, "slices": _slices(held)} for gpu, held in sorted(fleet.placed.items())],
        "moves": fleet.moves,
        "unplaced": unplaced,
        "moves_lower_bound": fleet.moves_bound,
        "objective": {"value": fleet.cost / prices.unit, "lower_bound": fleet.cost_bound / prices.unit},
        "partitions": _partitions(fleet.placed),
    }


def step_documents(steps: Sequence[Step]) -> list[Document]:
    """The way from the current placement: what is to be done in which wave, and whom it interrupts."""
    return [
        {
            "wave": step.wave,
            "action": step.action.value,
            "gpu": step.gpu,
            "profile": step.partition.profile,
            "start": step.partition.start,
            "service": step.partition.service,
            "temporary": step.is_temporary,
            "slices_below_floor": step.below_floor,
        }
        for step in steps
    ]


def _unplaced(fleet: Fleet, needs: list[Need], stock: Stock, reasons: Mapping[Label, str]) -> Iterator[Document]:
    product = {need.service: need.product for need in needs}
    room_left: dict[str, str] = {}
    for (service, profile), count in sorted(fleet.unplaced.items()):
        wanted = product[service]
        if wanted not in room_left:
            room_left[wanted] = _room(fleet, wanted, stock)
        reason = f"{count} x {profile} on {wanted} find no place: {room_left[wanted]}"
        told = reasons.get((service, profile), reason)
        yield {"service": service, "profile": profile, "count": count, "reason": told}


def _room(fleet: Fleet, product: str, stock: Stock) -> str:
    gpus = [gpu for gpu, found in stock.products.items() if found == product]
    if not gpus:
        usable = ", ".join(sorted(set(stock.products.values()))) or "none"
        return f"the inventory has no usable {product} (usable: {usable})"
    return room(product, [tuple(held.spot for held in fleet.placed.get(gpu, ())) for gpu in gpus])


def _slices(held: tuple[Holding, ...]) -> list[Document]:
    return [{"profile": each.profile, "start": each.start, "service": each.service} for each in sorted(held)]


def _partitions(placed: Mapping[int, tuple[Holding, ...]]) -> list[Document]:
    counts = Counter((held.service, held.profile) for found in placed.values() for held in found)
    return [{"service": s, "profile": profile, "count": count} for (s, profile), count in sorted(counts.items())]


def lines_of(answer: Document) -> Iterator[str]:
    for gpu in answer["placement"]:
        yield f"GPU {gpu['gpu']}: " + ", ".join(f"{s['profile']}@{s['start']} {s['service']}" for s in gpu["slices"])
    for lacking in answer["unplaced"]:
        yield f"{lacking['service']}: {lacking['reason']}"
    for step in answer.get("steps", ()):
        below = f", {step['slices_below_floor']} slices below its floor" if step["slices_below_floor"] else ""
        told = f"{step['action']} {step['profile']}@{step['start']} of {step['service']} on GPU {step['gpu']}"
        yield f"wave {step['wave']}: {told}{' for a while' if step['temporary'] else ''}{below}"
    proof = "proven optimal" if answer["optimal"] else f"at least {answer['lower_bound']}"
    yield f"{answer['gpus']} GPUs ({proof}), {answer['moves']} moves, {answer['solve_seconds']:.3f} s"
