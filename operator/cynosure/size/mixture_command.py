"""``cynosure size mix``: the cheapest GPUs and partitions for requests of several sizes."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter

from cynosure.errors import BadInput
from cynosure.model.mig import geometry_of
from cynosure.model.profile import Profile
from cynosure.model.service import Target
from cynosure.size.answer import write_answer
from cynosure.size.lists import read_list
from cynosure.size.measured import read_profile
from cynosure.size.size_classes import Kind, Shared, SizeClass, cheapest_shared, kinds_of, sized_alone
from cynosure.size.targets import read_targets

_Tokens = Annotated[float, Field(gt=0, le=1e7, allow_inf_nan=False)]


class Bucket(BaseModel):
    """Requests of about one size."""

    input_tokens: _Tokens
    output_tokens: _Tokens
    rate_rps: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", type=Path, required=True, metavar="FILE", help="a ModelProfile manifest")
    parser.add_argument(
        "--buckets",
        type=Path,
        required=True,
        metavar="FILE",
        help="a JSON list: input_tokens, output_tokens, rate_rps",
    )
    parser.add_argument("--slo", required=True, metavar="SLO", help='a file, or "ttft_p95_ms=400,tpot_p95_ms=40"')
    parser.add_argument(
        "--gpu-cost-per-hour", default="1", metavar="C", help="of a whole GPU; or A100-80GB=3.67,A30-24GB=1.01"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Return 1 when no measured partition serves a bucket. :raises BadInput: for what cannot be read."""
    profile, targets = read_profile(arguments.profile), read_targets(arguments.slo)
    buckets, kinds = read_buckets(arguments.buckets), kinds_of(profile)
    prices = _prices(arguments.gpu_cost_per_hour, sorted({gpu for gpu, _ in kinds}))
    costs = [prices[gpu] * geometry_of(gpu).gpu_share(partition) for gpu, partition in kinds]
    classes = [SizeClass(b.input_tokens, b.output_tokens, b.rate_rps) for b in buckets]
    began = perf_counter()
    found = cheapest_shared(classes, profile, targets, kinds, costs)
    single = _single(classes, profile, targets, kinds, costs)
    answer: dict[str, Any] = {
        "profile": profile.name,
        "slo": [str(target) for target in targets],
        "kinds": _kinds(found, costs) if found else [],
        "routes": _routes(found) if found else [],
        "cost_per_hour": found.mixture.cost if found else None,
        "single": single,
        "optimal": found.mixture.optimal if found else False,
        "solve_seconds": perf_counter() - began,
    }
    answer["reason"] = _told(answer) if found else _unserved(classes, profile, targets)
    write_answer(answer, [*map(_line, answer["kinds"]), answer["reason"]], as_json=arguments.json)
    return 0 if found else 1


def read_buckets(path: Path) -> tuple[Bucket, ...]:
    """:raises BadInput: naming the file and the field."""
    found = read_list(path, TypeAdapter(tuple[Bucket, ...]), "size")
    if not any(bucket.rate_rps for bucket in found):
        raise BadInput(f"{path}: no bucket has a rate_rps above 0; write one object for each size")
    return found


def _prices(text: str, products: Sequence[str]) -> dict[str, float]:
    """Return the price of each product: one number for all, or ``product=number`` for each."""
    parts = [part.strip().rpartition("=") for part in text.split(",")]
    stated = {product: price for product, _, price in parts}
    try:
        prices = {product: float(stated.get(product, stated.get("", "nan"))) for product in products}
    except ValueError as error:
        raise BadInput(f"--gpu-cost-per-hour: {error}; write a number, or A100-80GB=3.67,A30-24GB=1.01") from error
    wrong = next((product for product, price in prices.items() if not 0 < price < math.inf), None)
    if wrong:
        raise BadInput(f"--gpu-cost-per-hour: got {text!r}; {wrong} needs a price above 0, as {wrong}=1.5")
    return prices


def _kinds(found: Shared, costs: Sequence[float]) -> list[dict[str, Any]]:
    mixture = found.mixture
    return [
        {
            "gpu": found.kinds[kind][0],
            "partition": found.kinds[kind][1],
            "replicas": count,
            "load": mixture.loads[kind],
            "attainment": found.attainment[kind],
            "cost_per_hour": count * costs[kind],
        }
        for kind, count in enumerate(mixture.counts)
        if count
    ]


def _routes(found: Shared) -> list[dict[str, Any]]:
    rates = found.mixture.rates
    places = [(bucket, kind, found.kinds[kind]) for bucket, kind in np.argwhere(rates > 0).tolist()]
    return [
        {"bucket": bucket, "gpu": gpu, "partition": partition, "rate_rps": float(rates[bucket, kind])}
        for bucket, kind, (gpu, partition) in places
    ]


def _single(
    classes: Sequence[SizeClass],
    profile: Profile,
    targets: tuple[Target, ...],
    kinds: tuple[Kind, ...],
    costs: Sequence[float],
) -> dict[str, Any] | None:
    """Return the cheapest answer of one kind for all: what a service runs without weighted routes."""
    alone = [
        (found.mixture.cost, kind, found.mixture.counts[0])
        for kind, cost in zip(kinds, costs, strict=True)
        if (found := cheapest_shared(classes, profile, targets, (kind,), [cost])) is not None
    ]
    if not alone:
        return None
    cost, (gpu, partition), count = min(alone)
    return {"gpu": gpu, "partition": partition, "replicas": count, "cost_per_hour": cost}


def _told(answer: dict[str, Any]) -> str:
    told = f"{answer['cost_per_hour']:.2f} an hour"
    single = answer["single"]
    if single is None:
        return f"{told}; no single kind of partition serves all sizes"
    alone = f"{single['replicas']} x {single['partition']} of {single['gpu']}"
    return f"{told}; the best of one kind, {alone}, costs {single['cost_per_hour']:.2f}"


def _unserved(classes: Sequence[SizeClass], profile: Profile, targets: tuple[Target, ...]) -> str:
    for of in classes:
        if of.rps > 0 and not (sizing := sized_alone(of, profile, targets)).options:
            return f"{of.input_tokens:g} input and {of.output_tokens:g} output tokens: {sizing.unreachable}"
    return "each size is served alone, but no partition keeps the SLO for those that would share it; separate them"


def _line(kind: dict[str, Any]) -> str:
    what = f"{kind['replicas']} x {kind['partition']} of {kind['gpu']}, {kind['load']:.0%} full"
    return f"{what}, {kind['attainment']:.1%} in time: {kind['cost_per_hour']:.2f} an hour"
