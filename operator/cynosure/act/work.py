"""What acting on one service needs of one moment: the decision, and what stands already."""

from dataclasses import dataclass

from cynosure.api import InferenceService, ModelProfile
from cynosure.api.inference_status import FindingStatus
from cynosure.kube.port import Body
from cynosure.model.condition import Condition
from cynosure.model.forecast import Forecast
from cynosure.model.gpu import Backend, Gpu, Slot
from cynosure.model.plan import Decision
from cynosure.model.snapshot import Observation


@dataclass(frozen=True, slots=True)
class Work:
    """``slots`` are planned for the service; ``gpus`` are all there are. ``children`` are our Deployments of it.

    ``target`` is the one of the slots that the next pod is to take, while a replica moves. ``adopted`` is the
    Deployment that ``spec.workloadRef`` names. ``rivals`` are autoscalers that aim at the InferenceService itself.
    ``findings`` are those of the last diagnosis; None before the first one.
    """

    service: InferenceService
    body: Body
    observation: Observation
    decision: Decision | None = None
    conditions: tuple[Condition, ...] = ()
    forecast: Forecast | None = None
    profile: ModelProfile | None = None
    children: tuple[Body, ...] = ()
    adopted: Body | None = None
    pods: tuple[Body, ...] = ()
    slots: tuple[Slot, ...] = ()
    target: Slot | None = None
    gpus: tuple[Gpu, ...] = ()
    backend: Backend = Backend.DRA
    rivals: tuple[str, ...] = ()
    findings: tuple[FindingStatus, ...] | None = None

    @property
    def namespace(self) -> str:
        return self.service.metadata.namespace

    @property
    def name(self) -> str:
        return self.service.metadata.name

    @property
    def is_act_wanted(self) -> bool:
        """Whether anything may be changed for it, other than what its status says."""
        gone = self.service.metadata.deletion_timestamp is not None
        return self.decision is not None and not self.decision.dry and not gone
