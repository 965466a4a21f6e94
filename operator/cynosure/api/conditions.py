"""The conditions that appear in ``status``, and the reasons they give. docs/reference/conditions.md comes from here.

All are positive: True is good, False is bad, Unknown is in progress. One that does not concern an object is absent.
"""

from enum import StrEnum
from typing import Self


class Type(StrEnum):
    """What a condition is about."""

    doc: str

    def __new__(cls, value: str, doc: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member

    READY = (
        "Ready",
        "The summary: the object does what it asks for. Its reason is that of the first condition in the way.",
    )
    PROFILE_KNOWN = "ProfileKnown", "The ModelProfile is there and has points that this service may use."
    METRICS_AVAILABLE = (
        "MetricsAvailable",
        "The load of the service is known from fresh metrics. While it is not, nothing is scaled down.",
    )
    FORECAST_READY = "ForecastReady", "There is enough history for a forecast that beats the last value."
    PLACED = "Placed", "Every replica that is wanted has a partition on a GPU."
    SLO_MET = "SLOMet", "The measured latencies and errors are within the SLO."
    CONFLICT_FREE = "ConflictFree", "Nobody else writes what Cynosure writes, and no intent contradicts another."
    WORKLOAD_APPLIED = "WorkloadApplied", "The Deployment, Service and PodDisruptionBudget are as decided."
    WITHIN_BUDGET = "WithinBudget", "What is needed for the SLO fits the budget. Absent without a budget."

    FAULT_FREE = "FaultFree", "Nothing is out of bounds beyond chance. Absent until a service was looked at."

    GROUNDED = "Grounded", "The sentence became directives about things that exist."
    MODEL_AVAILABLE = (
        "ModelAvailable",
        "A language model answered. Where it did not, the built-in grammar read the text.",
    )
    PLANNED = "Planned", "The dry run is done, and its plan can be approved."
    APPROVED = "Approved", "Somebody who may has approved this very plan, or the AutomationPolicy allows it without."
    APPLIED = "Applied", "The plan is in force."
    VERIFIED = "Verified", "Live metrics show the effect that was asked for."

    ACCEPTED = "Accepted", "An IntentApproval counts."

    TRACE_FOUND = "TraceFound", "The trace of a TrafficReplay could be read."
    STARTED = "Started", "The replay sends, or has sent; with the twin, is or was simulated."
    COMPLETE = "Complete", "The replay has ended and its report is written."


class Reason(StrEnum):
    """Why a condition is as it is. ``types`` are the conditions that give it; Ready may repeat any of them."""

    doc: str
    types: tuple[Type, ...]

    def __new__(cls, value: str, types: tuple[Type, ...] = (), doc: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.types = types
        member.doc = doc
        return member

    # Ready
    SERVING = "Serving", (Type.READY,), "All replicas that are wanted serve, and nothing is in the way."
    PROGRESSING = "Progressing", (Type.READY, Type.WORKLOAD_APPLIED), "Replicas are starting, moving or draining."
    PAUSED = "Paused", (Type.READY,), "spec.mode is Paused: nothing is changed."
    ADVISORY = "Advisory", (Type.READY,), "spec.mode is Advisory: decisions are shown and change nothing."
    STOPPED = (
        "Stopped",
        (Type.READY, Type.APPLIED, Type.VERIFIED, Type.STARTED, Type.COMPLETE),
        "The AutomationPolicy has stop: true; only people change anything.",
    )
    SPEC_INVALID = (
        "SpecInvalid",
        (Type.READY,),
        "The object was stored before a rule existed that it breaks; the message names the field.",
    )
    RECOGNISED = "Recognised", (Type.READY,), "The object is valid and in use."

    # ProfileKnown
    PROFILE_FOUND = "ProfileFound", (Type.PROFILE_KNOWN,), "The profile has points for this service."
    PROFILE_MISSING = "ProfileMissing", (Type.PROFILE_KNOWN,), "There is no ModelProfile of this name."
    PROFILE_INVALID = "ProfileInvalid", (Type.PROFILE_KNOWN, Type.READY), "The ModelProfile contradicts itself."
    NO_USABLE_POINT = (
        "NoUsablePoint",
        (Type.PROFILE_KNOWN,),
        "No point of the profile is on an allowed partition and GPU.",
    )

    # MetricsAvailable
    METRICS_FOUND = "MetricsFound", (Type.METRICS_AVAILABLE,), "Every signal that sizing needs is fresh."
    METRICS_MISSING = (
        "MetricsMissing",
        (Type.METRICS_AVAILABLE,),
        "Prometheus answers and has no series for the service.",
    )
    METRICS_STALE = "MetricsStale", (Type.METRICS_AVAILABLE,), "The newest sample is too old to decide on."
    METRICS_NAN = "MetricsNaN", (Type.METRICS_AVAILABLE,), "The value is not a finite number."
    PROMETHEUS_ERROR = (
        "PrometheusError",
        (Type.METRICS_AVAILABLE, Type.TRACE_FOUND, Type.COMPLETE),
        "Prometheus does not answer, or with an error.",
    )

    # ForecastReady
    FORECAST_FITTED = (
        "ForecastFitted",
        (Type.FORECAST_READY,),
        "The winning method beats the last value on the held-out end.",
    )
    HISTORY_SHORT = (
        "HistoryShort",
        (Type.FORECAST_READY,),
        "The history is shorter than a season; the message says how much is missing.",
    )
    HISTORY_MISSING = "HistoryMissing", (Type.FORECAST_READY,), "There is no history; sizing follows the present load."

    # Placed, WithinBudget
    ALL_PLACED = "AllPlaced", (Type.PLACED,), "Every partition that is wanted stands."
    PLACING = "Placing", (Type.PLACED,), "Partitions are planned and their pods are not there yet."
    NO_ROOM = "NoRoom", (Type.PLACED,), "No GPU has room; the message says what is missing and what would fit."
    NO_GPUS = "NoGPUs", (Type.PLACED,), "The cluster has no GPU of an allowed product."
    SLO_UNREACHABLE = (
        "SLOUnreachable",
        (Type.PLACED, Type.SLO_MET),
        "No measured point meets the SLO, however many replicas.",
    )
    BUDGET_FITS = "BudgetFits", (Type.WITHIN_BUDGET,), "The choice costs no more than the budget."
    BUDGET_LIMITS = (
        "BudgetLimits",
        (Type.WITHIN_BUDGET,),
        "The SLO needs more than the budget allows; the budget holds.",
    )
    REPLICAS_LIMITED = (
        "ReplicasLimited",
        (Type.WITHIN_BUDGET,),
        "The SLO needs more replicas than scale.max or a bound allows.",
    )
    PRICE_UNKNOWN = (
        "PriceUnknown",
        (Type.WITHIN_BUDGET,),
        "There is a limit on cost and no GPUClass with a price in its currency; no replica is added until one has.",
    )

    # SLOMet
    WITHIN_SLO = "WithinSLO", (Type.SLO_MET,), "Every target is met in the last window."
    SLO_MISSED = (
        "SLOMissed",
        (Type.SLO_MET,),
        "A target is missed in the last window; the message says which and by how much.",
    )
    LATENCY_UNKNOWN = "LatencyUnknown", (Type.SLO_MET,), "There was no traffic, or no metric, to measure."

    # ConflictFree, WorkloadApplied
    NO_CONFLICT = "NoConflict", (Type.CONFLICT_FREE,), "Nobody else is involved."
    REPLICAS_OWNED = (
        "ReplicasOwned",
        (Type.CONFLICT_FREE,),
        "Somebody else set the replicas of the Deployment; the message names them.",
    )
    SECOND_AUTOSCALER = (
        "SecondAutoscaler",
        (Type.CONFLICT_FREE,),
        "An HPA or a KEDA ScaledObject targets the same workload.",
    )
    FIELD_OWNED = (
        "FieldOwned",
        (Type.CONFLICT_FREE, Type.WORKLOAD_APPLIED),
        "Another field manager owns a field that Cynosure would set.",
    )
    INTENTS_CONTRADICT = (
        "IntentsContradict",
        (Type.CONFLICT_FREE,),
        "Two intents in force cannot both hold; the message says which does.",
    )
    WORKLOAD_IN_SYNC = "WorkloadInSync", (Type.WORKLOAD_APPLIED,), "The children are as decided."
    APPLY_REFUSED = (
        "ApplyRefused",
        (Type.WORKLOAD_APPLIED, Type.APPLIED, Type.STARTED, Type.COMPLETE),
        "The API server refuses what should be written; the message repeats it.",
    )
    API_UNAVAILABLE = (
        "APIUnavailable",
        (Type.WORKLOAD_APPLIED, Type.APPLIED),
        "The API server did not answer; it is tried again.",
    )
    WORKLOAD_MISSING = (
        "WorkloadMissing",
        (Type.WORKLOAD_APPLIED,),
        "spec.workloadRef names a Deployment that is not there.",
    )

    # FaultFree
    NO_FAULT_FOUND = "NoFaultFound", (Type.FAULT_FREE,), "Nothing is out of bounds over the window."
    CAUSE_FOUND = (
        "CauseFound",
        (Type.FAULT_FREE,),
        "Something is out of bounds; the message begins with its cause, one of docs/reference/causes.md.",
    )

    # Grounded
    UNDERSTOOD = "Understood", (Type.GROUNDED,), "All directives are about things that exist."
    QUESTION_OPEN = "QuestionOpen", (Type.GROUNDED,), "Something must be answered first: status.question, spec.answers."
    UNKNOWN_SERVICE = "UnknownService", (Type.GROUNDED,), "No InferenceService has this name."
    UNKNOWN_MODEL = "UnknownModel", (Type.GROUNDED,), "No ModelProfile is of this model."
    UNKNOWN_PARTITION = "UnknownPartition", (Type.GROUNDED,), "No GPU here has such a partition."
    PROTECTED_NAMESPACE = "ProtectedNamespace", (Type.GROUNDED,), "The AutomationPolicy protects the namespace."
    OUTSIDE_LIMITS = "OutsideLimits", (Type.GROUNDED,), "More than the AutomationPolicy allows."
    INFEASIBLE = "Infeasible", (Type.GROUNDED, Type.PLANNED), "Nothing that can be placed would do it."
    NOT_AN_INTENT = "NotAnIntent", (Type.GROUNDED,), "The text asks for nothing that Cynosure does."
    UNSAFE_REQUEST = "UnsafeRequest", (Type.GROUNDED,), "The text tries to make Cynosure do something else."
    CONTRADICTION = "Contradiction", (Type.GROUNDED,), "The text wants two things that exclude each other."

    # ModelAvailable
    MODEL_ANSWERED = "ModelAnswered", (Type.MODEL_AVAILABLE,), "The language model read the text."
    MODEL_UNREACHABLE = (
        "ModelUnreachable",
        (Type.MODEL_AVAILABLE,),
        "It did not answer in time; the grammar read the text.",
    )
    MODEL_OUTPUT_INVALID = (
        "ModelOutputInvalid",
        (Type.MODEL_AVAILABLE,),
        "Its answer does not fit the schema; the grammar read the text.",
    )

    # Planned, Approved
    NOTHING_TO_GAIN = (
        "NothingToGain",
        (Type.PLANNED,),
        "No moves that keep every service at its replicas would free a GPU; the message has the figures.",
    )
    PLAN_READY = "PlanReady", (Type.PLANNED,), "status.plan has the diff and its digest."
    PLANNING = "Planning", (Type.PLANNED,), "The dry run is not done yet."
    PLAN_STALE = "PlanStale", (Type.PLANNED,), "The cluster changed since; a new plan is being made."
    AWAITING_APPROVAL = "AwaitingApproval", (Type.APPROVED,), "An IntentApproval with the digest of the plan is needed."
    APPROVED_BY_PERSON = "ApprovedByPerson", (Type.APPROVED,), "An IntentApproval counts."
    APPROVED_BY_POLICY = "ApprovedByPolicy", (Type.APPROVED,), "The AutomationPolicy allows it without a person."
    DENIED = "Denied", (Type.APPROVED,), "An IntentApproval says Denied."
    POLICY_FORBIDS = "PolicyForbids", (Type.APPROVED,), "The AutomationPolicy does not allow it without a person."

    # Applied, Verified
    IN_FORCE = "InForce", (Type.APPLIED,), "What was planned is written and bounds planning."
    APPLYING = "Applying", (Type.APPLIED,), "It is being written."
    UNDONE = "Undone", (Type.APPLIED,), "Another intent took it back."
    EXPIRED = "Expired", (Type.APPLIED, Type.APPROVED), "spec.expires has passed."
    SUPERSEDED = "Superseded", (Type.APPLIED, Type.APPROVED), "A newer intent replaces it."
    EFFECT_SEEN = "EffectSeen", (Type.VERIFIED,), "Metrics show that every bound holds."
    MEASURING = "Measuring", (Type.VERIFIED,), "The window of measurement is not over."
    MOVING = "Moving", (Type.VERIFIED,), "Replicas are being moved, one after the other; the message says how far."
    GRACE_PERIOD = "GracePeriod", (Type.VERIFIED,), "A deletion waits, so that an undo keeps the service untouched."
    EFFECT_MISSED = (
        "EffectMissed",
        (Type.VERIFIED,),
        "A bound does not hold, or a move was not made in time; the message says which and by how much.",
    )
    NOTHING_TO_VERIFY = "NothingToVerify", (Type.VERIFIED,), "The directives change nothing that could be measured."

    # Accepted
    DECISION_COUNTS = "DecisionCounts", (Type.ACCEPTED,), "It is about the present plan, by somebody who may."
    DIGEST_STALE = "DigestStale", (Type.ACCEPTED,), "It is about another plan than the present one."
    SELF_APPROVAL = (
        "SelfApproval",
        (Type.ACCEPTED,),
        "The approver asked for it, and the AutomationPolicy has selfApproval: false.",
    )
    INTENT_MISSING = "IntentMissing", (Type.ACCEPTED,), "There is no ScalingIntent of this name in the namespace."
    APPROVER_UNPROVEN = (
        "ApproverUnproven",
        (Type.ACCEPTED,),
        "The admission policies are not served or not bound, so the name proves nothing.",
    )
    INTENT_CLOSED = "IntentClosed", (Type.ACCEPTED,), "The intent is applied, undone, expired or superseded already."

    # TrafficReplay
    TRACE_READ = "TraceRead", (Type.TRACE_FOUND,), "The trace was read."
    TRACE_MISSING = (
        "TraceMissing",
        (Type.TRACE_FOUND, Type.COMPLETE),
        "There is no such trace; the message has the nearest one. It is looked for again.",
    )
    TRACE_INVALID = (
        "TraceInvalid",
        (Type.TRACE_FOUND, Type.COMPLETE),
        "The trace cannot be read or shaped as asked; the message says where. A change of the spec is tried anew.",
    )
    TRACE_TOO_LARGE = (
        "TraceTooLarge",
        (Type.TRACE_FOUND, Type.COMPLETE),
        "The schedule does not fit into a ConfigMap, or is too much for the twin; the message says how much would fit.",
    )
    TARGET_MISSING = (
        "TargetMissing",
        (Type.STARTED, Type.COMPLETE),
        "There is no such InferenceService, or no ModelProfile that says what it takes. It is looked for again.",
    )
    TARGET_NOT_ALLOWED = (
        "TargetNotAllowed",
        (Type.STARTED, Type.COMPLETE),
        "The host of the address is not in CYNOSURE_REPLAY_HOSTS.",
    )
    NOT_SUPPORTED = (
        "NotSupported",
        (Type.TRACE_FOUND, Type.STARTED, Type.COMPLETE),
        "The operator does not do what is asked; the message says what works.",
    )
    NAME_TAKEN = (
        "NameTaken",
        (Type.STARTED, Type.COMPLETE),
        "A ConfigMap or Job of that name belongs to somebody else, and is left alone.",
    )
    PREPARING = "Preparing", (Type.STARTED, Type.COMPLETE), "The schedule is built, and the pods are being made."
    SENDING = "Sending", (Type.STARTED, Type.COMPLETE), "Requests are being sent."
    FINISHED = "Finished", (Type.STARTED, Type.COMPLETE), "Every worker told what it sent, and the report is written."
    SIMULATING = (
        "Simulating",
        (Type.STARTED, Type.COMPLETE),
        "The twin plays the schedule to the service as it is now; nothing is sent.",
    )
    SIMULATED = (
        "Simulated",
        (Type.STARTED, Type.COMPLETE),
        "The twin has played the whole schedule, and the report is written. Nothing was sent.",
    )
    SIMULATION_FAILED = (
        "SimulationFailed",
        (Type.STARTED, Type.COMPLETE),
        "The twin had no answer; the message says why, and there is no verdict.",
    )
    CANCELLED = (
        "Cancelled",
        (Type.STARTED, Type.COMPLETE),
        "spec.cancel stopped it; what is known of it is reported, without a verdict.",
    )
    WORKER_FAILED = (
        "WorkerFailed",
        (Type.STARTED, Type.COMPLETE),
        "A sending pod failed, and its outcomes are lost; the report is in part, without a verdict.",
    )
