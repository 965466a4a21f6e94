"""``cynosure size mix``: the cheapest GPUs and partitions for requests of several sizes."""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from cynosure.api.parse import describe
from cynosure.errors import BadInput
from cynosure.model.mig import geometry_of
from cynosure.model.profile import Profile
from cynosure.model.service import Service, ServiceKey, Target
from cynosure.model.signals import Floats
from cynosure.size.answer import write_answer
from cynosure.size.lengths import ALL_ALIKE
from cynosure.size.measured import read_profile
from cynosure.size.mixture import Mixture, cheapest_mixture
from cynosure.size.options import Needs, Sizing, size_service
from cynosure.size.targets import read_targets

Kind = tuple[str, str]
"""A GPU product and its partition."""

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
    buckets = read_buckets(arguments.buckets)
    prices = _prices(arguments.gpu_cost_per_hour, sorted({point.gpu for point in profile.points}))
    kinds = sorted({(point.gpu, point.partition) for point in profile.points})
    costs = [prices[gpu] * geometry_of(gpu).gpu_share(partition) for gpu, partition in kinds]
    sizings = [_sized(bucket, profile, targets) for bucket in buckets]
    able, began = _throughput(sizings, kinds), perf_counter()
    rates = [bucket.rate_rps for bucket in buckets]
    found = cheapest_mixture(rates, able, costs)
    answer: dict[str, Any] = {
        "profile": profile.name,
        "slo": [str(target) for target in targets],
        "kinds": _kinds(found, kinds, costs) if found else [],
        "routes": _routes(found, kinds) if found else [],
        "cost_per_hour": found.cost if found else None,
        "single": _single(rates, able, kinds, costs),
        "optimal": found.optimal if found else False,
        "solve_seconds": perf_counter() - began,
    }
    answer["reason"] = _told(answer) if found else _unserved(buckets, sizings)
    write_answer(answer, [*map(_line, answer["kinds"]), answer["reason"]], as_json=arguments.json)
    return 0 if found else 1


def read_buckets(path: Path) -> tuple[Bucket, ...]:
    """:raises BadInput: naming the file and the field."""
    try:
        found = TypeAdapter(tuple[Bucket, ...]).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise BadInput(f"{path}: {describe(error)}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not JSON ({error}); write a list with one object for each size") from error
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


def _sized(bucket: Bucket, profile: Profile, targets: tuple[Target, ...]) -> Sizing:
    """Size one bucket alone, for so much load that each option has several replicas."""
    needs = Needs(1e6, bucket.input_tokens, bucket.output_tokens, ALL_ALIKE)
    service = Service(ServiceKey("", profile.name), profile.name, targets)
    return size_service(service, profile, needs, targets, {point.gpu for point in profile.points})


def _throughput(sizings: Sequence[Sizing], kinds: Sequence[Kind]) -> Floats:
    able = np.zeros((len(sizings), len(kinds)))
    for bucket, sizing in enumerate(sizings):
        for option in sizing.options:
            kind = kinds.index((option.gpu_product, option.partition))
            able[bucket, kind] = option.capacity_rps / option.replicas
    return able


def _kinds(found: Mixture, kinds: Sequence[Kind], costs: Sequence[float]) -> list[dict[str, Any]]:
    used = [kind for kind, count in enumerate(found.counts) if count]
    return [
        {
            "gpu": kinds[kind][0],
            "partition": kinds[kind][1],
            "replicas": found.counts[kind],
            "load": found.loads[kind],
            "cost_per_hour": found.counts[kind] * costs[kind],
        }
        for kind in used
    ]


def _routes(found: Mixture, kinds: Sequence[Kind]) -> list[dict[str, Any]]:
    return [
        {"bucket": bucket, "gpu": kinds[kind][0], "partition": kinds[kind][1], "rate_rps": found.rates[bucket, kind]}
        for bucket, kind in np.argwhere(found.rates > 0).tolist()
    ]


def _single(
    rates: Sequence[float], able: Floats, kinds: Sequence[Kind], costs: Sequence[float]
) -> dict[str, Any] | None:
    """Return the cheapest answer of one kind for all: what a service runs without weighted routes."""
    alone = {kind: cheapest_mixture(rates, able[:, [kind]], [costs[kind]]) for kind in range(len(kinds))}
    answers = [(found.cost, kinds[kind], found.counts[0]) for kind, found in alone.items() if found]
    if not answers:
        return None
    cost, (gpu, partition), count = min(answers)
    return {"gpu": gpu, "partition": partition, "replicas": count, "cost_per_hour": cost}


def _told(answer: dict[str, Any]) -> str:
    told = f"{answer['cost_per_hour']:.2f} an hour"
    single = answer["single"]
    if single is None:
        return f"{told}; no single kind of partition serves all sizes"
    alone = f"{single['replicas']} x {single['partition']} of {single['gpu']}"
    return f"{told}; the best of one kind, {alone}, costs {single['cost_per_hour']:.2f}"


def _unserved(buckets: Sequence[Bucket], sizings: Sequence[Sizing]) -> str:
    pairs = zip(buckets, sizings, strict=True)
    bucket, sizing = next((b, s) for b, s in pairs if b.rate_rps > 0 and not s.options)
    return f"{bucket.input_tokens:g} input and {bucket.output_tokens:g} output tokens: {sizing.unreachable}"


def _line(kind: dict[str, Any]) -> str:
    return (
        f"{kind['replicas']} x {kind['partition']} of {kind['gpu']}, {kind['load']:.0%} full: "
        f"{kind['cost_per_hour']:.2f} an hour"
    )
