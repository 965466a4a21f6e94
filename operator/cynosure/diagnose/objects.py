"""Rules about objects: what keeps replicas from becoming ready, and who else decides."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches

from cynosure.api.conditions import Reason, Type
from cynosure.diagnose.causes import Cause, Symptom
from cynosure.diagnose.evidence import Pod
from cynosure.diagnose.finding import Clue, FieldChange, Finding, Fix
from cynosure.diagnose.view import View
from cynosure.model.condition import Status

_CERTAIN = 0.98
_LIKELY = 0.9
_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"})
_CONFIGURATION = frozenset({"CreateContainerConfigError", "CreateContainerError"})
_GPU_MEMORY = ("cuda out of memory", "outofmemoryerror", "kv cache is larger", "no available memory for the cache")
_KILLED = 137
"""Exit code after SIGKILL: by the kernel for memory, or by the kubelet after a probe."""
_CRASHES = 3
"""Fewer restarts may be a node's."""
_SLOW_LOADS = 3.0
_SOONEST_SECONDS = 120.0
"""No model is called late before."""


def broken(view: View) -> Iterator[Finding]:
    """What cannot be sized, written or started."""
    for rule in (_profile, _gpus, _workload, _pods, _nodes, _probe):
        yield from rule(view)


def _finding(cause: Cause, message: str, clue: Clue, fix: Fix, confidence: float = _CERTAIN) -> Finding:
    return Finding(cause, Symptom.NOT_SERVING, message, (clue,), fix, confidence)


def _profile(view: View) -> Iterator[Finding]:
    name, key = view.evidence.service.profile, view.evidence.service.key
    clue = Clue(f"InferenceService {key} spec.model.profile", name, ", ".join(view.evidence.profiles[:8]))
    if (said := view.says(Type.PROFILE_KNOWN, Reason.PROFILE_MISSING)) is not None:
        near = get_close_matches(name, view.evidence.profiles, 1, 0.4)
        fix: Fix = (
            view.own("spec.model.profile", near[0], name)
            if near
            else FieldChange(f"ModelProfile {name}", "spec.points", "measure the model and apply it")
        )
        yield _finding(Cause.PROFILE_MISSING, said, clue, fix)
    elif view.says(Type.PLACED, Reason.NO_GPUS) is not None:
        return  # without a GPU no point of any profile can be used
    elif (said := view.says(Type.PROFILE_KNOWN, Reason.NO_USABLE_POINT)) is not None:
        profile = view.evidence.profile
        measured = sorted({point.partition for point in profile.points}) if profile else []
        allowed = ", ".join(view.evidence.service.partitions) or "all"
        fix = view.own("spec.partitions.allowed", ", ".join(measured) or "a measured partition", allowed)
        yield _finding(Cause.PROFILE_UNUSABLE, said, clue, fix)


def _gpus(view: View) -> Iterator[Finding]:
    wanted = ", ".join(view.evidence.service.gpu_products) or "any product"
    known = sorted({gpu.product for gpu in view.evidence.gpus})
    clue = Clue("ResourceSlices and node labels", ", ".join(known) or "no GPU", wanted)
    if (said := view.says(Type.PLACED, Reason.NO_GPUS)) is not None:
        fix = (
            view.own("spec.partitions.gpuProducts", ", ".join(known), wanted)
            if known
            else FieldChange("the cluster", "GPU driver", "one that publishes the GPUs of a node")
        )
        yield _finding(Cause.GPUS_MISSING, said, clue, fix)


def _workload(view: View) -> Iterator[Finding]:
    if (said := view.says(Type.WORKLOAD_APPLIED, Reason.WORKLOAD_MISSING)) is not None:
        fix = view.own("spec.workloadRef.name", "a Deployment of the namespace")
        yield _finding(Cause.WORKLOAD_MISSING, said, Clue("WorkloadApplied", "False", "True"), fix)
    if (said := view.says(Type.WORKLOAD_APPLIED, Reason.APPLY_REFUSED)) is not None:
        fix = view.own("spec.template", "without what the API server refuses")
        yield _finding(Cause.APPLY_REFUSED, said, Clue("WorkloadApplied", "False", "True"), fix)


def _pods(view: View) -> Iterator[Finding]:
    """The first rule that knows a pod explains it; each cause is told once."""
    told: set[Cause] = set()
    for pod in view.pods:
        found = next((finding for rule in _POD_RULES if (finding := rule(view, pod)) is not None), None)
        if found is not None and found.cause not in told:
            told.add(found.cause)
            yield found


def _clue(view: View, pod: Pod, field: str, value: str, limit: str = "") -> Clue:
    return Clue(f"Pod {view.evidence.service.key.namespace}/{pod.name} status.containerStatuses.{field}", value, limit)


def _image(view: View, pod: Pod) -> Finding | None:
    if pod.waiting not in _PULL:
        return None
    image = view.evidence.engine.image if view.evidence.engine else ""
    fix = view.own("spec.engine.image", "an image that the node can pull", image)
    message = f"{pod.name} waits for its image: {pod.waiting_message or pod.waiting}"
    return _finding(Cause.IMAGE_UNAVAILABLE, message, _clue(view, pod, "state.waiting.reason", pod.waiting), fix)


def _configuration(view: View, pod: Pod) -> Finding | None:
    if pod.waiting not in _CONFIGURATION:
        return None
    fix = view.own("spec.template", "refers to a ConfigMap, Secret and key that exist")
    message = f"{pod.name} cannot be made: {pod.waiting_message or pod.waiting}"
    return _finding(Cause.CONFIGURATION_MISSING, message, _clue(view, pod, "state.waiting.reason", pod.waiting), fix)


def _memory(view: View, pod: Pod) -> Finding | None:
    if pod.ended != "OOMKilled":
        return None
    engine = view.evidence.engine
    limit = engine.memory_limit_gib if engine else None
    after = f"{1.5 * limit:.3g}Gi" if limit else "more than now"
    fix = view.container("resources.limits.memory", after, f"{limit:.3g}Gi" if limit else "")
    message = f"{pod.name} was killed for its memory, {pod.restarts} times"
    return _finding(Cause.MEMORY_LIMIT_LOW, message, _clue(view, pod, "lastState.terminated.reason", pod.ended), fix)


def _gpu_memory(view: View, pod: Pod) -> Finding | None:
    if not any(words in pod.ended_message.lower() for words in _GPU_MEMORY):
        return None
    option = view.evidence.decision.option if view.evidence.decision else None
    profile = view.evidence.profile
    measured = sorted({point.partition for point in profile.points}) if profile else []
    others = [partition for partition in measured if option is None or partition != option.partition]
    fix = view.own(
        "spec.partitions.allowed", ", ".join(others) or "a larger partition", option.partition if option else ""
    )
    message = f"{pod.name} ended without enough GPU memory: {pod.ended_message[:200]}"
    return _finding(Cause.GPU_MEMORY_SHORT, message, _clue(view, pod, "lastState.terminated.message", "no memory"), fix)


def _liveness(view: View, pod: Pod) -> Finding | None:
    if pod.exit_code != _KILLED or pod.restarts < 1:
        return None
    fix = view.container("livenessProbe.failureThreshold", "twice as many")
    message = f"{pod.name} was killed {pod.restarts} times, and not for its memory: by its liveness probe"
    clue = _clue(view, pod, "lastState.terminated.exitCode", str(pod.exit_code))
    return _finding(Cause.LIVENESS_TOO_STRICT, message, clue, fix, _LIKELY)


def _crash(view: View, pod: Pod) -> Finding | None:
    if not (pod.restarts >= _CRASHES or pod.waiting == "CrashLoopBackOff") or not pod.ended:
        return None
    fix = view.own("spec.engine.args", f"what the log of {pod.name} asks for")
    message = (
        f"{pod.name} ended {pod.restarts} times, exit code {pod.exit_code}: {pod.ended_message[:200] or pod.ended}"
    )
    clue = _clue(view, pod, "restartCount", str(pod.restarts), str(_CRASHES - 1))
    return _finding(Cause.ENGINE_CRASHES, message, clue, fix)


def _loading(view: View, pod: Pod) -> Finding | None:
    since, profile = pod.running_since_seconds, view.evidence.profile
    if pod.is_ready or since is None or pod.restarts or profile is None:
        return None
    limit = max(
        _SLOW_LOADS * profile.load_seconds, _SOONEST_SECONDS, _SLOW_LOADS * view.evidence.observation.lead_time_seconds
    )
    seconds = view.evidence.now_seconds - since
    if seconds < limit:
        return None
    fix = view.own("spec.model.uri", "where the engine can load the weights from")
    message = (
        f"{pod.name} runs for {seconds:.0f} s and has not loaded its model; the profile says {profile.load_seconds:g} s"
    )
    return _finding(Cause.MODEL_NOT_LOADED, message, _clue(view, pod, "ready", "false", f"{limit:.0f} s"), fix, _LIKELY)


_POD_RULES: tuple[Callable[[View, Pod], Finding | None], ...] = (
    _image, _configuration, _memory, _gpu_memory, _liveness, _crash, _loading
)  # fmt: skip


def _nodes(view: View) -> Iterator[Finding]:
    """Room is missing: because nodes are out of use, or because it is taken."""
    said = view.says(Type.PLACED, Reason.NO_ROOM)
    stuck = [
        p for p in view.pods if p.unscheduled and view.evidence.now_seconds - p.created_at_seconds > _SOONEST_SECONDS
    ]
    if said is None and not stuck:
        return
    message = said or f"{stuck[0].name} finds no node: {stuck[0].unscheduled}"
    idle = [gpu for gpu in view.evidence.gpus if not gpu.usable]
    if idle:
        nodes = ", ".join(sorted({gpu.node for gpu in idle}))
        clue = Clue(
            f"Node {nodes}", f"{len(idle)} of {len(view.evidence.gpus)} GPUs cannot be used", "ready, not cordoned"
        )
        fix: Fix = FieldChange(f"Node {nodes}", "spec.unschedulable", "false, and the kubelet ready")
        yield _finding(Cause.NODES_UNUSABLE, message, clue, fix)
    else:
        allowed = ", ".join(view.evidence.service.partitions) or "all that were measured"
        fix = view.own("spec.partitions.allowed", "a smaller partition too, or one more GPU in the cluster", allowed)
        clue = Clue(f"InferenceService {view.evidence.service.key} status.conditions Placed", "NoRoom", "AllPlaced")
        yield _finding(Cause.NO_ROOM, message, clue, fix)


def _probe(view: View) -> Iterator[Finding]:
    engine = view.evidence.engine
    if engine is None or engine.has_readiness_probe:
        return
    clue = Clue(f"Deployment {engine.deployment} readinessProbe", "none", "one")
    fix = view.container("readinessProbe", "httpGet of /health at the port http")
    message = "new replicas get requests before they have loaded their model"
    yield Finding(Cause.READINESS_UNPROBED, Symptom.AT_RISK, message, (clue,), fix, _CERTAIN)


def contested(view: View) -> Iterator[Finding]:
    """Somebody else scales the same workload."""
    workloads = view.evidence.observation.workloads
    others = [(w.foreign_owner, w.replicas) for w in workloads if w.foreign_owner]
    rivals = [*view.evidence.rivals, *(o for o, _ in others if "HorizontalPodAutoscaler" in o)]
    condition = view.evidence.condition(Type.CONFLICT_FREE)
    where = Clue("Deployment spec.replicas", f"{others[0][1]}, set by {others[0][0]}" if others else "contested")
    if rivals:
        name = rivals[0].removeprefix("HorizontalPodAutoscaler ")
        fix = FieldChange(
            f"HorizontalPodAutoscaler {view.evidence.service.key.namespace}/{name}", "metadata", "delete it"
        )
        message = f"{rivals[0]} scales what Cynosure scales, so Cynosure leaves it alone"
        clues = (Clue("HorizontalPodAutoscaler spec.scaleTargetRef", name, "none beside Cynosure"), where)
        yield Finding(Cause.SECOND_AUTOSCALER, Symptom.NOT_CONTROLLED, message, clues, fix, _CERTAIN)
    elif others or (condition and condition.status is Status.FALSE and condition.reason == Reason.REPLICAS_OWNED):
        fix = FieldChange("Deployment", "metadata.managedFields", "[{}], which gives the field back")
        message = condition.message if condition else f"{others[0][0]} has set the replicas"
        yield Finding(Cause.REPLICAS_TAKEN, Symptom.NOT_CONTROLLED, message, (where,), fix, _CERTAIN)
