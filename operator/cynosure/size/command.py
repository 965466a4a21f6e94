"""``cynosure size``: how many replicas of which partition a load needs, or how many images GPUs do in time."""

import argparse
import math
from pathlib import Path
from typing import Any

from cynosure.errors import BadInput
from cynosure.model.plan import Option
from cynosure.model.profile import Profile
from cynosure.model.service import Service, ServiceKey, Target
from cynosure.size import deadline_command, fit_command, mixture_command
from cynosure.size.answer import write_answer
from cynosure.size.measured import interpolation_error, read_profile
from cynosure.size.options import Needs, Sizing, price, size_service
from cynosure.size.targets import read_targets


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("size", help="how much a load needs", description=__doc__)
    kinds = parser.add_subparsers(metavar="KIND", required=True)
    _register_llm(kinds.add_parser("llm", help="replicas and partitions of a language model for a rate and an SLO"))
    mixture_command.register(kinds.add_parser("mix", help="GPUs and partitions for requests of several sizes"))
    fit_command.register(kinds.add_parser("fit", help="a profile for your request lengths from measured runs"))
    deadline_command.register(kinds.add_parser("images", help="images that GPUs classify before a deadline"))


def _register_llm(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", type=Path, required=True, metavar="FILE", help="a ModelProfile manifest")
    parser.add_argument("--rate-rps", type=float, required=True, metavar="R")
    parser.add_argument("--input-tokens", type=float, required=True, metavar="I", help="mean of the requests")
    parser.add_argument("--output-tokens", type=float, required=True, metavar="O", help="mean of the requests")
    parser.add_argument("--slo", required=True, metavar="SLO", help='a file, or "ttft_p95_ms=400,tpot_p95_ms=40"')
    parser.add_argument("--gpu", metavar="PRODUCT", help="only this product, such as A100-80GB")
    parser.add_argument("--gpu-cost-per-hour", type=float, default=1.0, metavar="C", help="of a whole GPU")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_llm)


def run_llm(arguments: argparse.Namespace) -> int:
    """Return 1 when no measured partition can meet the SLO. :raises BadInput: for what cannot be read."""
    for name in ("rate_rps", "input_tokens", "output_tokens", "gpu_cost_per_hour"):
        if not 0 < getattr(arguments, name) < math.inf:
            raise BadInput(f"--{name.replace('_', '-')}: got {getattr(arguments, name):g}; must be above 0")
    profile, targets = read_profile(arguments.profile), read_targets(arguments.slo)
    products = {point.gpu for point in profile.points}
    if arguments.gpu is not None and arguments.gpu not in products:
        raise BadInput(f"--gpu: {arguments.profile} has no point on {arguments.gpu!r}; it has {', '.join(products)}")
    service = Service(ServiceKey("", profile.name), profile.name, targets)
    needs = Needs(arguments.rate_rps, arguments.input_tokens, arguments.output_tokens)
    sizing = size_service(service, profile, needs, targets, [arguments.gpu] if arguments.gpu else products)
    options = [_option(option, sizing, profile, arguments.gpu_cost_per_hour) for option in sizing.options]
    reason, notes = _reason(service, sizing, targets), _notes(profile, sizing)
    answer = {
        "profile": profile.name,
        "rate_rps": arguments.rate_rps,
        "slo": [str(target) for target in targets],
        "options": options,
        "chosen": {**options[0], "reason": reason} if options else None,
        "reason": reason,
        "notes": notes,
    }
    write_answer(answer, [*map(_line, options), reason, *notes], as_json=arguments.json)
    return 0 if options else 1


def _option(option: Option, sizing: Sizing, profile: Profile, gpu_cost_per_hour: float) -> dict[str, Any]:
    return {
        "partition": option.partition,
        "gpu": option.gpu_product,
        "batch": option.batch,
        "replicas": option.replicas,
        "capacity_rps": option.capacity_rps,
        "gpus": option.gpu_share,
        "cost_per_hour": option.gpu_share * gpu_cost_per_hour,
        "watts": option.watts or None,
        "attainment": option.attainment,
        "time_error": interpolation_error(profile.on(option.gpu_product, option.partition)),
        "pareto": not any(_dominates(other, option) for other in sizing.options),
    }


def _dominates(one: Option, other: Option) -> bool:
    """Nowhere worse in GPUs, power and attainment, and better in one of them."""
    mine, theirs = ((o.gpu_share, o.watts, -(o.attainment or 0.0)) for o in (one, other))
    return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


def _reason(service: Service, sizing: Sizing, targets: tuple[Target, ...]) -> str:
    if not sizing.options:
        return sizing.unreachable or ""
    best, *others = sizing.options
    promise = ", ".join(map(str, targets))
    told = f"{best.replicas} x {best.partition} is the cheapest that meets {promise}: {price(service, best):.2f} GPUs"
    return f"{told}, next {others[0].partition} with {price(service, others[0]):.2f}" if others else told


def _notes(profile: Profile, sizing: Sizing) -> list[str]:
    """Say what was assumed where one measurement stands for a whole partition."""
    kinds = [(option.gpu_product, option.partition) for option in sizing.options]
    return [
        f"{partition} on {gpu} has one measured point: its times count for every batch up to {points[0].batch}"
        for gpu, partition in kinds
        if len(points := profile.on(gpu, partition)) == 1
    ]


def _line(option: dict[str, Any]) -> str:
    power = "power unknown" if option["watts"] is None else f"{option['watts']:.0f} W"
    return (
        f"{option['replicas']} x {option['partition']} on {option['gpu']}: {option['gpus']:.2f} GPUs, "
        f"{option['capacity_rps']:.1f} rps, {power}, {option['attainment']:.1%} of the requests in time"
    )
