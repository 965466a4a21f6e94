"""``cynosure place``: where partitions go, on how few GPUs, with how few moves, and what is proven of it."""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from cynosure.errors import BadInput
from cynosure.model.mig import geometry_of, product_of
from cynosure.model.service import Apart, ServiceKey, Spread
from cynosure.place.answer import Document, answer_of, lines_of, step_documents
from cynosure.place.choices import Label
from cynosure.place.demand import Limits
from cynosure.place.documents import (
    DemandFile,
    InventoryFile,
    ServiceDemand,
    nearest,
    read_current,
    read_demand,
    read_inventory,
)
from cynosure.place.fleet import place_fleet
from cynosure.place.need import Need, Stock
from cynosure.place.points_file import MeasuredPoint, Points, profile_for, read_points, throughputs
from cynosure.place.prices import GPUS, Prices, money, power
from cynosure.place.ruled import Rules, key_of, place_ruled
from cynosure.place.steps import Step, steps_between
from cynosure.place.task import Fleet

_OBJECTIVES = ("gpus", "cost", "energy")


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("place", help="pack partitions onto GPUs", description=__doc__)
    parser.add_argument("--demand", type=Path, required=True, metavar="FILE", help="JSON: what each service wants")
    parser.add_argument("--current", type=Path, metavar="FILE", help="JSON: a placement as printed; few moves from it")
    parser.add_argument("--inventory", type=Path, metavar="FILE", help="JSON: the GPUs (default: as many as it takes)")
    parser.add_argument("--profiles", type=Path, metavar="FILE", help="CSV: measured points, for services with a rate")
    parser.add_argument("--objective", choices=_OBJECTIVES, default="gpus", help="what is kept low (default: gpus)")
    parser.add_argument("--time-limit-seconds", type=_seconds, default=10.0, metavar="S", help="default: 10")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Return 1 when something finds no place. :raises BadInput: for what cannot be read."""
    demand = read_demand(arguments.demand)
    inventory = read_inventory(arguments.inventory) if arguments.inventory else None
    needs, impossible = _needs(demand, _points(demand, arguments), arguments)
    stock = _stock(demand, inventory, arguments)
    prices = _prices(arguments, inventory, needs)
    began = perf_counter()
    rules, limit = _rules(demand, inventory, arguments), arguments.time_limit_seconds
    reasons: Mapping[Label, str] = {}
    if rules:
        fleet, reasons = place_ruled(needs, stock, rules, prices, time_limit_seconds=limit)
    else:
        fleet = place_fleet(needs, stock, prices, time_limit_seconds=limit)
    seconds = perf_counter() - began
    answer = answer_of(fleet, needs, stock, prices, impossible, reasons)
    answer |= {"solve_seconds": seconds, "objective": {"name": arguments.objective, **answer["objective"]}}
    if arguments.current:
        answer["steps"] = step_documents(_steps(fleet, stock, inventory))
    told = json.dumps(answer, allow_nan=False) if arguments.json else "\n".join(lines_of(answer))
    sys.stdout.write(told + "\n")
    return 0 if answer["feasible"] else 1


def _rules(demand: DemandFile, inventory: InventoryFile | None, arguments: argparse.Namespace) -> Rules:
    spreads, apart = dict[ServiceKey, tuple[Spread, ...]](), list[Apart]()
    for number, service in enumerate(demand.services):
        if (service.spread or service.apart_from) and inventory is None:
            field = "spread" if service.spread else "apart_from"
            raise BadInput(
                f"{arguments.demand}: services[{number}].{field}: without --inventory there are no nodes and zones"
            )
        if service.spread:
            spreads[key_of(service.name)] = tuple(Spread(rule.topology, rule.max_skew) for rule in service.spread)
        for rule in service.apart_from:
            apart.append(Apart(rule.topology, key_of(service.name), key_of(rule.service or service.name)))
    gpus = inventory.gpus if inventory else ()
    sites = {gpu.gpu: (gpu.node, gpu.zone) for gpu in gpus}
    fixed = frozenset(gpu.gpu for gpu in gpus if gpu.fixed)
    return Rules(sites, fixed, Limits(spreads=spreads, apart=tuple(apart)))


def _points(demand: DemandFile, arguments: argparse.Namespace) -> Points:
    if arguments.profiles:
        return read_points(arguments.profiles)
    rated = next((service.name for service in demand.services if service.rate_rps is not None), None)
    if rated is not None:
        raise BadInput(f"{arguments.demand}: {rated!r} has a rate; add --profiles FILE, a CSV with its measured points")
    return {}


def _needs(demand: DemandFile, points: Points, arguments: argparse.Namespace) -> tuple[list[Need], list[Document]]:
    """What can be served, and what no partition can."""
    needs, impossible = [], []
    for number, service in enumerate(demand.services):
        product = demand.product_for(service)
        if service.gpu and not arguments.inventory and product != product_of(demand.gpu):
            raise BadInput(
                f"{arguments.demand}: services[{number}].gpu: {service.gpu!r}: without --inventory all GPUs are "
                f"{demand.gpu}"
            )
        wishes: Counter[str] = Counter()
        for wish in service.partitions or ():
            wishes[wish.profile] += wish.count
        needs += [Need(service.name, product, count, {profile: 1.0}) for profile, count in wishes.items()]
        if service.rate_rps is not None and service.latency_ms is not None:
            if service.name not in points:
                raise BadInput(
                    f"{arguments.demand}: services[{number}].name: {arguments.profiles} has no model "
                    f"{service.name!r}; {nearest(service.name, points)}"
                )
            worth = throughputs(points[service.name], product, service.latency_ms)
            if worth:
                needs.append(Need(service.name, product, service.rate_rps, worth))
            else:
                impossible.append(_too_slow(service, points[service.name], product))
    return needs, impossible


def _too_slow(service: ServiceDemand, points: tuple[MeasuredPoint, ...], product: str) -> Document:
    """Name the point that comes nearest."""
    fitting = [p for p in points if p.throughput_rps > 0 and profile_for(product, p.gpcs) is not None]
    if not fitting:
        largest = max(geometry_of(product).profiles, key=lambda profile: profile.compute_slices).name
        reason = f"{service.name} fits into no partition of {product} in the measured points"
        return {"service": service.name, "profile": largest, "count": 1, "reason": reason}
    best = min(fitting, key=lambda point: (point.latency_ms, -point.throughput_rps))
    profile = profile_for(product, best.gpcs)
    name = profile.name if profile else ""
    count = math.ceil((service.rate_rps or 0.0) / best.throughput_rps)
    reason = (
        f"no measured point of {service.name} is below {service.latency_ms:g} ms; the quickest is {name} with "
        f"{best.latency_ms:g} ms"
    )
    return {"service": service.name, "profile": name, "count": count, "reason": reason}


def _stock(demand: DemandFile, inventory: InventoryFile | None, arguments: argparse.Namespace) -> Stock:
    if inventory is None:
        product = product_of(demand.gpu)
        standing = read_current(arguments.current, product) if arguments.current else {}
        return Stock({}, standing, product)
    products = {gpu.gpu: product_of(gpu.product) for gpu in inventory.gpus}
    standing = read_current(arguments.current, products) if arguments.current else {}
    return Stock({gpu.gpu: products[gpu.gpu] for gpu in inventory.gpus if gpu.usable or gpu.fixed}, standing)


def _steps(fleet: Fleet, stock: Stock, inventory: InventoryFile | None) -> tuple[Step, ...]:
    products = {gpu: stock.product_of(gpu) or "" for gpu in {*stock.standing, *fleet.placed}}
    products |= {gpu.gpu: product_of(gpu.product) for gpu in inventory.gpus} if inventory else {}
    return steps_between(dict(stock.standing), fleet.placed, products, stock)


def _prices(arguments: argparse.Namespace, inventory: InventoryFile | None, needs: list[Need]) -> Prices:
    gpus, products = inventory.gpus if inventory else (), sorted({need.product for need in needs})
    if arguments.objective == "energy":
        idle, peak = (_stated(arguments.inventory, gpus, field) for field in ("idle_watts", "peak_watts"))
        return power(products, idle, peak)
    stated = _stated(arguments.inventory, gpus, "cost_per_hour") if arguments.objective == "cost" else {}
    if not stated:
        return GPUS
    if unknown := [product for product in products if product not in stated]:
        raise BadInput(f"{arguments.inventory}: no cost_per_hour for {unknown[0]}; state it at one of its GPUs")
    return money(stated)


def _stated(path: Path, gpus: Any, field: str) -> dict[str, float]:
    """The price or power of each product; it may stand at one GPU or at all."""
    found: dict[str, float] = {}
    for number, gpu in enumerate(gpus):
        value, product = getattr(gpu, field), product_of(gpu.product)
        if value is not None and found.setdefault(product, value) != value:
            raise BadInput(f"{path}: gpus[{number}].{field}: {value:g}, but {found[product]:g} for another {product}")
    return found


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got {text}; must be above 0")
    return value
