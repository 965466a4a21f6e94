"""The custom resources as pydantic models: the one source of the CRDs, their reference, and validation.

A kind is a module. ``parse`` reads an object without raising; ``crds.manifests`` is what a cluster is given.
"""

from cynosure.api.automation_policy import AutomationPolicy
from cynosure.api.gpu_class import GPUClass
from cynosure.api.inference_service import InferenceService
from cynosure.api.intent_approval import IntentApproval
from cynosure.api.metadata import API_VERSION, GROUP, VERSION
from cynosure.api.model_profile import ModelProfile
from cynosure.api.parse import Invalid, parse
from cynosure.api.scaling_intent import ScalingIntent
from cynosure.api.traffic_replay import TrafficReplay

__all__ = [
    "API_VERSION",
    "GROUP",
    "VERSION",
    "AutomationPolicy",
    "GPUClass",
    "InferenceService",
    "IntentApproval",
    "Invalid",
    "ModelProfile",
    "ScalingIntent",
    "TrafficReplay",
    "parse",
]
