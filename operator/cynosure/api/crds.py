"""The CustomResourceDefinitions, made from the models. An installed program needs no files for them."""

from typing import Any

from cynosure.api.automation_policy import AutomationPolicy
from cynosure.api.gpu_class import GPUClass
from cynosure.api.inference_service import InferenceService
from cynosure.api.intent_approval import IntentApproval
from cynosure.api.metadata import GROUP, VERSION, Column, Resource
from cynosure.api.model_profile import ModelProfile
from cynosure.api.scaling_intent import ScalingIntent
from cynosure.api.schema import structural
from cynosure.api.traffic_replay import TrafficReplay

KINDS: tuple[type[Resource], ...] = (
    InferenceService,
    ScalingIntent,
    IntentApproval,
    ModelProfile,
    GPUClass,
    TrafficReplay,
    AutomationPolicy,
)
CATEGORY = "cynosure"
Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    """One manifest for each kind, ready for server-side apply."""
    return [manifest(kind) for kind in KINDS]


def manifest(resource: type[Resource]) -> Manifest:
    naming = resource.naming
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{naming.plural}.{GROUP}",
            "labels": {"app.kubernetes.io/part-of": "cynosure"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if naming.namespaced else "Cluster",
            "names": {
                "kind": resource.__name__,
                "listKind": f"{resource.__name__}List",
                "plural": naming.plural,
                "singular": resource.__name__.lower(),
                "shortNames": [naming.short],
                "categories": [CATEGORY],
            },
            "versions": [_version(resource)],
        },
    }


def _version(resource: type[Resource]) -> dict[str, Any]:
    subresources: dict[str, Any] = {"status": {}}
    if resource.naming.scalable:
        subresources["scale"] = {
            "specReplicasPath": ".spec.scale.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        }
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": subresources,
        "additionalPrinterColumns": [_column(column) for column in resource.naming.columns],
        "schema": {"openAPIV3Schema": structural(resource)},
    }


def _column(column: Column) -> dict[str, Any]:
    shown = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return {**shown, "priority": 1} if column.wide else shown
