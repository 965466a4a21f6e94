"""What can be wrong with a service. docs/reference/causes.md comes from here."""

from enum import StrEnum
from typing import Self


class Symptom(StrEnum):
    """What is out of bounds, the worst first: findings are told in this order."""

    doc: str

    def __new__(cls, value: str, doc: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member

    NOT_SERVING = "NotServing", "Replicas that are wanted do not become ready, or end again."
    NOT_CONTROLLED = "NotControlled", "What is decided cannot be done, or somebody else decides as well."
    METRICS_ABSENT = "MetricsAbsent", "The load is not known, so nothing is taken away and nothing can be explained."
    SLO_MISSED = "SLOMissed", "More requests miss a target than the SLO allows, beyond chance."
    QUEUE_GROWING = "QueueGrowing", "Requests wait, and more of them all the time."
    THROTTLED = "Throttled", "GPUs run below their clock because they are too hot or lack power."
    POWER_ABOVE_LIMIT = "PowerAboveLimit", "The measured power is above the limit on watts."
    COST_ABOVE_BUDGET = "CostAboveBudget", "What runs costs more an hour than the budget allows."
    GPU_IDLE = "GPUIdle", "Replicas stand that even the busiest hour of the last day did not need."
    SCATTERED = "PartitionsScattered", "The same partitions would stand on fewer GPUs, or leave room for more."
    AT_RISK = "AtRisk", "Nothing is missed yet, and will be at the next change."


class Cause(StrEnum):
    """Why. ``fix`` says what mends it: a directive that the operator proposes, or the field to change."""

    doc: str
    fix: str

    def __new__(cls, value: str, doc: str = "", fix: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        member.fix = fix
        return member

    # Nothing can be sized, written or started.
    PROFILE_MISSING = (
        "ProfileMissing",
        "spec.model.profile names a ModelProfile that is not there.",
        "spec.model.profile: the nearest name that exists",
    )
    PROFILE_UNUSABLE = (
        "ProfileUnusable",
        "The profile has no point on an allowed partition of a GPU that the cluster has.",
        "spec.partitions.allowed: partitions that were measured",
    )
    GPUS_MISSING = "GPUsMissing", "No node has a GPU of an allowed product.", "spec.partitions.gpuProducts"
    WORKLOAD_MISSING = (
        "WorkloadMissing",
        "spec.workloadRef names a Deployment that is not there.",
        "spec.workloadRef.name",
    )
    APPLY_REFUSED = (
        "ApplyRefused",
        "The API server refuses the children, mostly because of a quota or an admission policy.",
        "spec.template",
    )
    IMAGE_UNAVAILABLE = "ImageUnavailable", "The image of the engine cannot be pulled.", "spec.engine.image"
    CONFIGURATION_MISSING = (
        "ConfigurationMissing",
        "The pod refers to a ConfigMap, Secret or key that is not there.",
        "spec.template",
    )
    MEMORY_LIMIT_LOW = (
        "MemoryLimitLow",
        "The engine is killed for more main memory than its limit allows.",
        "spec.template: resources.limits.memory of the container engine, half as much again",
    )
    GPU_MEMORY_SHORT = (
        "GPUMemoryShort",
        "The model does not fit into the memory of its partition.",
        "spec.partitions.allowed: without the present partition",
    )
    LIVENESS_TOO_STRICT = (
        "LivenessTooStrict",
        "The kubelet kills an engine that is slow, not dead.",
        "spec.template: livenessProbe.failureThreshold",
    )
    ENGINE_CRASHES = "EngineCrashes", "The engine ends by itself again and again.", "spec.engine.args"
    MODEL_NOT_LOADED = (
        "ModelNotLoaded",
        "The engine runs and does not become ready in three times the load time of the profile.",
        "spec.model.uri",
    )
    NODES_UNUSABLE = "NodesUnusable", "There are GPUs, on nodes that are cordoned or not ready.", "Node spec"
    NO_ROOM = "NoRoom", "No GPU has room for another replica.", "spec.partitions.allowed, or one more GPU"
    # Somebody's word or limit.
    SECOND_AUTOSCALER = "SecondAutoscaler", "An HPA scales the same workload.", "delete the autoscaler"
    REPLICAS_TAKEN = (
        "ReplicasTaken",
        "Somebody else has set the replicas of the Deployment, so they are left alone.",
        "managedFields of the Deployment",
    )
    EMERGENCY_STOP = (
        "EmergencyStop",
        "The AutomationPolicy says stop while more is needed.",
        "AutomationPolicy spec.stop",
    )
    SERVICE_PAUSED = "ServicePaused", "The service is paused while more is needed.", "directive resume"
    ADVISORY_ONLY = "AdvisoryOnly", "Decisions are shown and not made while more is needed.", "spec.mode"
    PIN_TOO_SMALL = "PinTooSmall", "The number of replicas is pinned below what is needed.", "directive resume"
    INTENT_LIMITS = "IntentLimits", "An intent in force allows less than is needed.", "directive undo"
    MAX_TOO_SMALL = "MaxTooSmall", "scale.max is below what is needed.", "directive scale, with max"
    BUDGET_TOO_SMALL = (
        "BudgetTooSmall",
        "The budget of GPUs or watts is below what the SLO needs.",
        "spec.budget: gpus or watts",
    )
    POLICY_LIMITS = (
        "PolicyLimits",
        "A limit for all services is below what is needed.",
        "AutomationPolicy spec.maxWatts",
    )
    # Nothing is known.
    PROMETHEUS_UNREACHABLE = (
        "PrometheusUnreachable",
        "Prometheus does not answer, or with an error.",
        "CYNOSURE_PROMETHEUS_URL",
    )
    PODS_NOT_SCRAPED = "PodsNotScraped", "Prometheus has no series of the pods at all.", "the scrape configuration"
    SCRAPES_FAIL = "ScrapesFail", "Prometheus asks the pods for metrics and gets no answer.", "spec.engine.port"
    METRIC_NAMES_WRONG = (
        "MetricNamesWrong",
        "The pods are scraped, and none of their series has a name that the operator asks for.",
        "spec.engine.kind",
    )
    SCRAPES_STALE = "ScrapesStale", "The newest sample is too old.", "the scrape interval"
    METRICS_NOT_NUMBERS = "MetricsNotNumbers", "The engine or a recording rule reports NaN.", "the recording rule"
    # More is not what helps.
    SLO_UNREACHABLE = (
        "SLOUnreachable",
        "Even an idle replica of the best allowed partition is slower than a target.",
        "spec.partitions.allowed, or spec.slo.targets",
    )
    GPU_THROTTLED = "GPUThrottled", "The GPU is too hot or lacks power.", "cooling and power of the node"
    BATCH_LIMIT_LOW = (
        "BatchLimitLow",
        "The engine works on fewer requests at a time than it was sized for.",
        "spec.engine.args: --max-num-seqs",
    )
    REQUESTS_LONGER = (
        "RequestsLonger",
        "Prompts or answers are far longer than any that the profile was measured with.",
        "ModelProfile spec.points",
    )
    PROFILE_OPTIMISTIC = (
        "ProfileOptimistic",
        "There are as many replicas as the profile asks for, and they are too slow.",
        "ModelProfile spec.points",
    )
    # More would have helped, earlier.
    INTENT_EXPIRED = "IntentExpired", "An intent that kept more replicas has expired.", "directive scale, with min"
    HISTORY_MISSING = (
        "HistoryMissing",
        "Without a history replicas follow the load instead of going before it.",
        "retention of Prometheus",
    )
    SLOW_START = (
        "SlowStart",
        "Replicas start far slower than the profile says, too late for what comes.",
        "directive scale, with min",
    )
    BURSTS_TOO_FAST = (
        "BurstsTooFast",
        "The load jumps faster than replicas start, again and again.",
        "directive scale, with min",
    )
    # Too much.
    POWER_UNDERRATED = (
        "PowerUnderrated",
        "The profile says less power than is measured, so the limit on watts does not hold.",
        "directive bound on watts, lower by the same ratio",
    )
    COST_UNBOUNDED = (
        "CostUnbounded",
        "Nothing keeps the replicas within the budget for an hour.",
        "directive scale, with max",
    )
    GPUS_FRAGMENTED = (
        "GPUsFragmented",
        "Holes between partitions, of services that shrank, keep GPUs in use or leave no room for what comes next.",
        "directive defragment",
    )
    PRICE_MISSING = "PriceMissing", "No GPUClass has a price in the currency of the budget.", "GPUClass spec.prices"
    PIN_TOO_LARGE = "PinTooLarge", "The number of replicas is pinned far above what is needed.", "directive resume"
    MIN_TOO_LARGE = "MinTooLarge", "scale.min keeps far more than is needed.", "spec.scale.min"
    MIN_BY_INTENT = "MinByIntent", "An intent in force keeps far more than is needed.", "directive undo"
    READINESS_UNPROBED = (
        "ReadinessUnprobed",
        "Without a readiness probe requests go to replicas that still load their model.",
        "spec.template: readinessProbe",
    )
