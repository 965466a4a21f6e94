"""Why a decision is what it is. The value is the constant of status, events, logs and metrics."""

from enum import StrEnum
from typing import Self


class Why(StrEnum):
    doc: str

    def __new__(cls, value: str, doc: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member

    FIRST = "FirstReplicas", "The service is new: it starts with what its limits and forecast ask for."
    FORECAST = "ForecastDemand", "The forecast for when new replicas would be ready needs more than there are."
    PRESENT = "PresentDemand", "The load of this moment, with what waits, needs more than there are."
    CORRECTION = "LatencyAboveTarget", "A target is missed although the model said it would be met: one more."
    LIMIT = "LimitChanged", "A limit (scale, budget or intent) is above or below what there is."
    PINNED = "Pinned", "spec.scale.replicas or an intent names the number."
    DEADLINE = "BatchDeadline", "So many do the images of slo.batch before its deadline."
    SURPLUS = "SurplusCapacity", "Even the upper forecast over the stabilisation window needs less than there is."
    CHEAPER = "CheaperPartition", "Another partition serves the same load for clearly less."
    UNFIT = "PartitionUnfit", "The present partition is no longer allowed or cannot meet the SLO."
    ENOUGH = "EnoughCapacity", "What there is fits what is expected."
    STABILISING = "Stabilising", "Less would do now, but replicas were added recently or the peak ahead needs them."
    NO_EVIDENCE = "NoEvidence", "Less might do, but without a forecast or latencies nothing proves it."
    NO_METRICS = "MetricsAbsent", "The load is not known: the last decision holds."
    RECOVERING = "MetricsRecovering", "Metrics are back; nothing is taken away until they have been for a while."
    UNREACHABLE = "SLOUnreachable", "No measured partition can meet the SLO: what there is stays."
    NO_PROFILE = "ProfileMissing", "Without a profile nothing can be sized: what there is stays."
    FOREIGN = "ReplicasOwned", "Somebody else sets the replicas: they are left alone."
    PAUSED = "Paused", "The service is paused: nothing changes."
    STOPPED = "Stopped", "The AutomationPolicy says stop: nothing changes."
    NO_ROOM = "NoRoom", "More is needed than finds a place."
    MOVING = "Moving", "A replica moves to another GPU: one more serves before the old one goes."
