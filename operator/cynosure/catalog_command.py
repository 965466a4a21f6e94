"""``cynosure catalog``: models and GPUs that there are, what they cost, what they use, and where they fit.

The JSON document is also what ``cynosure ask --catalog`` reads, so that a sentence can be tried without a cluster.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cynosure.api import AutomationPolicy, GPUClass, InferenceService, ModelProfile
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.model_profile import ProfilePoint
from cynosure.caller import add_command, as_caller, every, every_allowed, namespace_of, say
from cynosure.intents.facts import Facts
from cynosure.kube.port import (
    AUTOMATION_POLICIES,
    GPU_CLASSES,
    INFERENCE_SERVICES,
    MODEL_PROFILES,
    Body,
    KubeApi,
)
from cynosure.reconcile.lifecycle.language import catalog_of

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def register(commands: "Commands") -> None:
    parser = add_command(commands, "catalog", "list models and GPUs: licences, partitions that fit, prices, energy")
    parser.add_argument("--json", action="store_true", help="print the document that ask --catalog reads")
    parser.set_defaults(run=_catalog)


def _catalog(arguments: argparse.Namespace) -> int:
    namespace = namespace_of(arguments)

    async def read(api: KubeApi) -> Body:
        profiles = await every(api, MODEL_PROFILES, ModelProfile)
        classes = await every(api, GPU_CLASSES, GPUClass)
        services = await every_allowed(api, INFERENCE_SERVICES, InferenceService, namespace)
        policies = await every_allowed(api, AUTOMATION_POLICIES, AutomationPolicy)
        policy = policies[0].spec if policies else AutomationPolicySpec()
        spoken = catalog_of(Facts(tuple(services), policy, tuple(profiles)), namespace)
        known = spoken.model_dump(mode="json", exclude_none=True, exclude={"models", "has_confidential"})
        return {**known, "models": models_of(profiles, classes), "gpus": [gpu_of(each) for each in classes]}

    found = as_caller(arguments, read)
    say(json.dumps(found) if arguments.json else "\n".join(_lines(found)))
    return 0


def models_of(profiles: Iterable[ModelProfile], classes: Sequence[GPUClass]) -> list[Body]:
    """Each with the partitions that it was measured on; of a product without a GPUClass every profile is possible."""
    offered = {each.spec.product: each.spec.partitions for each in classes}
    return [
        {
            "name": profile.metadata.name,
            "model": profile.spec.model,
            "task": profile.spec.task.value,
            "licence": profile.spec.licence or None,
            "load_seconds": profile.spec.load_seconds,
            "deployable": profile.spec.serving is not None,
            "fits": list(_fits(profile.spec.points, offered)),
        }
        for profile in sorted(profiles, key=lambda each: each.metadata.name)
    ]


def _fits(points: Sequence[ProfilePoint], offered: dict[str, tuple[str, ...]]) -> Iterator[Body]:
    """By product and partition, at the best of its points: throughput is the most, energy the least."""
    for product, partition in sorted({(point.gpu, point.partition) for point in points}):
        here = [point for point in points if (point.gpu, point.partition) == (product, partition)]
        energies = [energy for point in here if (energy := joules(point)) is not None]
        yield {
            "gpu": product,
            "partition": partition,
            "offered": partition in offered[product] if product in offered else None,
            "throughput_rps": max(float(point.throughput_rps) for point in here),
            f"joules_per_{'token' if here[0].output_tokens else 'image'}": min(energies, default=None),
        }


def joules(point: ProfilePoint) -> float | None:
    """Of one output token, or of one image, at the load of this point; None where the power was not measured."""
    if point.watts is None:
        return None
    per_second = float(point.throughput_rps) * (point.output_tokens or 1)
    return round(float(point.watts) / per_second, 4)


def gpu_of(found: GPUClass) -> Body:
    spec = found.spec
    return {
        "name": spec.product,
        "memory_gib": spec.memory_gib,
        "partitions": list(spec.partitions),
        "confidential": spec.confidential,
        "idle_watts": spec.idle_watts,
        "peak_watts": spec.peak_watts,
        "gpus": found.status.gpus,
        "prices": [
            {"region": price.region, "currency": price.currency, "per_gpu_hour": float(price.per_hour)}
            for price in spec.prices
        ],
    }


def _lines(found: Body) -> Iterator[str]:
    for gpu in found["gpus"]:
        prices = [f"{p['per_gpu_hour']:g} {p['currency']} a GPU-hour in {p['region']}" for p in gpu["prices"]]
        kind = ", confidential" if gpu["confidential"] else ""
        yield f"{gpu['name']}: {gpu['gpus']} GPUs, {gpu['memory_gib']} GiB{kind}, {'; '.join(prices) or 'no price'}"
        yield f"  partitions: {', '.join(gpu['partitions'])}"
    for model in found["models"]:
        how = "" if model["deployable"] else ", spec.serving is empty"
        yield f"{model['name']}: {model['model']}, {model['task']}, licence {model['licence'] or 'not stated'}{how}"
        yield from (f"  {_fit(fit)}" for fit in model["fits"])
    if not found["gpus"] and not found["models"]:
        yield "no GPUClass and no ModelProfile; see docs/install.md"


def _fit(fit: Body) -> str:
    unit = "token" if "joules_per_token" in fit else "image"
    energy = fit[f"joules_per_{unit}"]
    used = f"{energy:g} J a {unit}" if energy is not None else "energy not measured"
    missing = ", not offered by its GPUClass" if fit["offered"] is False else ""
    return f"{fit['gpu']} {fit['partition']}: up to {fit['throughput_rps']:g} requests/s, {used}{missing}"
