"""The InferenceService that a ``deploy`` directive asks for, from what the catalogue and the services there are say.

Nothing is made up: the engine comes from ``spec.serving`` of the ModelProfile, else from a service of the same profile
in the same namespace, and where neither says it there is a refusal. So are the targets that the directive leaves open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cynosure.api import API_VERSION, InferenceService, ModelProfile
from cynosure.api.conditions import Reason
from cynosure.api.directive import BoundMetric, Directive, Unit
from cynosure.api.inference_service import Engine
from cynosure.api.parse import describe
from cynosure.api.scalars import MAX_REPLICAS, plain
from cynosure.api.slo import SloTarget
from cynosure.intents.facts import Facts
from cynosure.intents.refusals import Ungrounded, closest

Manifest = dict[str, Any]

USUAL_MAX = 8
"""As ``spec.scale.max`` is by default."""
LATENCIES = (BoundMetric.TTFT, BoundMetric.TPOT, BoundMetric.E2E)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is served. ``origin`` is where that is written."""

    profile: ModelProfile
    engine: Engine
    uri: str | None
    template: dict[str, Any] | None
    targets: tuple[SloTarget, ...]
    origin: str


def manifest_of(directive: Directive, facts: Facts) -> Manifest:
    """Of a grounded directive. Raises ``Ungrounded`` for what is missing or cannot be."""
    recipe = recipe_of(directive, facts)
    metadata = {"name": directive.service, "namespace": directive.namespace}
    model = {"name": recipe.profile.spec.model, "profile": recipe.profile.metadata.name}
    spec = {
        "model": {**model, **({"uri": recipe.uri} if recipe.uri else {})},
        "engine": recipe.engine.body(),
        "template": recipe.template,
        "slo": _slo(directive, recipe),
        "scale": _scale(directive, facts),
        "budget": _budget(directive),
    }
    filled = {name: value for name, value in spec.items() if value}
    manifest = {"apiVersion": API_VERSION, "kind": "InferenceService", "metadata": metadata, "spec": filled}
    try:
        InferenceService.model_validate(manifest)
    except ValidationError as error:
        raise Ungrounded(Reason.INFEASIBLE, f"deploy {directive.service}: {describe(error)}") from error
    return manifest


def recipe_of(directive: Directive, facts: Facts) -> Recipe:
    profile = _profile(directive, facts)
    serving = profile.spec.serving
    if serving is not None:
        origin = f"ModelProfile {profile.metadata.name}"
        return Recipe(profile, serving.engine, serving.uri, None, serving.targets, origin)
    for service in facts.within(directive.namespace or ""):
        spec = service.spec
        if spec.engine is not None and spec.model.profile == profile.metadata.name:
            origin = f"service {service.metadata.name}"
            return Recipe(profile, spec.engine, spec.model.uri, spec.template, spec.slo.targets, origin)
    message = (
        f"deploy {directive.service}: got no engine; limit: spec.serving of ModelProfile {profile.metadata.name}, or a"
        f" service with that profile in namespace {directive.namespace}"
    )
    raise Ungrounded(Reason.INFEASIBLE, message, f"spec.serving in ModelProfile {profile.metadata.name}")


def _profile(directive: Directive, facts: Facts) -> ModelProfile:
    """By the name of the model, with or without its publisher, or by that of the profile."""
    asked = (directive.model or "").lower()
    found = [profile for profile in facts.profiles if asked in {name.lower() for name in models_of(profile)}]
    exact = [profile for profile in found if profile.metadata.name.lower() == asked]
    if not found:
        known = (profile.metadata.name for profile in facts.profiles)
        message = f"model {directive.model}: limit: the models that a ModelProfile was measured for"
        raise Ungrounded(Reason.UNKNOWN_MODEL, message, closest(asked, known))
    if len(found) > 1 and not exact:
        names = ", ".join(sorted(profile.metadata.name for profile in found))
        message = f"model {directive.model}: got several ModelProfiles, {names}; limit: one of them"
        raise Ungrounded(Reason.INFEASIBLE, message, f"deploy {min(names.split(', '))}")
    return (exact or found)[0]


def models_of(profile: ModelProfile) -> frozenset[str]:
    """What its model may be called: with and without the publisher, and as the ModelProfile."""
    model = profile.spec.model
    return frozenset({model, model.rpartition("/")[2], profile.metadata.name})


def _slo(directive: Directive, recipe: Recipe) -> Manifest:
    """A stated latency is the whole SLO; otherwise the targets are those of the recipe."""
    metric, value = directive.metric, directive.value
    targets: Sequence[Manifest] = [target.body() for target in recipe.targets]
    rate: Manifest = {}
    if metric in LATENCIES and value is not None:
        percentile = plain(float(directive.percentile or 0))
        targets = [{"metric": metric.value, "percentile": percentile, "milliseconds": int(value)}]
    elif metric is BoundMetric.ATTAINMENT and value is not None:
        targets = [{**target, "percentile": plain(float(value))} for target in targets]
    elif metric is BoundMetric.ERROR_RATE and value is not None:
        rate = {"errorRatePercent": plain(float(value))}
    if not targets:
        message = f"deploy {directive.service}: got no latency to keep; limit: {recipe.origin} states none either"
        raise Ungrounded(Reason.INFEASIBLE, message, "the same with: with a p95 time to first token under 500 ms")
    return {"targets": [*{(t["metric"], t["percentile"]): t for t in targets}.values()], **rate}


def _scale(directive: Directive, facts: Facts) -> Manifest:
    if directive.factor is not None or directive.delta is not None:
        message = f"deploy {directive.service}: got a relative number; limit: there is nothing yet that it could be of"
        raise Ungrounded(Reason.INFEASIBLE, message, "a number of replicas")
    stated = {"min": directive.min, "max": directive.max, "replicas": directive.replicas}
    given = {name: number for name, number in stated.items() if number is not None}
    limit = facts.policy.max_replicas or MAX_REPLICAS
    for name, number in given.items():
        if number < 1:
            message = f"deploy {directive.service} {name}: got {number}; limit: 1, as nothing could wake it"
            raise Ungrounded(Reason.INFEASIBLE, message, f"{name} 1")
        if number > limit:
            message = f"deploy {directive.service} {name}: got {number}; limit: AutomationPolicy.spec.maxReplicas"
            raise Ungrounded(Reason.OUTSIDE_LIMITS, f"{message}, {limit}", f"{name} {limit}")
    usual = min(max(USUAL_MAX, given.get("min", 0), given.get("replicas", 0)), limit)
    return {"max": usual, **given}


def _budget(directive: Directive) -> Manifest:
    value = directive.value
    match directive.metric:
        case BoundMetric.GPUS if value is not None:
            return {"gpus": int(value)}
        case BoundMetric.WATTS if value is not None:
            return {"watts": int(value)}
        case BoundMetric.COST_PER_HOUR if value is not None:
            return {"costPerHour": plain(float(value)), "currency": "EUR" if directive.unit is Unit.EUR else "USD"}
    return {}
