"""From out-of-bounds metrics to the directive or configuration that is missing or wrong. Pure."""

from cynosure.diagnose.causes import Cause, Symptom
from cynosure.diagnose.diagnosis import diagnose
from cynosure.diagnose.evidence import Engine, Evidence, Expired, Fragmented, Pod, Sample, SloStep, Worth, sample_of
from cynosure.diagnose.finding import Clue, FieldChange, Finding, Fix, Proposal
from cynosure.diagnose.fragmentation import fragmented

__all__ = [
    "Cause",
    "Clue",
    "Engine",
    "Evidence",
    "Expired",
    "FieldChange",
    "Finding",
    "Fix",
    "Fragmented",
    "Pod",
    "Proposal",
    "Sample",
    "SloStep",
    "Symptom",
    "Worth",
    "diagnose",
    "fragmented",
    "sample_of",
]
